import { h, refill } from "../games/dom.ts";
import { since } from "../kit/format.ts";
import type { Aside, Node } from "./api.ts";

/** Lists the rooms that nodes keep and do not serve: those that they cannot run, and those that were set aside. */
export function showKept(section: HTMLElement, slot: HTMLElement, nodes: Node[], aside: { rooms: Aside[]; partial?: boolean }): void {
  const held = nodes.flatMap((n) => (n.held ?? []).map((r) => ({ ...r, node: n.name })));
  section.hidden = held.length + aside.rooms.length === 0 && !aside.partial;
  refill(slot, [
    ...table("Held until a program comes that can run them", ["Room", "Game", "Node", "Why"], "held",
      held.map((r) => [r.room, r.game, r.node, r.why])),
    ...table("Set aside: roomring admin fetch, replay and restore take a copy's name", ["Copy", "Room", "Since", "Index", "Bytes", "Why"], "aside",
      aside.rooms.map((r) => [`${r.node}/${r.key}`, r.room, since(r.at), String(r.index), String(r.bytes), r.reason])),
    ...(aside.partial ? [h("p", { class: "hint" }, "A node did not answer in time: copies may be missing.")] : [])]);
}

function table(title: string, heads: string[], kind: string, rows: string[][]): HTMLElement[] {
  if (rows.length === 0) return [];
  return [h("div", { class: "table-scroll", tabindex: 0, role: "region", "aria-label": title }, h("h3", {}, title),
    h("table", { class: "list" }, h("thead", {}, h("tr", {}, ...heads.map((w) => h("th", { scope: "col" }, w)))),
      h("tbody", {}, ...rows.map(([first, ...rest]) =>
        h("tr", { "data-testid": kind }, h("th", { scope: "row" }, first), ...rest.map((w) => h("td", {}, w)))))))];
}
