import type { GameInfo, RoomInfo } from "roomring";
import { h, text } from "../games/dom.ts";
import { count, options, since } from "../kit/format.ts";
import { sleep } from "../kit/load.ts";
import { me, server } from "../kit/me.ts";
import { tablePath } from "./go.ts";

const often = 2_500; // ms between looks while the page is seen
const seldom = 30_000; // and at most, while the server does not answer

/** Keeps the list of rooms up to date: while the page is seen, and less often while the server is away. */
export function followRooms(el: HTMLElement, games: GameInfo[]): void {
  const list = new RoomList(el, new Map(games.map((g) => [g.name, g.title])));
  void follow(list);
}

async function follow(list: RoomList): Promise<never> {
  for (let wait = often; ; await sleep(wait * (0.8 + 0.4 * Math.random()))) {
    await seen();
    try {
      list.show((await server.rooms({ limit: 100 })).rooms);
      wait = often;
    } catch {
      list.stale();
      wait = Math.min(2 * wait, seldom);
    }
  }
}

function seen(): Promise<void> {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => document.addEventListener("visibilitychange", () => resolve(), { once: true }));
}

/** The rooms on the page. A row stays the same element while its room is there, so that focus and clicks are not lost. */
class RoomList {
  private readonly rows = new Map<string, Row>();
  private readonly list = h("ul", { class: "rooms", "data-testid": "open-rooms" });
  private readonly note = h("p", { class: "empty" });

  constructor(private readonly el: HTMLElement, private readonly titles: Map<string, string>) {
    this.el.append(this.note, this.list);
  }

  show(rooms: RoomInfo[]): void {
    this.el.removeAttribute("aria-busy");
    const live = rooms.filter((r) => r.phase !== "over").sort(byInterest).slice(0, 40);
    for (const [id, row] of this.rows) {
      if (live.some((r) => r.id === id)) continue;
      row.el.remove();
      this.rows.delete(id);
    }
    live.forEach((room, i) => this.place(room, i));
    text(this.note, live.length > 0 ? "" : "Nobody is playing right now. Start something: a quick match waits for the next one to come.");
    this.note.hidden = live.length > 0;
  }

  stale(): void {
    this.note.hidden = false;
    text(this.note, "The server does not answer. Trying again…");
  }

  private place(room: RoomInfo, at: number): void {
    const row = this.rows.get(room.id) ?? new Row(room);
    this.rows.set(room.id, row);
    row.show(room, this.titles.get(room.game) ?? room.game);
    if (this.list.children[at] !== row.el) this.list.insertBefore(row.el, this.list.children[at] ?? null);
  }
}

// Why nobody else can sit down; empty if somebody can.
function closed(room: RoomInfo): string {
  if (room.max_players < 2) return "a game for one";
  if (room.players >= room.max_players) return "all seats taken";
  if (!room.open) return room.phase === "waiting" ? "seats are kept" : "has begun";
  return "";
}

// Rooms with a free seat first, then those that most people watch.
function byInterest(a: RoomInfo, b: RoomInfo): number {
  return Number(closed(b) === "") - Number(closed(a) === "") || b.spectators - a.spectators || (b.created ?? "").localeCompare(a.created ?? "");
}

class Row {
  readonly el: HTMLElement;
  private readonly name = h("strong", {});
  private readonly detail = h("span", { class: "room-detail" });
  private readonly people = h("span", { class: "room-people" });
  private readonly way = h("a", { class: "button small" });

  constructor(room: RoomInfo) {
    this.el = h("li", { class: "room-row", "data-testid": "room-row", "data-room": room.id },
      h("span", { class: "room-words" }, this.name, this.detail), this.people, this.way);
  }

  show(room: RoomInfo, title: string): void {
    const mine = room.seats.some((s) => s.player === me.player);
    const why = mine ? "" : closed(room);
    const way = mine ? "Go back" : why ? "Watch" : "Join";
    this.el.dataset["open"] = String(!mine && !why);
    text(this.name, room.name || title);
    text(this.detail, [room.name ? title : "", options(room.options), room.seats.map((s) => s.name).join(", "), room.created ? since(room.created) : ""].filter(Boolean).join(" · "));
    text(this.people, [`${room.players}/${room.max_players}`, why, room.spectators > 0 ? count(room.spectators, "watching", "watching") : ""].filter(Boolean).join(" · "));
    this.way.href = tablePath(room, why !== "");
    text(this.way, way);
    this.way.setAttribute("aria-label", `${way}: ${room.name || title}`);
  }
}
