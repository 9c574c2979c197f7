import { h, set, text } from "../dom.ts";
import { halfMove, plies, rows } from "./position.ts";
import { other, title, type ChessAction, type ChessView, type Side } from "./view.ts";

/** What stands beside the board: the state of play, the score sheet, offers and what one can do. */
export class Panel {
  private readonly status = h("p", { class: "chess-status", "data-testid": "status" });
  private readonly offer = h("div", { class: "chess-offer", role: "group", "aria-label": "Offer", hidden: true, "data-testid": "offer" });
  private readonly sheet = new Sheet();
  private readonly buttons = h("div", { class: "chess-buttons", role: "group", "aria-label": "Game" });
  readonly el = h("section", { class: "chess-panel", "aria-label": "Game" }, this.status, this.sheet.el, this.offer, this.buttons);
  private said?: ReturnType<typeof setTimeout>;
  private resigning = false;
  private drawn = "";
  private view?: ChessView;
  private mine?: Side;

  constructor(private readonly act: (action: ChessAction) => void, private readonly flip: () => void, private readonly plays: boolean) {}

  show(v: ChessView, mine: Side | undefined): void {
    [this.view, this.mine] = [v, this.plays ? mine : undefined];
    if (v.status !== "playing") this.resigning = false;
    if (v.status === "over") this.forget();
    if (!this.said) text(this.status, statusOf(v, mine));
    this.sheet.show(v);
    this.controls();
  }

  /** Shows words in place of the status for a moment. */
  notice(words: string): void {
    this.forget();
    text(this.status, words);
    this.said = setTimeout(() => {
      this.said = undefined;
      if (this.view) text(this.status, statusOf(this.view, this.mine));
    }, 4000);
  }

  private forget(): void {
    clearTimeout(this.said);
    this.said = undefined;
  }

  dispose(): void {
    this.forget();
  }

  // Buttons are made anew only when which ones there are changes, so that the focus stays on them.
  private controls(): void {
    const [v, mine] = [this.view!, this.mine];
    const key = JSON.stringify([v.status, mine, v.draw_offer, v.takeback_offer, v.claim, v.takeback, this.resigning, hasMoved(v, mine)]);
    if (key === this.drawn) return;
    this.drawn = key;
    this.offers(v, mine);
    const had = document.activeElement instanceof HTMLElement && this.buttons.contains(document.activeElement) ? document.activeElement.dataset["action"] : undefined;
    this.buttons.replaceChildren(...this.actions(v, mine));
    if (had) (this.buttons.querySelector<HTMLElement>(`[data-action="${had}"]`) ?? this.buttons.querySelector<HTMLElement>("button"))?.focus();
  }

  private actions(v: ChessView, mine: Side | undefined): HTMLElement[] {
    const flip = button("flip", "Flip board", () => this.flip());
    if (!mine || v.status !== "playing") return [flip];
    if (this.resigning) return this.confirmation();
    const draw = v.claim
      ? button("draw-claim", "Claim draw", () => this.act({ draw: "claim" }))
      : button("draw-offer", v.draw_offer === mine ? "Draw offered" : "Offer draw", () => this.act({ draw: "offer" }), v.draw_offer !== undefined);
    const undo = button("takeback-offer", v.takeback_offer === mine ? "Takeback asked" : "Take back", () => this.act({ takeback: "offer" }), v.takeback_offer !== undefined || !hasMoved(v, mine));
    return [draw, ...(v.takeback ? [undo] : []), button("resign", "Resign", () => this.resign(true)), flip];
  }

  private confirmation(): HTMLElement[] {
    const yes = button("resign-confirm", "Yes, resign", () => {
      this.act({ resign: true });
      this.resign(false);
    });
    yes.classList.add("danger");
    return [h("span", { class: "chess-sure" }, "Resign this game?"), yes, button("resign-cancel", "Play on", () => this.resign(false))];
  }

  private resign(asking: boolean): void {
    this.resigning = asking;
    this.controls();
    this.buttons.querySelector<HTMLElement>(asking ? "[data-action=resign-cancel]" : "[data-action=resign]")?.focus();
  }

  private offers(v: ChessView, mine: Side | undefined): void {
    const what = v.takeback_offer ? "takeback" : v.draw_offer ? "draw" : undefined;
    const by = v.takeback_offer ?? v.draw_offer;
    set(this.offer, "hidden", !what || !by || v.status !== "playing" || by === mine);
    if (!what || !by) return this.offer.replaceChildren();
    const words = h("p", {}, what === "draw" ? `${nameOf(v, by)} offers a draw.` : takeback(v, by));
    const answer = (a: "accept" | "decline"): ChessAction => (what === "draw" ? { draw: a } : { takeback: a });
    this.offer.replaceChildren(words, ...(mine === other(by)
      ? [button(`${what}-accept`, "Accept", () => this.act(answer("accept"))), button(`${what}-decline`, "Decline", () => this.act(answer("decline")))]
      : []));
  }
}

function takeback(v: ChessView, by: Side): string {
  const move = v.takeback_ply ? halfMove(v.moves ?? {}, v.takeback_ply) : "";
  return `${nameOf(v, by)} asks to take ${move || "a move"} back${move ? ", and what was played since" : ""}.`;
}

/** The moves in two columns. */
class Sheet {
  private readonly body = h("tbody");
  readonly el = h("div", { class: "chess-sheet", role: "region", "aria-label": "Moves", tabindex: 0, "data-testid": "moves" },
    h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Move"), h("th", { scope: "col" }, "White"), h("th", { scope: "col" }, "Black"))), this.body));
  private lines: string[] = [];

  show(v: ChessView): void {
    const list = rows(v.moves ?? {});
    const lines = list.map((r) => `${r.number} ${r.white} ${r.black}`);
    const keep = lines.findIndex((line, i) => line !== this.lines[i]);
    const from = keep < 0 ? lines.length : keep;
    if (from === lines.length && lines.length === this.lines.length) return;
    while (this.body.rows.length > from) this.body.deleteRow(-1);
    this.body.append(...list.slice(from).map(({ number, white, black }) => h("tr", {}, h("th", { scope: "row" }, `${number}.`), h("td", {}, white), h("td", {}, black))));
    this.lines = lines;
    this.last(list.length > 0 && list.at(-1)!.black === "" ? 1 : 2);
    this.el.scrollTop = this.el.scrollHeight;
  }

  private last(column: number): void {
    this.body.querySelectorAll("[aria-current]").forEach((el) => el.removeAttribute("aria-current"));
    const cell = this.body.rows[this.body.rows.length - 1]?.cells[column];
    if (cell) set(cell, "aria-current", "true");
  }
}

function button(action: string, words: string, click: () => void, disabled = false): HTMLButtonElement {
  return h("button", { type: "button", "data-action": action, disabled, click }, words);
}

const nameOf = (v: ChessView, side: Side): string => v[side]?.name ?? title(side);

function hasMoved(v: ChessView, mine: Side | undefined): boolean {
  return plies(v.moves ?? {}) >= (mine === v.turn ? 2 : 1);
}

/** The state of play in words. */
export function statusOf(v: ChessView, mine?: Side): string {
  if (v.status === "waiting") return "Waiting for the other player";
  if (v.status === "over") return v.result ? `${v.result.score} · ${v.result.summary}` : "The game is over";
  const turn = mine === v.turn ? "Your turn" : mine ? `${nameOf(v, v.turn)} is thinking` : `${title(v.turn)} to move`;
  return v.check ? `${turn} · check` : turn;
}
