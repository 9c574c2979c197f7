import { h, set, text } from "../dom.ts";
import { die } from "./dice.ts";
import { bidsOf, type DiceView } from "./view.ts";
import { amount, bidWords, nameOf, revealWords, statusWords } from "./words.ts";

/** The middle of the table: what is going on and the bid that stands, or what a reveal showed. */
export class Centre {
  private readonly status = h("p", { class: "dice-status", "data-testid": "status" });
  private readonly bid = h("div", { class: "dice-standing", "data-testid": "bid" });
  private readonly facts = h("p", { class: "dice-facts" });
  readonly el: HTMLElement;
  private shown = "";

  constructor(timer: HTMLElement) {
    this.el = h("div", { class: "dice-centre" }, h("div", { class: "dice-top" }, this.status, timer), this.bid, this.facts);
  }

  show(v: DiceView, me: number): void {
    text(this.status, statusWords(v, me));
    set(this.el, "data-mine", v.turn === me && me >= 0);
    text(this.facts, facts(v));
    const key = JSON.stringify([v.status, v.bid, v.reveal, v.round]);
    if (key === this.shown) return;
    this.shown = key;
    this.bid.replaceChildren(...(v.reveal ? this.reveal(v, me) : this.standing(v)));
  }

  private standing(v: DiceView): Node[] {
    if (v.status === "waiting") return [];
    if (!v.bid) return [h("p", { class: "dice-open" }, `${nameOf(v, v.turn)} opens the round`)];
    return [h("p", { class: "dice-large", "aria-hidden": "true" }, `${v.bid.count} ×`, die(v.bid.face, { silent: true })),
      h("p", { class: "dice-by" }, h("span", { class: "quiet" }, `The bid is ${amount(v.bid.count, v.bid.face)}, `), `by ${nameOf(v, v.bid.seat)}`)];
  }

  private reveal(v: DiceView, me: number): Node[] {
    const r = v.reveal!;
    return [h("div", { class: "dice-reveal", "data-testid": "reveal", "data-right": r.right },
      h("p", { class: "dice-large", "aria-hidden": "true" }, `${r.counted} ×`, die(r.bid.face, { silent: true }), h("span", { class: "dice-of" }, r.bid.count === 1 ? "1 was bid" : `${r.bid.count} were bid`)),
      ...revealWords(v, r, me).map((line) => h("p", {}, line)))];
  }
}

function facts(v: DiceView): string {
  const dice = v.status === "waiting" ? `${v.options.dice} dice each` : v.status === "bidding" ? `${v.total} dice on the table` : "";
  return [v.round > 0 ? `Round ${v.round}` : "", dice, v.options.wild_ones ? "ones are wild" : "ones are not wild"].filter(Boolean).join(" · ");
}

/** This round's bids, one below the other. */
export class History {
  private readonly list = h("ol", { class: "dice-bids", "data-testid": "bids" });
  readonly el = h("section", { class: "dice-history", "aria-label": "Bids of this round" }, h("h2", {}, "Bids"), this.list);
  private shown = "";

  show(v: DiceView, me: number): void {
    const bids = bidsOf(v);
    const key = JSON.stringify(bids);
    if (key === this.shown) return;
    this.shown = key;
    this.list.replaceChildren(...bids.map((b) => h("li", {}, bidWords(v, b, me))));
    this.list.scrollTop = this.list.scrollHeight;
  }
}
