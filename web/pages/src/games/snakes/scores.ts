import { h, set, text } from "../dom.ts";
import { coat } from "./colours.ts";
import { numberOf, standings, type Player, type SnakesView } from "./view.ts";

/** The list of players beside the field. */
export class Scores {
  private readonly list = h("ol", { class: "snakes-scores", "data-testid": "scores" });
  readonly el = h("section", { class: "snakes-board", "aria-label": "Scores" }, h("h2", {}, "Scores"), this.list);
  private readonly rows = new Map<string, Row>();

  show(v: SnakesView, me: string | undefined): void {
    const mine = numberOf(v, me);
    const order = standings(v);
    for (const [key, row] of this.rows) if (!v.players[key]) row.el.remove(), this.rows.delete(key);
    order.forEach(([key, p], i) => {
      const row = this.rows.get(key) ?? this.row(key);
      row.show(v, key, p, key === mine);
      if (this.list.children[i] !== row.el) this.list.insertBefore(row.el, this.list.children[i] ?? null);
    });
  }

  private row(key: string): Row {
    const row = new Row(key);
    this.rows.set(key, row);
    return row;
  }
}

class Row {
  private readonly name = h("span", { class: "snakes-name" });
  private readonly note = h("span", { class: "snakes-note" });
  private readonly points = h("span", { class: "snakes-points" });
  readonly el: HTMLElement;

  constructor(key: string) {
    this.el = h("li", { "data-snake": key }, swatch(key), this.name, this.note, this.points);
  }

  show(v: SnakesView, key: string, p: Player, mine: boolean): void {
    text(this.name, p.name);
    text(this.note, noteOf(v, key, p, mine));
    text(this.points, String(p.points));
    set(this.points, "aria-label", `${p.points} points`);
    set(this.el, "data-mine", mine);
    set(this.el, "data-out", !v.snakes[key] && (v.phase === "playing" || p.gone === true));
  }
}

function noteOf(v: SnakesView, key: string, p: Player, mine: boolean): string {
  const notes = [mine ? "you" : "", p.bot ? "bot" : "", p.gone ? "left" : !p.online && !p.bot ? "away" : v.phase === "playing" && !v.snakes[key] ? "out" : ""];
  return notes.filter(Boolean).join(", ");
}

/** A dab of a player's colour and pattern. */
export function swatch(key: string): HTMLElement {
  const { colour, pattern } = coat(key);
  const el = h("span", { class: `snakes-swatch ${pattern}`, "aria-hidden": "true" });
  el.style.setProperty("--coat", colour);
  return el;
}
