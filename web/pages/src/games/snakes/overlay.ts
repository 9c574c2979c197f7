import { h, set, text } from "../dom.ts";
import { swatch } from "./scores.ts";
import { numberOf, standings, type SnakesView } from "./view.ts";

/** What is laid over the field between rounds: the countdown, and how everybody stands. */
export class Overlay {
  private readonly title = h("p", { class: "snakes-title" });
  private readonly count = h("p", { class: "snakes-count" });
  private readonly list = h("ol", { class: "snakes-standings" });
  readonly el = h("div", { class: "snakes-overlay", "data-testid": "overlay", hidden: true }, h("div", {}, this.title, this.count, this.list));
  private listed = "";

  show(v: SnakesView): void {
    set(this.el, "hidden", v.phase === "playing");
    set(this.el, "data-phase", v.phase);
    text(this.title, titleOf(v));
    text(this.count, v.phase === "ready" ? String(v.left_s) : "");
    this.standings(v);
  }

  private standings(v: SnakesView): void {
    const shown = v.phase === "pause" || v.phase === "over" ? standings(v).slice(0, 5) : [];
    const key = JSON.stringify(shown.map(([number, p]) => [number, p.name, p.points, p.before]));
    if (key === this.listed) return;
    this.listed = key;
    this.list.replaceChildren(...shown.map(([number, p]) => h("li", {}, swatch(number), h("span", { class: "snakes-name" }, p.name),
      h("span", { class: "snakes-note" }, v.phase === "pause" ? `+${p.points - p.before}` : ""), h("span", { class: "snakes-points" }, String(p.points)))));
  }
}

function titleOf(v: SnakesView): string {
  switch (v.phase) {
    case "waiting": return "Waiting for another snake";
    case "ready": return `Round ${v.round} of ${v.rounds}`;
    case "pause": return v.round < v.rounds ? `Round ${v.round} is over · next in ${v.left_s} s` : `The last round is over`;
    case "over": return winner(v);
    default: return "";
  }
}

function winner(v: SnakesView): string {
  const [best, next] = standings(v).map(([, p]) => p);
  if (!best) return "The game is over";
  return next && (next.rank ?? 2) === (best.rank ?? 1) ? "A tie" : `${best.name} wins`;
}

/** The line above the field: round, time and what one should know. */
export class Head {
  private readonly round = h("span", { "data-testid": "round" });
  private readonly note = h("span", { class: "snakes-note", "data-testid": "note" });
  private readonly time = h("span", { class: "snakes-time", role: "timer", "aria-label": "Time left in the round", "data-testid": "time" });
  readonly el = h("div", { class: "snakes-head" }, this.round, this.note, this.time);

  show(v: SnakesView, me: string | undefined): void {
    text(this.round, v.round > 0 ? `Round ${v.round} of ${v.rounds}` : "Snakes");
    text(this.note, noteOf(v, numberOf(v, me)));
    text(this.time, v.phase === "playing" ? `${Math.floor(v.left_s / 60)}:${String(v.left_s % 60).padStart(2, "0")}` : "");
    set(this.time, "data-low", v.phase === "playing" && v.left_s <= 10);
  }
}

function noteOf(v: SnakesView, mine: string | undefined): string {
  if (v.phase !== "playing" || mine === undefined || v.snakes[mine]) return "";
  return v.round < v.rounds ? "You are out until the next round" : "You are out";
}
