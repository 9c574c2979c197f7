import { h } from "../dom.ts";
import { draw } from "./pieces.ts";
import { names, promotions, type Kind } from "./position.ts";
import type { Side } from "./view.ts";

/** Asks over the board what a pawn becomes. Escape, a click beside it or cancel answer nothing. */
export function choosePromotion(board: HTMLElement, side: Side, column: number, top: boolean): { chosen: Promise<Kind | undefined>; cancel: () => void } {
  let answer!: (kind: Kind | undefined) => void;
  const chosen = new Promise<Kind | undefined>((resolve) => (answer = resolve));
  const choices = promotions.map((kind) => choice(side, kind, answer));
  const list = h("div", { class: "chess-promotion-list", role: "group", "aria-label": "Promote to" }, ...choices);
  list.style.setProperty("left", `${column * 12.5}%`);
  list.style.setProperty(top ? "top" : "bottom", "0");
  const veil = h("div", { class: "chess-promotion", "data-testid": "promotion", click: (e: MouseEvent) => {
    if (e.target === veil) answer(undefined);
  }, keydown: (e: KeyboardEvent) => {
    if (e.key === "Escape") answer(undefined);
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[e.key];
    if (step) choices.at((choices.indexOf(document.activeElement as HTMLButtonElement) + step) % choices.length)?.focus();
  } }, list);
  board.append(veil);
  choices[0]!.focus();
  return { chosen: chosen.finally(() => veil.remove()), cancel: () => answer(undefined) };
}

function choice(side: Side, kind: Kind, answer: (kind: Kind) => void): HTMLButtonElement {
  return h("button", { type: "button", "aria-label": names[kind], "data-promote": kind, click: () => answer(kind) }, draw({ kind, side }));
}
