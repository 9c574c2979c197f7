import { h, refill } from "../games/dom.ts";
import { count, since } from "../kit/format.ts";
import { button } from "../kit/load.ts";
import type { Outbox } from "./api.ts";

/** Lists the events that no target has taken and that were given up, each with a button to try again. */
export function showOutbox(section: HTMLElement, slot: HTMLElement, outbox: Outbox, replay: (id: number) => void): void {
  section.hidden = outbox.targets.length === 0;
  refill(slot, [
    h("ul", { class: "facts" }, ...outbox.targets.map((t) => h("li", { "data-testid": "outbox-target", "data-target": t.target },
      [`${t.target}: ${t.waiting} waiting`, t.waiting > 0 && `the oldest for ${(t.oldest_ms / 1000).toFixed(0)} s`, `${t.delivered} delivered`, `${t.failed} failed`].filter(Boolean).join(", ")))),
    ...(outbox.events.length === 0 ? [] : [failed(outbox, replay)])]);
}

function failed(outbox: Outbox, replay: (id: number) => void): HTMLElement {
  const again = (id: number, event: string): HTMLElement => {
    const b = button("Replay", () => replay(id), "small");
    b.dataset["testid"] = "replay-event";
    b.setAttribute("aria-label", `Replay ${event}`);
    return b;
  };
  const title = `${count(outbox.events.length, "event")} failed${outbox.next ? ", and more" : ""}`;
  return h("div", { class: "table-scroll", tabindex: 0, role: "region", "aria-label": title }, h("h3", {}, title),
    h("table", { class: "list" }, h("thead", {}, h("tr", {}, ...["Event", "Target", "Since", "Tries", "Error", "Again"].map((w) => h("th", { scope: "col" }, w)))),
      h("tbody", {}, ...outbox.events.map((e) => h("tr", { "data-testid": "failed-event" }, h("th", { scope: "row" }, e.event),
        ...[e.target, since(e.settled ?? e.at), String(e.tries), e.error ?? ""].map((w) => h("td", {}, w)), h("td", {}, again(e.id, e.event)))))));
}
