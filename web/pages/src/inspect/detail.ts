import { h, refill } from "../games/dom.ts";
import type { Seat } from "../admin/api.ts";
import { exactly, said, type Moment, type View } from "./types.ts";

/** Shows the chosen input: what it said, when, and what it changed for each viewer. */
export function showDetail(slot: HTMLElement, m: Moment): void {
  const e = m.entry;
  const name = (p: string): string => m.seats.find((s) => s.player === p)?.name || p;
  refill(slot, [
    h("h2", {}, `Input ${e.index}: ${e.kind}${e.player ? ` by ${name(e.player)}` : ""}`),
    h("p", { class: "facts", "data-testid": "input-facts" }, [
      `at ${exactly(e.at_ms)} of room time`, `epoch ${e.epoch}`, e.player && `player ${e.player}`, e.seat !== undefined && `seat ${e.seat}`, e.operator && "the operator acted for the player", e.name && `name ${e.name}`, e.reason && `reason ${e.reason}`,
      e.bytes && `a state of ${e.bytes} bytes`, e.outcome === "refused" ? `refused: ${e.code}, ${e.detail}` : e.outcome, m.panic && `the game panicked: ${m.panic}`].filter(Boolean).join(" · ")),
    ...(e.data === undefined ? [] : [h("pre", { class: "inspect-json", tabindex: 0, "aria-label": "Data", "data-testid": "input-data" }, JSON.stringify(e.data, null, 2))]),
    ...(e.outcome === "refused" && e.data === undefined ? [h("p", { class: "hint" }, "What a refused act said need not be in the log.")] : []),
    h("table", { class: "list inspect-patches" },
      h("thead", {}, h("tr", {}, ...["Viewer", "Patch", "Events"].map((w) => h("th", { scope: "col" }, w)))),
      h("tbody", {}, ...["spectator", ...m.seats.map((s) => `player:${s.player}`)].flatMap((viewer) => m.views.filter((v) => v.viewer === viewer)).map((v) => patchRow(v, m.seats))))]);
  slot.title = said(e);
}

function patchRow(v: View, seats: Seat[]): HTMLElement {
  const player = v.viewer.startsWith("player:") ? v.viewer.slice("player:".length) : "";
  const patch = v.unavailable ? v.unavailable : v.patch !== undefined ? JSON.stringify(v.patch) : v.before === undefined ? "the whole view" : "none";
  return h("tr", { "data-testid": "patch", "data-viewer": v.viewer },
    h("th", { scope: "row" }, player ? seats.find((s) => s.player === player)?.name || player : "a spectator"),
    h("td", {}, h("code", {}, patch)),
    h("td", {}, h("code", {}, (v.events ?? []).map((e) => `${e.name} ${JSON.stringify(e.data) ?? ""}`).join("\n"))));
}
