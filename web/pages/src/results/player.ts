import { h, set, text } from "../games/dom.ts";
import type { Table } from "roomring";
import type { Shown } from "../kit/catalogue.ts";
import { clock } from "../kit/format.ts";
import { icon } from "../kit/icons.ts";
import { me } from "../kit/me.ts";
import { mount } from "../kit/mount.ts";
import type { Recording } from "./replay.ts";

const speeds = [0.5, 1, 2, 4, 8];
const longest = 1500; // ms: a long think is not waited for in full

/** Plays a recorded game on its own table: step by step, or at any speed. */
export class Player {
  private readonly table = h("div", { class: "table", "data-testid": "replay-table", "aria-busy": "true" });
  private readonly scrub: HTMLInputElement;
  private readonly play = iconButton("Play", "play", "replay-play", () => this.toggle());
  private readonly when = h("output", { class: "replay-when", "data-testid": "replay-when" });
  private readonly speed: HTMLSelectElement;
  private readonly views = new Set<(view: unknown, previous?: unknown) => void>();
  private readonly hearers = new Set<(e: { name: string; data?: any }) => void>();
  private step = 0;
  private playing = false;
  private shownAt = 0; // performance.now() of the present step
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly el: HTMLElement, private readonly recording: Recording, private readonly game: Shown) {
    this.step = this.last;
    this.scrub = h("input", { type: "range", min: 0, max: this.last, step: 1, value: this.last, "aria-label": "Position in the game", "data-testid": "replay-scrub", input: () => this.go(Number(this.scrub.value)) });
    this.speed = h("select", { "aria-label": "Speed", "data-testid": "replay-speed", change: () => this.schedule() }, ...speeds.map((s) => h("option", { value: s, selected: s === 1 }, `${s}×`)));
  }

  async show(): Promise<void> {
    this.el.append(h("div", { class: "transport", role: "group", "aria-label": "Replay", "data-testid": "replay" },
      iconButton("To the start", "first", "replay-first", () => this.jump(0)),
      iconButton("One step back", "back", "replay-prev", () => this.jump(this.step - 1)),
      this.play,
      iconButton("One step on", "next", "replay-next", () => this.jump(this.step + 1)),
      iconButton("To the end", "last", "replay-last", () => this.jump(this.last)),
      this.scrub, this.when, this.speed));
    const cut = this.recording.cut;
    if (cut) this.el.append(h("p", { class: "replay-from", "data-testid": "replay-from" }, `The beginning of this game is not kept. What follows starts at its input ${cut.seq}, after ${clock(cut.at)}.`));
    this.el.append(this.table);
    this.draw();
    await mount(this.table, this.game, this.asTable());
    addEventListener("keydown", (e) => this.key(e));
  }

  private get last(): number {
    return this.recording.steps.length - 1;
  }

  private turn(step: number): number {
    return this.recording.steps[step]!;
  }

  private asTable(): Table {
    return {
      view: () => this.recording.view(this.turn(this.step)),
      onView: (f) => (this.views.add(f), () => this.views.delete(f)),
      onEvent: (f) => (this.hearers.add(f), () => this.hearers.delete(f)),
      me: { ...(me.player !== undefined && { player: me.player }), seat: -1 },
      roomTime: () => this.roomTime(),
      live: false,
      say: () => undefined,
    };
  }

  // The room's time stands still while the replay does, and never runs past the next step.
  private roomTime(): number {
    const at = this.recording.roomTime(this.turn(this.step));
    if (!this.playing || this.step === this.last) return at;
    return Math.min(at + (performance.now() - this.shownAt) * this.factor, this.recording.roomTime(this.turn(this.step + 1)));
  }

  private get factor(): number {
    return Number(this.speed.value);
  }

  private jump(step: number): void {
    this.pause();
    this.go(step);
  }

  private go(step: number): void {
    const to = Math.max(0, Math.min(step, this.last));
    if (to === this.step) return;
    const [from, was] = [this.turn(this.step), this.recording.view(this.turn(this.step))];
    this.step = to;
    this.shownAt = performance.now();
    const view = this.recording.view(this.turn(to));
    this.views.forEach((f) => f(view, was));
    if (to > 0 && from === this.turn(to - 1)) this.tell(from + 1, this.turn(to));
    this.draw();
    if (this.playing) this.schedule();
  }

  private tell(from: number, to: number): void {
    for (let i = from; i <= to; i++) this.recording.events(i).forEach((e) => this.hearers.forEach((f) => f(e)));
  }

  private toggle(): void {
    if (this.playing) return this.pause();
    if (this.step === this.last) this.go(0);
    this.playing = true;
    this.shownAt = performance.now();
    this.schedule();
    this.draw();
  }

  private pause(): void {
    clearTimeout(this.timer);
    this.playing = false;
    this.draw();
  }

  private schedule(): void {
    clearTimeout(this.timer);
    if (!this.playing) return;
    if (this.step >= this.last) return this.pause();
    const gap = this.recording.time(this.turn(this.step + 1)) - this.recording.time(this.turn(this.step));
    const due = this.shownAt + Math.min(gap, longest) / this.factor;
    this.timer = setTimeout(() => this.go(this.step + 1), Math.max(0, due - performance.now()));
  }

  private draw(): void {
    this.scrub.value = String(this.step);
    const time = `${clock(this.recording.time(this.turn(this.step)))} / ${clock(this.recording.time(this.turn(this.last)))}`;
    set(this.scrub, "aria-valuetext", `Step ${this.step} of ${this.last}, ${clock(this.recording.time(this.turn(this.step)))}`);
    text(this.when, time);
    this.when.title = `Step ${this.step} of ${this.last}`;
    this.when.dataset["step"] = String(this.step);
    this.when.dataset["last"] = String(this.last);
    set(this.play, "aria-label", this.playing ? "Pause" : "Play");
    this.play.replaceChildren(icon(this.playing ? "pause" : "play"));
  }

  private key(e: KeyboardEvent): void {
    const on = e.target as HTMLElement;
    if (e.altKey || e.ctrlKey || e.metaKey || on.closest("select, textarea, [role=grid], input:not([type=range])")) return;
    const keys: Record<string, () => void> = {
      ArrowLeft: () => this.jump(this.step - 1), ArrowRight: () => this.jump(this.step + 1),
      Home: () => this.jump(0), End: () => this.jump(this.last),
      ...(on.closest("button, a") ? {} : { " ": () => this.toggle() }),
    };
    if (!Object.hasOwn(keys, e.key)) return;
    e.preventDefault();
    keys[e.key]!();
  }
}

function iconButton(label: string, name: Parameters<typeof icon>[0], id: string, click: () => void): HTMLButtonElement {
  return h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, "data-testid": id, click }, icon(name));
}
