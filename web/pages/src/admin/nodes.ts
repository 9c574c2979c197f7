import { h } from "../games/dom.ts";
import { count, since } from "../kit/format.ts";
import { button } from "../kit/load.ts";
import type { DevNode, Node, Ring } from "./api.ts";
import { colourOf, percent } from "./ring.ts";

/** What a button of a node's does. */
export type NodeAct = (node: string, what: "drain" | "kill" | "pause" | "resume" | "start") => void;

/** Shows a card for each node. Buttons beside drain are there where `roomring dev` runs the nodes. */
export function showNodes(slot: HTMLElement, nodes: Node[], ring: Ring, dev: DevNode[], act: NodeAct, add: () => void): void {
  const stopped = dev.filter((d) => !nodes.some((n) => n.name === d.node));
  slot.replaceChildren(
    ...nodes.map((n) => card(n, ring, dev.find((d) => d.node === n.name), act)),
    ...stopped.map((d) => h("article", { class: "admin-node", "data-node": d.node }, h("h3", {}, d.node, h("span", { class: "tag" }, d.state)), buttons(d.node, d, act))),
    ...(dev.length > 0 ? [button("Add a node", add)] : []));
}

function card(n: Node, ring: Ring, dev: DevNode | undefined, act: NodeAct): HTMLElement {
  return h("article", { class: "admin-node", "data-testid": "node", "data-node": n.name, "data-state": n.state },
    h("h3", {}, h("span", { class: `swatch ${colourOf(n.name, ring)}` }), n.name, h("span", { class: "tag" }, dev && dev.state !== "running" ? dev.state : n.state)),
    h("p", {}, `${count(n.rooms, "room")} · ${count(n.sessions, "session")}, ${n.remote} in rooms elsewhere · ${percent(n.share)} of the ring`),
    h("p", { class: "facts" }, [`weight ${n.weight}`, n.zone && `zone ${n.zone}`, `version ${n.version}`, `up since ${since(n.started)}`, `gossip health ${n.gossip_health}`].filter(Boolean).join(" · ")),
    n.unready.length > 0 ? h("ul", { class: "admin-unready" }, ...n.unready.map((why) => h("li", {}, why))) : undefined,
    n.links.length > 0 ? h("ul", { class: "facts" }, ...n.links.map((l) => h("li", { class: l.up ? "" : "down" },
      `→ ${l.peer}: ${l.up ? `up, ${l.rtt_ms.toFixed(2)} ms, ${l.queued_bytes} bytes queued` : `down${l.error ? `: ${l.error}` : ""}`}${l.reconnects > 0 ? `, ${count(l.reconnects, "reconnect")}` : ""}`))) : undefined,
    buttons(n.name, dev, act));
}

function buttons(node: string, dev: DevNode | undefined, act: NodeAct): HTMLElement {
  const one = (label: string, what: Parameters<NodeAct>[1]): HTMLElement => {
    const b = button(label, () => act(node, what), "small");
    b.dataset["testid"] = what;
    b.setAttribute("aria-label", `${label} ${node}`);
    return b;
  };
  if (!dev) return h("p", { class: "actions" }, one("Drain", "drain"));
  if (dev.state === "stopped") return h("p", { class: "actions" }, one("Start", "start"));
  return h("p", { class: "actions" }, dev.state === "paused" ? one("Resume", "resume") : one("Pause", "pause"), one("Drain", "drain"), one("Kill", "kill"));
}
