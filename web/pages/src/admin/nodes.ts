import { h, refill } from "../games/dom.ts";
import { count, since } from "../kit/format.ts";
import { button } from "../kit/load.ts";
import type { DevNode, Node } from "./api.ts";
import { colourOf, percent } from "./ring.ts";

/** What a button of a node's does. */
export type NodeAct = (node: string, what: "drain" | "kill" | "pause" | "resume" | "start") => void;

/** Shows a card for each node, by name. Buttons beside drain are there where `roomring dev` runs the nodes. */
export function showNodes(slot: HTMLElement, nodes: Node[], dev: DevNode[], act: NodeAct, add: () => void): void {
  const unheard = dev.filter((d) => !nodes.some((n) => n.name === d.node));
  const cards: [string, HTMLElement][] = [
    ...nodes.map((n): [string, HTMLElement] => [n.name, card(n, dev.find((d) => d.node === n.name), act)]),
    ...unheard.map((d): [string, HTMLElement] => [d.node, h("article", { class: "admin-node", "data-node": d.node, "data-process": d.state },
      title(d.node, d.state === "running" ? "starting" : d.state), buttons(d.node, d, act))])];
  cards.sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
  refill(slot, [...cards.map(([, c]) => c), ...(dev.length > 0 ? [adder(add)] : [])]);
}

function adder(add: () => void): HTMLElement {
  const b = button("Add a node", add, "admin-add");
  b.dataset["testid"] = "add-node";
  b.setAttribute("aria-label", "Add a node");
  return b;
}

function title(name: string, state: string): HTMLElement {
  return h("h3", {}, h("span", { class: `swatch ${colourOf(name)}` }), name, h("span", { class: "tag", "data-state": state }, state));
}

const load = (n: Node): HTMLElement =>
  h("p", {}, `${count(n.rooms, "room")} · ${count(n.sessions, "session")}, ${n.remote} in rooms elsewhere · ${percent(n.share)} of the ring`);

const copies = (c: NonNullable<Node["copies"]>): HTMLElement =>
  h("p", { class: "facts", "data-testid": "copies" }, [`${count(c.owned, "room")} with a standby`, c.lone > 0 && `${c.lone} WITHOUT`, c.learners > 0 && `${c.learners} being copied`,
    `keeps ${count(c.followed, "copy", "copies")} for others`, c.partial > 0 && `${c.partial} not whole yet`, c.unsure > 0 && `${c.unsure} in doubt`,
    c.lag_entries > 0 && `standbys at most ${count(c.lag_entries, "input")} and ${c.lag_ms.toFixed(0)} ms behind`].filter(Boolean).join(" · "));

const facts = (n: Node): HTMLElement =>
  h("p", { class: "facts" }, [`weight ${n.weight}`, n.zone && `zone ${n.zone}`, `version ${n.version}`, `started ${since(n.started)}`, `gossip health ${n.gossip_health}`, n.lacks && `lacks ${n.lacks.join(", ")}`].filter(Boolean).join(" · "));

function card(n: Node, dev: DevNode | undefined, act: NodeAct): HTMLElement {
  return h("article", { class: "admin-node", "data-testid": "node", "data-node": n.name, "data-state": n.state, "data-process": dev?.state },
    title(n.name, dev && dev.state !== "running" ? dev.state : n.state),
    ...(n.version ? [load(n), n.copies && copies(n.copies), facts(n)] : []), // one that does not answer says nothing of itself
    n.unready.length > 0 ? h("ul", { class: "admin-unready" }, ...n.unready.map((why) => h("li", {}, why))) : undefined,
    n.links.length > 0 ? h("ul", { class: "facts" }, ...n.links.map((l) => h("li", { class: l.up ? "" : "down" },
      `→ ${l.peer}: ${l.up ? `up${l.via ? ` through ${l.via}` : ""}, ${l.rtt_ms.toFixed(2)} ms, ${l.queued_bytes} bytes queued` : `down${l.error ? `: ${l.error}` : ""}`}${l.reconnects > 0 ? `, ${count(l.reconnects, "reconnect")}` : ""}`))) : undefined,
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
