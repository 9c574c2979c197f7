import type { ConnectionState, RoomInfo } from "roomring";
import { h, refill, set, text } from "../games/dom.ts";
import { count, options } from "../kit/format.ts";
import { icon } from "../kit/icons.ts";
import { toast } from "../kit/toast.ts";

const labels: Record<ConnectionState | "over", string> = { connecting: "Connecting…", open: "Live", reconnecting: "Reconnecting…", closed: "Not connected", over: "Cleared" };

/** The strip above a table: what is played, who sits there, who watches, and how the connection is. */
export class Head {
  private readonly name = h("p", { class: "table-name", "data-testid": "room-name" });
  private readonly detail = h("p", { class: "table-detail" });
  private readonly seats = h("ul", { class: "seats", "aria-label": "Seats" });
  private readonly watching = h("span", { class: "pill", "data-testid": "spectators", hidden: true });
  private readonly words = h("span", { class: "pill-words" });
  private readonly ms = h("span", { class: "lag", "data-testid": "lag" });
  private readonly connection = h("span", { class: "pill connection", role: "status", "data-testid": "connection", "data-state": "connecting" }, h("span", { class: "dot" }), this.words);
  private readonly sit = h("a", { class: "button small", "data-testid": "sit", hidden: true }, "Take a seat");
  private readonly share = h("button", { type: "button", class: "button small", "data-testid": "share", hidden: true, click: () => void shareLink(this.path) }, icon("share"), h("span", { class: "label" }, "Share"));
  private path = "";
  private mine: number | undefined; // undefined before one is at the table

  constructor(private readonly el: HTMLElement) {
    el.append(
      h("div", { class: "table-title" }, this.name, this.detail),
      h("div", { class: "table-people" }, this.seats, this.watching),
      h("div", { class: "table-signs" }, h("span", { class: "signal" }, this.connection, this.ms), this.sit, this.share));
    this.state("connecting");
  }

  /** There is nothing to tell of this room. */
  none(): void {
    this.el.hidden = true;
  }

  show(info: RoomInfo, title: string, path: string): void {
    this.path = path;
    this.share.hidden = false;
    this.sit.href = path;
    this.sit.hidden = this.mine !== -1 || !info.open;
    text(this.name, info.name || title);
    text(this.detail, [info.name ? title : "", options(info.options), info.private ? "private" : ""].filter(Boolean).join(" · "));
    document.title = `${info.name || title} · Roomring`;
    text(document.getElementById("title")!, `${info.name || title}: table`);
    this.watching.hidden = info.spectators === 0;
    this.watching.replaceChildren(icon("eye", 16), count(info.spectators, "watching", "watching"));
    this.watching.dataset["count"] = String(info.spectators);
    this.people(info);
  }

  seated(seat: number): void {
    this.mine = seat;
  }

  state(state: ConnectionState | "over"): void {
    set(this.connection, "data-state", state);
    text(this.words, labels[state]);
    this.ms.hidden = state !== "open" || this.ms.textContent === "";
  }

  lag(ms: number): void {
    if (Number.isNaN(ms)) return;
    text(this.ms, `${Math.max(1, Math.round(ms))} ms`);
    this.ms.title = "Round trip to the server";
    this.ms.dataset["slow"] = String(ms > 250);
    this.ms.hidden = this.connection.dataset["state"] !== "open";
  }

  private people(info: RoomInfo): void {
    const free = !info.open ? 0 : Math.min(info.max_players, 8) - info.seats.length;
    const shown = info.seats.slice(0, 8).map((s) => h("li", { class: "seat", "data-testid": "seat", "data-seat": s.seat, "data-online": String(s.online), "data-me": s.seat === this.mine },
      h("span", { class: "dot" }), h("span", { class: "seat-name" }, s.name), s.seat === this.mine ? h("span", { class: "tag" }, "you") : undefined,
      h("span", { class: "quiet" }, s.online ? " is here" : " is away")));
    const rest = info.seats.length - shown.length;
    if (rest > 0) shown.push(h("li", { class: "seat" }, `and ${rest} more`));
    if (free > 0) shown.push(h("li", { class: "seat seat-free", "data-testid": "seat-free" }, free === 1 ? "a free seat" : "free seats"));
    refill(this.seats, shown);
  }
}

/** Hands a link on: by the device's own way where there is one, else by copying. */
export async function shareLink(path: string): Promise<void> {
  const url = new URL(path, location.href).href;
  if (navigator.share && matchMedia("(pointer: coarse)").matches) {
    await navigator.share({ title: document.title, url }).catch(() => undefined);
    return;
  }
  try {
    await navigator.clipboard.writeText(url);
    toast("Link copied.", "good");
  } catch {
    toast(`Copy this link: ${url}`);
  }
}
