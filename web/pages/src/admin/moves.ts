import { h, still, svg } from "../games/dom.ts";
import { count } from "../kit/format.ts";
import type { Node } from "./api.ts";
import { colourOf } from "./ring.ts";

/** Rooms that went from one node to another since the last look. */
export interface Move { from: string; to: string; seized: number; yielded: number }

/** Compares what the nodes say that they have taken on with what they said before. The first look at a process shows nothing. */
export class Counted {
  private readonly was = new Map<string, Map<string, { seized: number; yielded: number }>>(); // by process

  since(nodes: Pick<Node, "name" | "boot" | "taken" | "version">[]): Move[] {
    const moves: Move[] = [];
    for (const n of nodes) {
      if (!n.version) continue; // it does not answer
      const before = this.was.get(n.boot);
      const now = new Map((n.taken ?? []).map((t) => [t.from, t]));
      this.was.set(n.boot, now);
      if (!before) continue;
      for (const [from, t] of now) {
        const seized = t.seized - (before.get(from)?.seized ?? 0);
        const yielded = t.yielded - (before.get(from)?.yielded ?? 0);
        if (seized > 0 || yielded > 0) moves.push({ from, to: n.name, seized, yielded });
      }
    }
    return moves;
  }
}

/** Says a move for people. */
export function say(m: Move): string {
  const parts = [m.seized > 0 && `${m.to} took over ${count(m.seized, "room")} of ${m.from}, which did not answer`,
    m.yielded > 0 && `${m.from} handed ${count(m.yielded, "room")} over to ${m.to}`];
  return parts.filter(Boolean).join("; ") + ".";
}

const shown = 12_000; // ms that a picture stays
const most = 8; // dots of one move
const gap = 120; // between two nodes

/** Draws rooms on their way, when there are any. */
export class Moves {
  private readonly counted = new Counted();
  private readonly picture = h("div", {});
  private readonly words = h("ul", { class: "facts" });
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly slot: HTMLElement) {
    slot.append(this.picture, h("div", { role: "status", "data-testid": "moves" }, this.words));
  }

  show(nodes: Node[]): void {
    const moves = this.counted.since(nodes);
    if (moves.length === 0) return;
    const names = [...new Set([...nodes.map((n) => n.name), ...moves.map((m) => m.from)])].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    this.picture.replaceChildren(draw(names, moves));
    this.words.replaceChildren(...moves.map((m) => h("li", {}, say(m))));
    this.slot.hidden = false;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.slot.hidden = true), shown);
  }
}

/** Nodes in a row, with an arc for each move and dots that run along it once. */
function draw(names: string[], moves: Move[]): SVGElement {
  const x = (name: string): number => gap / 2 + gap * names.indexOf(name);
  const out = svg("svg", { viewBox: `0 0 ${gap * names.length} 130`, class: "moves-picture", role: "img", "aria-label": moves.map(say).join(" ") });
  for (const m of moves) {
    const [a, b] = [x(m.from), x(m.to)];
    const path = `M${a} 86Q${(a + b) / 2} ${86 - Math.min(140, Math.abs(b - a))} ${b} 86`;
    out.append(svg("path", { d: path, class: `moves-way ${colourOf(m.to)}` }));
    if (still()) continue;
    for (let i = 0; i < Math.min(most, m.seized + m.yielded); i++) {
      out.append(svg("circle", { r: 6, cx: -20, cy: -20, class: colourOf(m.to) }, // it waits out of sight
        svg("animateMotion", { path: `M${a + 20} 106Q${(a + b) / 2 + 20} ${106 - Math.min(140, Math.abs(b - a))} ${b + 20} 106`, dur: "1.4s", begin: `${(i * 0.25).toFixed(2)}s`, repeatCount: 3 })));
    }
  }
  for (const name of names) {
    out.append(svg("circle", { cx: x(name), cy: 86, r: 13, class: `moves-node ${colourOf(name)}` }),
      svg("text", { x: x(name), y: 120, class: "moves-name" }, name));
  }
  return out;
}
