import { svg } from "../dom.ts";

const spots: Record<number, [number, number][]> = {
  1: [[50, 50]],
  2: [[28, 28], [72, 72]],
  3: [[26, 26], [50, 50], [74, 74]],
  4: [[28, 28], [72, 28], [28, 72], [72, 72]],
  5: [[27, 27], [73, 27], [50, 50], [27, 73], [73, 73]],
  6: [[29, 25], [71, 25], [29, 50], [71, 50], [29, 75], [71, 75]],
};

/** A die. A wild one shows a star. It says its face, unless what it stands in does. */
export function die(face: number, o: { wild?: boolean; hit?: boolean; miss?: boolean; silent?: boolean } = {}): SVGElement {
  const star = o.wild && face === 1;
  const kind = ["die", star ? "wild" : "", o.hit ? "hit" : "", o.miss ? "miss" : ""].filter(Boolean).join(" ");
  const said = o.silent ? { "aria-hidden": "true" } : { role: "img", "aria-label": star ? "wild one" : String(face) };
  return svg("svg", { viewBox: "0 0 100 100", class: kind, "data-face": face, focusable: "false", ...said },
    svg("rect", { x: 5, y: 5, width: 90, height: 90, rx: 20, class: "die-body" }),
    ...(star ? [svg("path", { d: "M50 18l9.4 21.3 23.1 2.3-17.4 15.4 5.1 22.7L50 67.8 29.8 79.7l5.1-22.7-17.4-15.4 23.1-2.3Z", class: "die-spot" })]
      : (spots[face] ?? []).map(([cx, cy]) => svg("circle", { cx, cy, r: 9.5, class: "die-spot" }))));
}

/** A cup turned over the dice of somebody else. */
export function cup(): SVGElement {
  return svg("svg", { viewBox: "0 0 100 100", class: "cup", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: "M30 14h40c3 0 5 2 6 5l14 62c1 5-2 8-6 8H16c-4 0-7-3-6-8l14-62c1-3 3-5 6-5Z", class: "cup-body" }),
    svg("path", { d: "M20 40h60M15 62h70", class: "cup-band" }),
    svg("path", { d: "M9 80h82", class: "cup-rim" }));
}
