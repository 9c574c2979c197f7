import { h, text } from "../games/dom.ts";
import { button } from "./load.ts";

let sheets = 0;

/** A card over the foot of the page. It covers what is beneath, so it can be folded away. */
export class Sheet {
  readonly el: HTMLElement;
  private readonly body: HTMLElement;
  private readonly fold: HTMLButtonElement;

  constructor(label: string, id: string, private readonly show: string, ...content: Node[]) {
    this.body = h("div", { class: "sheet-body", id: `sheet-${++sheets}` }, ...content);
    this.fold = button("Hide", () => this.open(this.body.hidden), "small");
    this.fold.setAttribute("aria-controls", this.body.id);
    this.el = h("section", { class: "sheet", "aria-label": label, "data-testid": id, hidden: true }, this.fold, this.body);
    document.getElementById("main")!.append(this.el);
    this.open(true);
  }

  get shown(): boolean {
    return !this.el.hidden;
  }

  set shown(on: boolean) {
    this.el.hidden = !on;
  }

  /** Folds it, or unfolds it. */
  open(on: boolean): void {
    this.body.hidden = !on;
    this.fold.setAttribute("aria-expanded", String(on));
    text(this.fold, on ? "Hide" : this.show);
    this.el.classList.toggle("folded", !on);
  }
}
