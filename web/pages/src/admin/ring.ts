import { h, svg } from "../games/dom.ts";
import { button } from "../kit/load.ts";
import type { Ring } from "./api.ts";

const kinds = 8;
const radius = 84;

const met: string[] = []; // nodes in the order in which this page met them

/** A node's colour class: the same everywhere on the page, for as long as it is open. */
export function colourOf(name: string): string {
  let i = met.indexOf(name);
  if (i < 0) i = met.push(name) - 1;
  return `node-${i % kinds}`;
}

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

const at = (fraction: number, r: number): [number, number] => [110 + r * Math.sin(2 * Math.PI * fraction), 110 - r * Math.cos(2 * Math.PI * fraction)];

/** The ring as a picture, with a mark where an id is. */
function picture(ring: Ring): SVGElement {
  const label = ring.nodes.map((n) => `${n.name} ${percent(n.share)}`).join(", ") || "no nodes";
  const out = svg("svg", { viewBox: "0 0 220 220", class: "ring-picture", role: "img", "aria-label": `The ring: ${label}`, "data-testid": "ring" });
  for (const arc of ring.arcs ?? []) {
    const kind = `ring-arc ${colourOf(arc.node)}`;
    if (arc.to - arc.from > 0.999) {
      out.append(svg("circle", { cx: 110, cy: 110, r: radius, class: kind }));
      continue;
    }
    const [[x0, y0], [x1, y1]] = [at(arc.from, radius), at(arc.to, radius)];
    out.append(svg("path", { d: `M${x0} ${y0}A${radius} ${radius} 0 ${arc.to - arc.from > 0.5 ? 1 : 0} 1 ${x1} ${y1}`, class: kind }));
  }
  if (ring.where) {
    const [[x0, y0], [x1, y1]] = [at(ring.where.place, radius - 24), at(ring.where.place, radius + 18)];
    out.append(svg("line", { x1: x0, y1: y0, x2: x1, y2: y1, class: "ring-mark", "data-testid": "ring-mark" }), svg("circle", { cx: x1, cy: y1, r: 5, class: "ring-dot" }));
  }
  return out;
}

/** Draws the ring, its legend, and the search for an id's place. */
export function showRing(slot: HTMLElement, ring: Ring, find: (id: string) => void): void {
  const body = h("div", { class: "ring-body" }, picture(ring), h("div", { class: "stack" },
    h("ul", { class: "ring-legend" }, ...ring.nodes.map((n) =>
      h("li", {}, h("span", { class: `swatch ${colourOf(n.name)}` }), `${n.name} `, h("strong", {}, percent(n.share)), n.zone ? ` · ${n.zone}` : undefined))),
    ring.where ? h("p", { class: "ring-why", "data-testid": "ring-why" }, `${ring.where.id}: ${ring.where.why}`) : undefined));
  if (slot.firstElementChild?.matches(".ring-body")) slot.firstElementChild.replaceWith(body); // what is being typed stays
  else slot.replaceChildren(body, search(find));
}

function search(find: (id: string) => void): HTMLElement {
  const field = h("input", { type: "text", id: "ring-id", placeholder: "0123456789abcdef", autocomplete: "off", spellcheck: "false", "data-testid": "ring-id" });
  const go = button("Find", () => find(field.value.trim()));
  go.type = "submit";
  go.dataset["testid"] = "ring-find";
  return h("form", { class: "field", submit: (e: Event) => e.preventDefault() },
    h("label", { for: "ring-id" }, "Where does a room belong?"), h("div", { class: "inline-form" }, field, go));
}
