import { Board } from "./chess/board.ts";
import { Faces } from "./chess/faces.ts";
import { options } from "./chess/options.ts";
import { Panel } from "./chess/panel.ts";
import { after, lastSAN, plies, spoken } from "./chess/position.ts";
import { other, title, type ChessAction, type ChessView, type Side } from "./chess/view.ts";
import { h } from "./dom.ts";
import type { GameUI, Table } from "roomring";

/** Chess: a board to click, drag and type on, clocks, the score sheet and offers. */
const chess: GameUI<ChessView, ChessAction> = {
  title: "Chess",
  mount(el, table) {
    const game = new Game(el, table);
    return () => game.dispose();
  },
  options,
};

export default chess;

/** A move of this player's that the room has not confirmed. */
interface Pending {
  uci: string;
  before: string;
  after: string;
}

class Game {
  private readonly board = new Board((uci) => this.move(uci));
  private readonly faces: Faces;
  private readonly panel: Panel;
  private readonly root: HTMLElement;
  private readonly stop: (() => void)[];
  private pending?: Pending;
  private seen?: ChessView;
  private turned?: Side;

  constructor(el: HTMLElement, private readonly table: Table<ChessView, ChessAction>) {
    this.faces = new Faces(table);
    this.panel = new Panel((action) => this.act(action), () => this.flip(), table.act !== undefined);
    this.root = h("div", { class: "game chess" },
      h("div", { class: "chess-main" }, this.faces.top, this.board.el, this.faces.bottom),
      this.panel.el);
    el.replaceChildren(this.root);
    this.stop = [
      table.onView((v) => this.show(v)),
      table.onEvent((e) => {
        if (e.name === "declined") this.declined(e.data);
      }),
    ];
    this.show(table.view());
  }

  private show(v: ChessView): void {
    if (!v?.fen) return; // the first view is still on its way
    this.announce(v);
    this.seen = v;
    if (this.pending && v.fen !== this.pending.before) this.pending = undefined;
    this.draw();
  }

  private draw(): void {
    const v = this.seen!;
    const mine = sideOf(v, this.table.me.player);
    const bottom = this.turned ?? mine ?? "white";
    if (bottom !== this.board.side) this.board.turn(bottom);
    this.board.show({
      fen: this.pending?.after ?? v.fen,
      last: this.pending?.uci ?? v.last,
      check: v.check && !this.pending ? v.turn : undefined,
      movable: this.table.act && v.status === "playing" && !this.pending ? mine : undefined,
    });
    this.faces.show(v, bottom);
    this.panel.show(v, mine);
  }

  private announce(v: ChessView): void {
    const was = this.seen;
    if (!was) return;
    const [before, now] = [lastSAN(was.moves), lastSAN(v.moves)];
    const back = plies(v.moves) < plies(was.moves);
    if (v.fen === was.fen || (back && !this.table.live)) return;
    if (back) this.table.say("A move was taken back.");
    else if (now !== before || v.turn !== was.turn) this.table.say(`${title(other(v.turn))}: ${spoken(now)}`);
  }

  private declined({ by, offer }: { by: Side; offer: string }): void {
    const words = `${this.seen?.[by]?.name ?? title(by)} declined the ${offer}.`;
    this.panel.notice(words);
    this.table.say(words);
  }

  // Shows the move at once, and takes it back should the room refuse it.
  private move(uci: string): void {
    const v = this.seen!;
    const next = after(v.fen, uci);
    if (!next || !this.table.act) return;
    const mine: Pending = (this.pending = { uci, before: v.fen, after: next });
    this.draw();
    this.table.act({ move: uci }).catch(() => {
      if (this.pending === mine) this.pending = undefined;
      this.draw();
    });
  }

  private act(action: ChessAction): void {
    this.table.act?.(action).catch(() => undefined); // the shell says why
  }

  private flip(): void {
    this.turned = other(this.board.side);
    this.draw();
  }

  dispose(): void {
    this.stop.forEach((f) => f());
    this.faces.dispose();
    this.panel.dispose();
    this.board.dispose();
    this.root.remove();
  }
}

function sideOf(v: ChessView, player: string | undefined): Side | undefined {
  if (player === undefined) return undefined;
  return v.white?.player === player ? "white" : v.black?.player === player ? "black" : undefined;
}
