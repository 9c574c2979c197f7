import { h, text } from "../games/dom.ts";
import { button } from "./load.ts";

let sheets = 0;

// Where there is little room, an unfolded sheet would cover what people have come to see.
const small = matchMedia("(max-width: 640px), (max-height: 500px)");

/** A card over the foot of the page: a head and a foot that are always seen, and a body that can be folded away. */
export class Sheet {
  readonly el: HTMLElement;
  private readonly body: HTMLElement;
  private readonly fold: HTMLButtonElement;

  constructor(label: string, id: string, head: Node, body: Node[], foot: Node[]) {
    this.body = h("div", { class: "sheet-body", id: `sheet-${++sheets}` }, ...body);
    this.fold = button("Hide", () => this.open(Boolean(this.body.hidden)), "small");
    this.fold.dataset["testid"] = `${id}-fold`;
    this.fold.setAttribute("aria-controls", this.body.id);
    this.el = h("section", { class: "sheet", "aria-label": label, "data-testid": id, hidden: true },
      h("div", { class: "sheet-head" }, head, this.fold), this.body, h("div", { class: "sheet-foot" }, ...foot));
    document.getElementById("main")!.append(this.el);
    this.open(!small.matches);
    small.addEventListener("change", () => this.open(!small.matches));
  }

  get shown(): boolean {
    return !this.el.hidden;
  }

  set shown(on: boolean) {
    this.el.hidden = !on;
  }

  /** Folds it, or unfolds it. */
  private open(on: boolean): void {
    this.body.hidden = !on;
    this.fold.setAttribute("aria-expanded", String(on));
    text(this.fold, on ? "Hide" : "Details");
  }
}
