import { h, set } from "../dom.ts";
import { Drag } from "./drag.ts";
import { draw, redraw } from "./pieces.ts";
import { change, king, label, pieces, promotes, squares, targets, type Kind, type Position, type Square, type Targets } from "./position.ts";
import { choosePromotion } from "./promotion.ts";
import type { Side } from "./view.ts";

/** What a board shows. */
export interface Scene {
  fen: string;
  /** The last move in UCI notation. */
  last?: string;
  /** The side whose king is in check. */
  check?: Side;
  /** The side that may move its pieces here; nobody where one only watches. */
  movable?: Side;
}

const none: Targets = new Map();

/** A board that one plays on by clicking, dragging and the keyboard. */
export class Board {
  readonly el = h("div", { class: "chess-board", "data-testid": "chess-board" });
  private readonly grid = h("div", { class: "chess-squares", role: "grid", "aria-label": "Chess board", keydown: (e: KeyboardEvent) => this.key(e), click: (e: MouseEvent) => this.click(e) });
  private readonly layer = h("div", { class: "chess-pieces", "aria-hidden": "true" });
  private readonly cells = new Map<Square, HTMLElement>();
  private readonly drawn = new Map<Square, SVGElement>();
  private readonly drag: Drag;
  private scene: Scene = { fen: "" };
  private at: Position = new Map();
  private targets: Targets = none;
  private order: Square[] = [];
  private bottom: Side = "white";
  private selected?: Square;
  private focused: Square = "e2";
  private closeChooser?: () => void;

  /** Calls onMove with a legal move in UCI notation. */
  constructor(private readonly onMove: (uci: string) => void) {
    this.el.append(this.grid, this.layer);
    for (const square of squares("white")) this.cells.set(square, this.cell(square));
    this.drag = new Drag(this.grid, {
      take: (square) => (this.targets.has(square) ? this.drawn.get(square) : undefined),
      lift: (square) => this.select(square),
      drop: (from, to) => this.drop(from, to),
    });
    this.turn("white");
  }

  private cell(square: Square): HTMLElement {
    const dark = (square.charCodeAt(0) + Number(square[1])) % 2 === 0;
    return h("div", { class: dark ? "square dark" : "square light", role: "gridcell", "data-square": square, tabindex: -1 });
  }

  /** Turns the board so that a side's pieces stand at the bottom. */
  turn(bottom: Side): void {
    this.bottom = bottom;
    this.order = squares(bottom);
    set(this.el, "data-bottom", bottom);
    const rows = Array.from({ length: 8 }, (_, y) => h("div", { role: "row" }, ...this.order.slice(y * 8, y * 8 + 8).map((s, x) => this.corner(s, x, y))));
    this.grid.replaceChildren(...rows);
    for (const [square, el] of this.drawn) this.place(el, square);
    this.show(this.scene);
  }

  private corner(square: Square, x: number, y: number): HTMLElement {
    const cell = this.cells.get(square)!;
    set(cell, "data-file", y === 7 && square[0]!);
    set(cell, "data-rank", x === 0 && square[1]!);
    return cell;
  }

  show(scene: Scene): void {
    const now = pieces(scene.fen);
    if (scene.fen !== this.scene.fen || scene.movable !== this.scene.movable) this.reset(scene);
    this.animate(now, scene.last);
    [this.scene, this.at] = [scene, now];
    this.drag.settle();
    this.mark();
  }

  private reset(scene: Scene): void {
    this.closeChooser?.();
    const turn = scene.fen.split(" ")[1] === "b" ? "black" : "white";
    this.targets = scene.movable === turn ? targets(scene.fen) : none;
    if (!this.selected || !this.targets.has(this.selected)) this.selected = undefined;
  }

  private animate(now: Position, last?: string): void {
    const { moved, gone, come } = change(this.at, now, last);
    const moving = moved.map(([from, to]) => [this.drawn.get(from)!, to] as const);
    for (const square of [...gone, ...moved.map(([from]) => from)]) {
      if (gone.includes(square)) this.drawn.get(square)!.remove();
      this.drawn.delete(square);
    }
    for (const [el, to] of moving) {
      redraw(el, now.get(to)!);
      this.put(el, to);
    }
    for (const square of come) {
      const el = draw(now.get(square)!);
      this.layer.append(el);
      this.put(el, square);
    }
  }

