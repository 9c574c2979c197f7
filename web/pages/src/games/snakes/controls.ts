import { h } from "../dom.ts";
import type { Table } from "roomring";
import { boostCells, directions, lastLeg, numberOf, type Direction, type Snake, type SnakesAction, type SnakesView } from "./view.ts";

const keys: Record<string, Direction> = {
  ArrowUp: "up", ArrowRight: "right", ArrowDown: "down", ArrowLeft: "left",
  KeyW: "up", KeyD: "right", KeyS: "down", KeyA: "left",
};

/** A finger that travels so far turns the snake, in CSS pixels. */
const swipe = 22;
/** Turns that the room takes ahead. */
const ahead = 3;
/** A turn shows in the view by then, in milliseconds; until then the next one is judged by it. */
const settled = 400;

/** Steering by keys, swipes and buttons. It sends only what can make a difference. */
export class Controls {
  readonly el = this.pad();
  private readonly stop = new AbortController();
  private asked?: { turn: Direction; at: number };
  private waiting = 0;
  private boosting = false;

  constructor(private readonly table: Table<SnakesView, SnakesAction>, field: HTMLElement) {
    const signal = this.stop.signal;
    addEventListener("keydown", (e) => this.key(e, true), { signal });
    addEventListener("keyup", (e) => this.key(e, false), { signal });
    addEventListener("blur", () => this.boost(false), { signal });
    this.swipes(field, signal);
  }

  private pad(): HTMLElement {
    const turn = (d: Direction, arrow: string) =>
      h("button", { type: "button", class: `snakes-${d}`, "data-action": d, "aria-label": d, pointerdown: () => this.turn(d), click: () => this.turn(d) }, arrow);
    const boost = h("button", {
      type: "button", class: "snakes-boost", "data-action": "boost", contextmenu: (e: Event) => e.preventDefault(),
      pointerdown: () => this.boost(true), pointerup: () => this.boost(false), pointercancel: () => this.boost(false), pointerleave: () => this.boost(false),
    }, "Boost");
    return h("div", { class: "snakes-pad", role: "group", "aria-label": "Steering" }, turn("up", "▲"), turn("left", "◀"), turn("right", "▶"), turn("down", "▼"), boost);
  }

  private snake(): Snake | undefined {
    const v = this.table.view();
    const key = v?.phase === "playing" ? numberOf(v, this.table.me.player) : undefined;
    return key === undefined ? undefined : v.snakes[key];
  }

  private key(e: KeyboardEvent, down: boolean): void {
    if (!down && e.code === "Space") this.boost(false);
    if (e.ctrlKey || e.metaKey || e.altKey || typing(e.target) || !this.snake()) return;
    const d = keys[e.code];
    if (e.code === "Space" && !(e.target instanceof HTMLButtonElement && e.target.dataset["action"] !== "boost")) this.boost(down);
    else if (!d) return;
    else if (down && !e.repeat) this.turn(d);
    e.preventDefault();
  }

  private turn(d: Direction): void {
    const snake = this.snake();
    if (!snake || this.waiting >= ahead || !turns(this.facing(snake), d)) return;
    this.asked = { turn: d, at: performance.now() };
    this.waiting++;
    this.send({ turn: d }).finally(() => this.waiting--);
  }

  // Where the snake will look once the turns on their way are made.
  private facing(snake: Snake): Direction {
    const fresh = this.asked && (this.waiting > 0 || performance.now() - this.asked.at < settled);
    return fresh ? this.asked!.turn : directions[lastLeg(snake)[1]]!;
  }

  private boost(on: boolean): void {
    const snake = this.snake();
    if (on === this.boosting || (on && (!snake || snake.n < boostCells))) return;
    this.boosting = on;
    if (snake) void this.send({ boost: on });
  }

  private send(action: SnakesAction): Promise<void> {
    return (this.table.act?.(action) ?? Promise.resolve()).catch(() => {
      this.asked = undefined; // the shell says why
    });
  }

  private swipes(field: HTMLElement, signal: AbortSignal): void {
    let from: { x: number; y: number } | undefined;
    field.addEventListener("pointerdown", (e) => {
      if (e.pointerType !== "mouse") from = { x: e.clientX, y: e.clientY };
    }, { signal });
    field.addEventListener("pointermove", (e) => {
      if (!from || Math.hypot(e.clientX - from.x, e.clientY - from.y) < swipe) return;
      this.turn(towards(e.clientX - from.x, e.clientY - from.y));
      from = { x: e.clientX, y: e.clientY };
    }, { signal });
    for (const end of ["pointerup", "pointercancel"] as const) field.addEventListener(end, () => (from = undefined), { signal });
  }

  dispose(): void {
    this.stop.abort();
  }
}

/** Whether one can turn from a direction to another: neither on nor back. */
export function turns(from: Direction, to: Direction): boolean {
  return (directions.indexOf(from) + directions.indexOf(to)) % 2 === 1;
}

/** The direction in which a swipe goes. */
export function towards(dx: number, dy: number): Direction {
  if (Math.abs(dx) > Math.abs(dy)) return dx > 0 ? "right" : "left";
  return dy > 0 ? "down" : "up";
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]") !== null;
}
