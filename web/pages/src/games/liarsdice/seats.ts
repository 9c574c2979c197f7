import { h, set, type Child } from "../dom.ts";
import { counts } from "./bids.ts";
import { cup, die } from "./dice.ts";
import { bidsOf, seatsFrom, type DiceView } from "./view.ts";
import { amount, nameOf, ordinal } from "./words.ts";

/** Everybody at the table: their dice or cups, their last bid, whose turn it is. */
export class Seats {
  readonly el = h("ul", { class: "dice-seats", "aria-label": "Players" });
  private readonly cards = new Map<number, Card>();

  show(v: DiceView, me: number): void {
    const order = seatsFrom(v, me);
    for (const [seat, card] of this.cards) if (!v.players[seat]) card.el.remove(), this.cards.delete(seat);
    order.forEach((seat, i) => {
      const card = this.cards.get(seat) ?? new Card(seat);
      this.cards.set(seat, card);
      if (this.el.children[i] !== card.el) this.el.insertBefore(card.el, this.el.children[i] ?? null);
      card.show(v, me);
    });
  }
}

class Card {
  private readonly who = h("h2", { class: "dice-who" });
  private readonly row = h("div", { class: "dice-row" });
  private readonly said = h("p", { class: "dice-said" });
  readonly el: HTMLElement;
  private readonly keys = new Map<HTMLElement, string>();

  constructor(private readonly seat: number) {
    this.el = h("li", { class: "dice-seat", "data-testid": `seat-${seat}` }, this.who, this.row, this.said);
    set(this.row, "data-testid", `dice-${seat}`);
  }

  show(v: DiceView, me: number): void {
    const [seat, p] = [this.seat, v.players[this.seat]!];
    const bid = bidsOf(v).filter((b) => b.seat === seat).at(-1);
    const dice = v.reveal?.dice[seat] ?? (seat === me ? v.mine : undefined);
    set(this.el, "data-turn", v.turn === seat);
    set(this.el, "data-out", v.round > 0 && p.dice === 0 && !v.reveal?.dice[seat]);
    set(this.el, "data-mine", seat === me);
    set(this.el, "data-loser", v.reveal?.loser === seat);
    set(this.el, "data-winner", v.reveal?.winner === seat || (v.status === "over" && v.result?.winner === seat));
    set(this.row, "hidden", !dice && p.dice === 0);
    this.fill(this.who, [p, seat === me, v.turn === seat, v.status], () => heading(v, seat, me));
    this.fill(this.row, [v.round, dice, !dice && p.dice, v.reveal?.bid.face], () => hand(v, p.dice, dice));
    this.fill(this.said, [p.rank, bid, v.bid?.seat === seat, v.reveal], () => said(v, seat, bid));
  }

  // A part is written anew only when it differs, so that dice are not thrown again.
  private fill(part: HTMLElement, what: unknown, children: () => Child[]): void {
    const key = JSON.stringify(what);
    if (this.keys.get(part) === key) return;
    this.keys.set(part, key);
    part.replaceChildren(...children().filter((c) => c !== undefined));
  }
}

/** Dice that one may see, else the cup over so many. */
function hand(v: DiceView, n: number, dice: number[] | undefined): Child[] {
  const [wild, face] = [v.options.wild_ones, v.reveal?.bid.face];
  if (dice) return dice.map((d) => die(d, { wild, ...(face !== undefined && (counts(v, d, face) ? { hit: true } : { miss: true })) }));
  return n === 0 ? [] : [cup(), h("span", { class: "dice-count" }, `× ${n}`), h("span", { class: "quiet" }, n === 1 ? "hidden die" : "hidden dice")];
}

function heading(v: DiceView, seat: number, me: number): Child[] {
  const p = v.players[seat]!;
  const notes = [seat === me ? "you" : "", p.bot ? "bot" : "", p.left ? "left" : !p.online && !p.bot ? "away" : "", v.turn === seat ? "to bid" : ""];
  const ready = p.ready && (v.status === "waiting" || v.status === "reveal");
  return [h("span", { class: "dice-name" }, nameOf(v, seat)), h("span", { class: "dice-note" }, notes.filter(Boolean).join(", ")),
    ready ? h("span", { class: "dice-ready" }, "ready") : undefined];
}

function said(v: DiceView, seat: number, bid: ReturnType<typeof bidsOf>[number] | undefined): Child[] {
  const p = v.players[seat]!;
  if (v.reveal && v.status !== "waiting") {
    if (v.reveal.loser === seat) return [h("strong", { class: "dice-lost" }, v.reveal.out ? "loses the last die" : "loses a die")];
    if (v.reveal.winner === seat) return [h("strong", { class: "dice-won" }, "wins a die back")];
  }
  if (p.rank !== undefined) return [ordinal(p.rank)];
  if (!bid) return [];
  return [h("span", { class: v.bid?.seat === seat ? "dice-stands" : "dice-passed" }, h("span", { class: "quiet" }, "bid "), `${bid.count} × `, die(bid.face, { silent: true }), h("span", { class: "quiet" }, amount(bid.count, bid.face)))];
}
