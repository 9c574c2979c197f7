import { set, svg } from "../dom.ts";
import { names, type Kind, type Piece } from "./position.ts";

// Each piece is a few shapes on a field of 100 by 100. "d" is a body, "line" a detail drawn over it, "dot" a
// filled detail (cx, cy, r), "ball" a body of its own.
interface Shape {
  d?: string;
  line?: string;
  ball?: [number, number, number];
  dot?: [number, number, number];
}

const foot: Shape = { d: "M27 79h46c4 0 6 3 6 6v3c0 1-1 2-2 2H23c-1 0-2-1-2-2v-3c0-3 2-6 6-6Z" };

const shapes: Record<Kind, Shape[]> = {
  p: [
    { d: "M41 52c0 13-4 19-13 27h44c-9-8-13-14-13-27Z" },
    foot,
    { ball: [50, 36, 14] },
    { d: "M37 48h26c2 0 3 1 3 2.5s-1 2.5-3 2.5H37c-2 0-3-1-3-2.5s1-2.5 3-2.5Z" },
  ],
  r: [
    { d: "M36 42h28l3 30H33Z" },
    { d: "M33 70h34c3 3 5 5 6 9H27c1-4 3-6 6-9Z" },
    foot,
    { d: "M26 18c0-1 1-2 2-2h8c1 0 2 1 2 2v6h6v-6c0-1 1-2 2-2h8c1 0 2 1 2 2v6h6v-6c0-1 1-2 2-2h8c1 0 2 1 2 2v18l-8 8H34l-8-8Z" },
    { line: "M29 36h42" },
  ],
  n: [
    { d: "M31 79c0-17 17-20 18-33-4 4-10 4-14 9-3 4-8 6-12 3-4-4-3-9 0-14 4-6 5-11 10-17 0-5-1-9 0-14 5 1 8 4 10 7 20 0 33 18 32 59Z" },
    foot,
    { dot: [39, 32, 2.8] },
    { dot: [27.5, 51, 1.8] },
    { line: "M52 27c12 7 16 22 15 44" },
  ],
  b: [
    { d: "M41 63c0 8-4 12-12 16h42c-8-4-12-8-12-16Z" },
    foot,
    { d: "M50 21c12 8 18 19 17 28-1 6-4 10-7 13H40c-3-3-6-7-7-13-1-9 5-20 17-28Z" },
    { d: "M38 60h24c2 0 3 1 3 3s-1 3-3 3H38c-2 0-3-1-3-3s1-3 3-3Z" },
    { ball: [50, 17, 5.5] },
    { line: "M50 34v16M42 42h16" },
  ],
  q: [
    { d: "M33 64h34c0 7 2 11 6 15H27c4-4 6-8 6-15Z" },
    foot,
    { d: "M19 33l13 32h36l13-32-15 15-3-25-13 23-13-23-3 25Z" },
    { ball: [19, 31, 5] },
    { ball: [37, 20, 5] },
    { ball: [63, 20, 5] },
    { ball: [81, 31, 5] },
    { line: "M33 71c11-3 23-3 34 0" },
  ],
  k: [
    { d: "M33 64h34c0 7 2 11 6 15H27c4-4 6-8 6-15Z" },
    foot,
    { d: "M46.5 10h7v7h7v7h-7v10h-7V24h-7v-7h7Z" },
    { d: "M50 42c-2-9-10-13-18-11-10 2-15 11-11 20 3 6 9 9 11 14h36c2-5 8-8 11-14 4-9-1-18-11-20-8-2-16 2-18 11Z" },
    { line: "M50 42v22M33 71c11-3 23-3 34 0" },
  ],
};

/** A picture of a piece. It says nothing to screen readers: what it stands on has the name. */
export function draw(piece: Piece): SVGElement {
  const el = svg("svg", { viewBox: "0 0 100 100", "aria-hidden": "true", focusable: "false" });
  redraw(el, piece);
  return el;
}

/** Makes a picture show another piece. */
export function redraw(el: SVGElement, piece: Piece): void {
  set(el, "class", `piece piece-${piece.side}`);
  set(el, "data-piece", `${piece.side} ${names[piece.kind]}`);
  el.replaceChildren(...shapes[piece.kind].map(shape));
}

function shape(s: Shape): SVGElement {
  if (s.d) return svg("path", { d: s.d, class: "body" });
  if (s.line) return svg("path", { d: s.line, class: "line" });
  const [cx, cy, r] = s.ball ?? s.dot!;
  return svg("circle", { cx, cy, r, class: s.ball ? "body" : "dot" });
}
