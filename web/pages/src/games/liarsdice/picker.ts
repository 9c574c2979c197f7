import { h, set, text, uniqueID } from "../dom.ts";
import { faces, fewest, legal, nearest, suggest, type Choice } from "./bids.ts";
import { die } from "./dice.ts";
import type { DiceAction, DiceView } from "./view.ts";
import { amount } from "./words.ts";

/** Where one chooses a bid, calls the last one, or says that one is ready. */
export class Picker {
  private readonly count = h("input", { type: "number", class: "dice-number", inputmode: "numeric", "aria-label": "How many dice", "data-testid": "bid-count", input: () => this.typed(), change: () => this.wish({ count: Number(this.count.value) }) });
  private readonly less = h("button", { type: "button", "aria-label": "One die less", "data-testid": "bid-less", click: () => this.wish({ count: this.choice.count - 1 }) }, "−");
  private readonly more = h("button", { type: "button", "aria-label": "One die more", "data-testid": "bid-more", click: () => this.wish({ count: this.choice.count + 1 }) }, "+");
  private readonly faces = h("div", { class: "dice-faces", role: "radiogroup", "aria-label": "Which face" });
  private readonly bid = h("button", { type: "submit", class: "primary", "data-action": "bid" });
  private readonly liar = h("button", { type: "button", class: "danger", "data-action": "liar", click: () => this.send({ liar: true }) }, "Liar!");
  private readonly spotOn = h("button", { type: "button", "data-action": "spot-on", click: () => this.send({ spot_on: true }) }, "Spot on");
  private readonly ready = h("button", { type: "button", class: "primary", "data-action": "ready" });
  private readonly form = h("form", { class: "dice-picker", "aria-label": "Your bid", submit: (e: Event) => this.submit(e) },
    h("div", { class: "dice-stepper" }, this.less, this.count, this.more), this.faces, this.bid, h("div", { class: "dice-calls" }, this.liar, this.spotOn));
  readonly el = h("div", { class: "dice-turn" }, this.form, this.ready);
  private readonly group = uniqueID("face");
  private choice: Choice = { count: 1, face: 2 };
  private view?: DiceView;
  private turn = "";
  private seat = -1;
  private sent = false;

  constructor(private readonly act: (action: DiceAction) => Promise<void>) {
    this.ready.addEventListener("click", () => this.send({ ready: this.ready.dataset["on"] === undefined }));
  }

  show(v: DiceView, me: number): void {
    [this.view, this.seat] = [v, me];
    const p = v.players[me];
    const inPlay = p !== undefined && !p.left && v.status === "bidding" && p.dice > 0;
    set(this.form, "hidden", !inPlay);
    this.showReady(v, me);
    if (inPlay) this.showTurn(v);
  }

  private showReady(v: DiceView, me: number): void {
    const p = v.players[me];
    const may = p !== undefined && !p.left && (v.status === "waiting" ? Object.keys(v.players).length > 1 : v.status === "reveal" && p.dice > 0);
    set(this.ready, "hidden", !may);
    set(this.ready, "data-on", p?.ready === true);
    set(this.ready, "aria-pressed", p?.ready ? "true" : "false");
    text(this.ready, p?.ready ? "Waiting for the others" : v.status === "waiting" ? "Start the game" : "Next round");
  }

  // With every bid the choice moves up to what is allowed; a round begins with what one holds.
  private showTurn(v: DiceView): void {
    const turn = `${v.round}/${Object.keys(v.bids ?? {}).length}`;
    if (turn !== this.turn) this.choice = (v.bid && nearest(v, this.choice)) ?? suggest(v) ?? this.choice;
    this.turn = turn;
    this.showBid();
  }

  private showBid(): void {
    const v = this.view;
    if (v?.status !== "bidding") return;
    this.showFaces(v);
    const mine = v.turn === this.seat;
    const off = !mine || this.sent;
    this.less.disabled = off || this.choice.count <= fewest(v, this.choice.face);
    this.more.disabled = off || this.choice.count >= v.total;
    this.count.disabled = off;
    set(this.count, "min", fewest(v, this.choice.face));
    set(this.count, "max", v.total);
    if (this.count.value !== String(this.choice.count) && document.activeElement !== this.count) this.count.value = String(this.choice.count);
    this.bid.disabled = off || !legal(v, this.choice);
    text(this.bid, `Bid ${amount(this.choice.count, this.choice.face)}`);
    this.liar.disabled = off || !v.bid;
    this.spotOn.disabled = off || !v.bid;
    set(this.spotOn, "hidden", !v.options.spot_on);
    set(this.form, "data-off", !mine);
  }

  private showFaces(v: DiceView): void {
    if (this.faces.childElementCount !== faces(v).length) this.faces.replaceChildren(...faces(v).map((face) => this.face(face)));
    for (const input of this.faces.querySelectorAll("input")) {
      const face = Number(input.value);
      input.checked = face === this.choice.face;
      input.disabled = fewest(v, face) > v.total;
    }
  }

  private face(face: number): HTMLElement {
    const input = h("input", { type: "radio", name: this.group, value: face, "aria-label": amount(2, face).slice(2), class: "quiet", "data-testid": `bid-face-${face}`, change: () => this.wish({ face }) });
    return h("label", { class: "dice-face" }, input, die(face, { silent: true }));
  }

  // What is typed counts at once where it is allowed; else it is put right when the field is left.
  private typed(): void {
    const choice = { ...this.choice, count: Number(this.count.value) };
    if (this.view && legal(this.view, choice)) this.take(choice);
  }

  private wish(w: Partial<Choice>): void {
    const choice = this.view && nearest(this.view, { ...this.choice, ...w });
    this.take(choice ?? this.choice);
    this.count.value = String(this.choice.count);
  }

  private take(choice: Choice): void {
    this.choice = choice;
    this.showBid();
  }

  private submit(e: Event): void {
    e.preventDefault();
    const v = this.view;
    if (v && !this.sent && legal(v, this.choice)) this.send({ bid: this.choice });
  }

  // Buttons rest until the room has answered, so that a double click is one action.
  private send(action: DiceAction): void {
    this.sent = true;
    this.showBid();
    this.act(action).catch(() => undefined).finally(() => { // the shell says why
      this.sent = false;
      this.showBid();
    });
  }
}
