import { ticksPerSecond, type SnakesView } from "./view.ts";

/** How far behind the newest tick snakes are shown, in ticks: late ticks are then rarely missed. */
const behind = 1.2;
/** How fast an estimate that proved too early is given up, in ticks a second. */
const drift = 0.5;

/** Tells which fraction of a tick to show, from ticks that come at uneven times. It never goes back within a round. */
export class Pace {
  private newest = 0;
  private round = -1;
  private offset = -Infinity; // the newest tick minus the time, in ticks: its upper envelope
  private measured = 0;
  private shown = 0;

  /** A view came at a time in milliseconds. */
  note(v: SnakesView, now: number): void {
    const fresh = v.round !== this.round || v.tick < this.newest;
    const offset = v.tick - (now * ticksPerSecond) / 1000;
    const faded = this.offset - ((now - this.measured) / 1000) * drift;
    if (fresh) this.shown = v.tick;
    if (fresh || v.phase !== "playing" || Math.abs(offset - this.offset) > ticksPerSecond) this.offset = offset;
    else if (v.tick > this.newest) this.offset = Math.max(offset, faded);
    if (v.tick > this.newest || fresh) this.measured = now;
    [this.newest, this.round] = [v.tick, v.round];
  }

  /** The tick to show at a time in milliseconds. */
  at(now: number): number {
    const due = this.offset + (now * ticksPerSecond) / 1000 - behind;
    this.shown = Math.max(this.shown, Math.min(due, this.newest), this.newest - 4);
    return this.shown;
  }

  /** Shows the newest tick at once, where nothing moves any more. */
  settle(): void {
    this.shown = this.newest;
  }
}
