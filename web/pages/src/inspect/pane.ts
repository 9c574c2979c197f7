import { h, refill, text } from "../games/dom.ts";
import type { Seat } from "../admin/api.ts";
import { Tree } from "./tree.ts";
import type { View } from "./types.ts";

/** One of the two panes: the room through chosen eyes. */
export class Pane {
  readonly el: HTMLElement;
  private readonly eyes: HTMLSelectElement;
  private readonly tree: Tree;
  private readonly note: HTMLElement;
  private chosen = false; // by the person

  constructor(id: string, label: string, private wanted: string, private readonly preset: (seats: Seat[]) => string, changed: () => void) {
    this.eyes = h("select", { id, "data-testid": id, change: () => {
      this.chosen = true;
      this.wanted = this.eyes.value;
      changed();
    } });
    this.tree = new Tree(`${label} view`);
    this.note = h("p", { class: "hint", role: "status" });
    this.el = h("section", { class: "panel inspect-pane", "data-testid": `${id}-pane` },
      h("div", { class: "field" }, h("label", { for: id }, `${label}: as seen by`), this.eyes), this.note, this.tree.el);
    this.seats([]);
  }

  get viewer(): string {
    return this.wanted;
  }

  /** Offers the seats there are, and keeps the choice of one that is not there now. */
  seats(seats: Seat[]): void {
    if (!this.chosen) this.wanted = this.preset(seats);
    const options: [string, string][] = [["whole", "the whole state"], ["spectator", "a spectator"], ...seats.map((s): [string, string] => [`player:${s.player}`, s.name || s.player])];
    if (!options.some(([value]) => value === this.wanted)) options.push([this.wanted, `${this.wanted.slice("player:".length)} (no seat here)`]);
    refill(this.eyes, options.map(([value, words]) => h("option", { value }, words)));
    if (this.eyes.value !== this.wanted) this.eyes.value = this.wanted;
  }

  show(view: View | undefined, other: View | undefined): void {
    const there = view !== undefined && "view" in view;
    text(this.note, there ? (view.before === undefined ? "There was nothing to see before this input." : "") : `There is nothing to see: ${view?.unavailable ?? "it was not told"}.`);
    this.note.hidden = this.note.textContent === "";
    this.tree.el.hidden = !there;
    if (there) {
      this.tree.show(view.view, {
        before: "before" in view ? { value: view.before } : undefined,
        other: other && "view" in other && other.viewer !== view.viewer && other.viewer !== "whole" && view.viewer !== "whole" ? { value: other.view } : undefined,
      });
    }
  }
}
