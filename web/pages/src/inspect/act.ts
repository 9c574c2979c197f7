import { h, refill, text } from "../games/dom.ts";
import type { Seat } from "../admin/api.ts";
import { busy, button } from "../kit/load.ts";
import { words } from "../kit/problem.ts";

const mostLegal = 40; // buttons

/** A form by which the operator acts for any seat in the live room, on servers with dev tools. */
export class ActForm {
  readonly el: HTMLElement;
  private readonly seat: HTMLSelectElement;
  private readonly input = h("textarea", { id: "act-data", rows: 3, spellcheck: "false", autocomplete: "off", "data-testid": "act-data" });
  private readonly legal = h("div", { class: "actions inspect-legal", "data-testid": "legal" });
  private readonly problem = h("p", { class: "field-problem", role: "alert", "data-testid": "act-problem" });

  constructor(private readonly act: (player: string, action: unknown) => Promise<void>, changed: () => void) {
    this.seat = h("select", { id: "act-seat", "data-testid": "act-seat", change: changed });
    const send = h("button", { type: "submit", class: "button primary", "data-testid": "act-send" }, "Act");
    const form = h("form", { class: "fields", submit: (e: Event) => {
      e.preventDefault();
      void busy(send, () => this.typed());
    } },
      h("div", { class: "field" }, h("label", { for: "act-seat" }, "Act for"), this.seat), this.legal,
      h("div", { class: "field" }, h("label", { for: "act-data" }, "Action, as JSON"), this.input), this.problem, h("p", { class: "actions" }, send));
    this.el = h("section", { class: "panel", "data-testid": "act" }, h("h2", {}, "Act"), h("p", { class: "hint" }, "In the room as it is now, whichever index is shown."), form);
  }

  get player(): string {
    return this.seat.value;
  }

  seats(seats: Seat[]): void {
    refill(this.seat, seats.map((s) => h("option", { value: s.player }, s.name || s.player)));
  }

  /** Offers what is legal now; undefined: the game does not say. */
  offer(actions: unknown[] | undefined): void {
    const all = actions ?? [];
    refill(this.legal, all.slice(0, mostLegal).map((a) => {
      const b = button(JSON.stringify(a), () => undefined, "small");
      b.dataset["testid"] = "legal-action";
      b.dataset["action"] = JSON.stringify(a);
      return b;
    }));
    if (all.length > mostLegal) this.legal.append(h("span", { class: "hint" }, `and ${all.length - mostLegal} more`));
    this.legal.onclick = (e) => {
      const b = (e.target as Element).closest("button");
      if (b?.dataset["action"]) void busy(b, () => this.send(JSON.parse(b.dataset["action"]!)));
    };
  }

  private async typed(): Promise<void> {
    let action: unknown;
    try {
      action = JSON.parse(this.input.value);
    } catch {
      text(this.problem, "That is no JSON.");
      return;
    }
    await this.send(action);
  }

  private async send(action: unknown): Promise<void> {
    text(this.problem, "");
    try {
      await this.act(this.player, action);
    } catch (err) {
      text(this.problem, words(err));
    }
  }
}
