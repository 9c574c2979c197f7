import { h, set, text } from "../dom.ts";
import type { Table } from "roomring";
import { format, low, remaining, runs, untilChange } from "./clock.ts";
import { draw } from "./pieces.ts";
import { captured, names, pieces } from "./position.ts";
import { other, title, type ChessView, type Side } from "./view.ts";

/** Both players beside the board: name, what they took, and their clocks. */
export class Faces {
  readonly top: HTMLElement;
  readonly bottom: HTMLElement;
  private readonly places = [new Face(), new Face()] as const;
  private view?: ChessView;
  private near: Side = "white";
  private timer?: ReturnType<typeof setTimeout>;

  constructor(private readonly table: Table<ChessView>) {
    [this.top, this.bottom] = [this.places[0].el, this.places[1].el];
  }

  show(v: ChessView, bottom: Side): void {
    [this.view, this.near] = [v, bottom];
    const taken = captured(pieces(v.fen));
    for (const [face, side] of this.sides()) face.show(v, side, taken[side]);
    this.tick();
  }

  private sides(): [Face, Side][] {
    return [[this.places[0], other(this.near)], [this.places[1], this.near]];
  }

  // Wakes just when a clock reads differently, and not at all while none runs.
  private tick(): void {
    clearTimeout(this.timer);
    const [v, now] = [this.view!, this.table.roomTime()];
    for (const [face, side] of this.sides()) {
      const left = remaining(v, side, now);
      const shown = face.clock(v, left, side);
      if (runs(v, side) && left) this.timer = setTimeout(() => this.tick(), untilChange(shown ?? left));
    }
  }

  dispose(): void {
    clearTimeout(this.timer);
  }
}

class Face {
  private readonly name = h("span", { class: "chess-name" });
  private readonly note = h("span", { class: "chess-note" });
  private readonly taken = h("span", { class: "chess-taken" });
  private readonly time = h("span", { class: "chess-clock", role: "timer", hidden: true });
  readonly el = h("div", { class: "chess-face" }, h("span", { class: "chess-dot", "aria-hidden": "true" }), h("div", { class: "chess-who" }, h("span", { class: "chess-line" }, this.name, this.note), this.taken), this.time);
  private stood = "";
  private least = Infinity;

  show(v: ChessView, side: Side, taken: ReturnType<typeof captured>[Side]): void {
    const who = v[side];
    text(this.name, who?.name ?? title(side));
    text(this.note, who?.bot ? "computer" : who && !who.online ? "away" : "");
    set(this.el, "data-side", side);
    set(this.el, "data-testid", `face-${side}`);
    set(this.el, "data-turn", v.status === "playing" && v.turn === side);
    set(this.el, "data-winner", v.result?.winner === side);
    const key = side + taken.kinds.join("") + taken.ahead;
    if (this.taken.dataset["key"] !== key) this.fill(side, taken, key);
  }

  private fill(side: Side, { kinds, ahead }: ReturnType<typeof captured>[Side], key: string): void {
    this.taken.dataset["key"] = key;
    set(this.taken, "role", kinds.length > 0 ? "img" : undefined);
    set(this.taken, "aria-label", kinds.length > 0 ? `took ${kinds.map((k) => names[k]).join(", ")}` : undefined);
    const lead = ahead > 0 ? h("span", { class: "chess-ahead" }, `+${ahead}`) : undefined;
    this.taken.replaceChildren(...kinds.map((kind) => draw({ kind, side: other(side) })), ...(lead ? [lead] : []));
  }

  // A running clock never steps back up: the estimate of room time may, by some milliseconds.
  clock(v: ChessView, left: number | undefined, side: Side): number | undefined {
    set(this.time, "hidden", left === undefined);
    if (left === undefined) return undefined;
    const stood = JSON.stringify([v.clock, v.turn, v.status, side]);
    this.least = stood === this.stood ? Math.min(this.least, left) : left;
    this.stood = stood;
    text(this.time, format(this.least));
    set(this.time, "aria-label", `${title(side)}'s clock`);
    set(this.time, "data-testid", `clock-${side}`);
    set(this.time, "data-runs", runs(v, side));
    set(this.time, "data-low", this.least < low && v.status === "playing");
    return this.least;
  }
}