  private put(el: SVGElement, square: Square): void {
    this.drawn.set(square, el);
    this.place(el, square);
  }

  private place(el: SVGElement, square: Square): void {
    const i = this.order.indexOf(square);
    el.style.setProperty("transform", `translate(${(i % 8) * 100}%, ${Math.floor(i / 8) * 100}%)`);
  }

  // Writes everything a square shows or says.
  private mark(): void {
    const checked = this.scene.check && king(this.at, this.scene.check);
    const goals = this.selected ? this.targets.get(this.selected) : undefined;
    for (const [square, cell] of this.cells) {
      const goal = goals?.has(square) ?? false;
      const piece = this.at.get(square);
      set(cell, "aria-label", label(square, piece) + (square === checked ? ", in check" : "") + (goal ? ", possible move" : ""));
      set(cell, "aria-selected", square === this.selected ? "true" : undefined);
      set(cell, "data-last", square === this.scene.last?.slice(0, 2) || square === this.scene.last?.slice(2, 4));
      set(cell, "data-check", square === checked);
      set(cell, "data-movable", this.targets.has(square));
      set(cell, "data-goal", goal && (piece ? "capture" : "move"));
      set(cell, "tabindex", square === this.focused ? 0 : -1);
    }
  }

  private select(square: Square | undefined): void {
    this.selected = square && this.targets.has(square) ? square : undefined;
    this.mark();
  }

  private click(e: MouseEvent): void {
    const square = squareOf(e.target);
    if (!square || this.drag.justEnded()) return;
    this.focused = square;
    this.choose(square);
  }

  // The first choice takes a piece, the second says where it goes.
  private choose(square: Square): void {
    const from = this.selected;
    if (from && this.targets.get(from)?.has(square)) this.go(from, square);
    else this.select(square === from ? undefined : square);
  }

  private drop(from: Square, to: Square | undefined): void {
    if (to && this.targets.get(from)?.has(to)) this.go(from, to);
    else {
      const el = this.drawn.get(from);
      if (el) this.place(el, from);
      if (to !== from) this.select(undefined);
    }
  }

  private async go(from: Square, to: Square): Promise<void> {
    this.select(undefined);
    const become = promotes(this.at, from, to) ? await this.promotion(from, to) : "";
    if (become === undefined) return void this.drop(from, from);
    this.onMove(from + to + become);
  }

  private promotion(from: Square, to: Square): Promise<Kind | undefined> {
    const piece = this.drawn.get(from);
    if (piece) this.place(piece, to);
    const column = this.order.indexOf(to) % 8;
    const { chosen, cancel } = choosePromotion(this.el, this.at.get(from)!.side, column, this.order.indexOf(to) < 8);
    this.closeChooser = cancel;
    return chosen.finally(() => this.focus(to));
  }

  private key(e: KeyboardEvent): void {
    const step = steps[e.key];
    if (step) this.step(step[0], step[1]);
    else if (e.key === "Enter" || e.key === " ") this.choose(this.focused);
    else if (e.key === "Escape") this.select(undefined);
    else return;
    e.preventDefault();
  }

  private step(dx: number, dy: number): void {
    const i = this.order.indexOf(this.focused);
    const [x, y] = [(i % 8) + dx, Math.floor(i / 8) + dy];
    if (x >= 0 && x < 8 && y >= 0 && y < 8) this.focus(this.order[y * 8 + x]!);
  }

  private focus(square: Square): void {
    this.focused = square;
    this.mark();
    this.cells.get(square)!.focus();
  }

  get side(): Side {
    return this.bottom;
  }

  dispose(): void {
    this.closeChooser?.();
    this.drag.dispose();
  }
}

const steps: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** The square that an element is or lies in. */
export function squareOf(target: EventTarget | null): Square | undefined {
  const cell = target instanceof Element ? target.closest<HTMLElement>("[data-square]") : null;
  return cell?.dataset["square"];
}
