import type { Square } from "./position.ts";

/** How a drag asks for its piece and says what became of it. */
export interface DragHandler {
  /** The piece on a square, if it can be moved. */
  take(square: Square): SVGElement | undefined;
  lift(square: Square): void;
  /** The piece was let go on a square, or outside. */
  drop(from: Square, to: Square | undefined): void;
}

/** A press that travels further than this is a drag, in CSS pixels. */
const slack = 5;

/** Dragging with mouse, pen or finger. A press that does not travel stays a click. */
export class Drag {
  private held?: { id: number; from: Square; piece: SVGElement; x: number; y: number; lifted: boolean };
  private endedAt = -Infinity;
  private readonly stop = new AbortController();

  constructor(private readonly grid: HTMLElement, private readonly handler: DragHandler) {
    const on = (name: "pointerdown" | "pointermove" | "pointerup" | "pointercancel", f: (e: PointerEvent) => void) =>
      grid.addEventListener(name, f, { signal: this.stop.signal });
    on("pointerdown", (e) => this.press(e));
    on("pointermove", (e) => this.move(e));
    on("pointerup", (e) => this.release(e, this.squareAt(e)));
    on("pointercancel", (e) => this.release(e, undefined));
  }

  /** Whether a click now is only the end of a drag. */
  justEnded(): boolean {
    return performance.now() - this.endedAt < 50;
  }

  private press(e: PointerEvent): void {
    const cell = e.target instanceof Element ? e.target.closest<HTMLElement>("[data-square]") : null;
    const from = cell?.dataset["square"];
    const piece = from && e.button === 0 && e.isPrimary ? this.handler.take(from) : undefined;
    if (!from || !piece) return;
    this.held = { id: e.pointerId, from, piece, x: e.clientX, y: e.clientY, lifted: false };
    // A finger's press captures the pointer by itself, to the square: let go, or the board never hears of the move.
    if (cell!.hasPointerCapture(e.pointerId)) cell!.releasePointerCapture(e.pointerId);
  }

  private move(e: PointerEvent): void {
    const held = this.held;
    if (!held || held.id !== e.pointerId) return;
    if (!held.lifted) {
      if (Math.hypot(e.clientX - held.x, e.clientY - held.y) < slack) return;
      held.lifted = true;
      this.grid.setPointerCapture(e.pointerId);
      held.piece.classList.add("dragging");
      this.handler.lift(held.from);
    }
    this.follow(held.piece, e);
  }

  private follow(piece: SVGElement, e: PointerEvent): void {
    const box = this.grid.getBoundingClientRect();
    const half = box.width / 16;
    piece.style.setProperty("transform", `translate(${e.clientX - box.left - half}px, ${e.clientY - box.top - half}px)`);
    this.hover(this.squareAt(e));
  }

  private hover(square: Square | undefined): void {
    for (const cell of this.grid.querySelectorAll("[data-over]")) cell.removeAttribute("data-over");
    if (square) this.grid.querySelector(`[data-square="${square}"]`)?.setAttribute("data-over", "");
  }

  private squareAt(e: PointerEvent): Square | undefined {
    for (const el of document.elementsFromPoint(e.clientX, e.clientY)) {
      const cell = el.closest<HTMLElement>("[data-square]");
      if (cell && this.grid.contains(cell)) return cell.dataset["square"];
    }
    return undefined;
  }

  private release(e: PointerEvent, to: Square | undefined): void {
    const held = this.held;
    if (!held || held.id !== e.pointerId) return;
    this.held = undefined;
    if (!held.lifted) return;
    this.endedAt = performance.now();
    held.piece.classList.remove("dragging");
    this.hover(undefined);
    this.handler.drop(held.from, to);
  }

  /** Forgets a piece that has left the board under the pointer. */
  settle(): void {
    if (this.held && !this.held.piece.isConnected) {
      this.hover(undefined);
      this.held = undefined;
    }
  }

  dispose(): void {
    this.stop.abort();
  }
}
