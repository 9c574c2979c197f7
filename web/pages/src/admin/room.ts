import { h, refill, text } from "../games/dom.ts";
import { clock, duration } from "../kit/format.ts";
import { button, sleep } from "../kit/load.ts";
import { words } from "../kit/problem.ts";
import { toast } from "../kit/toast.ts";
import { Seen } from "./seen.ts";
import { confirm, events, get, post, Refused, type Inspection, type Member, type RoomEvent } from "./api.ts";

const keptLines = 200;

/** Who keeps the room's log beside its owner, in words. */
function members(r: Inspection): (string | undefined)[] {
  const one = (what: string, m: Member | undefined): string | undefined => m &&
    `${what} ${m.node || m.folder}${!m.linked ? ", not there" : !m.whole ? ", not whole yet" : ""}${m.lag_entries > 0 ? `, ${m.lag_entries} behind for ${m.lag_ms.toFixed(0)} ms` : ""}`;
  const alone = r.members?.alone_ms;
  return [one("standby", r.members?.standby), alone !== undefined && r.phase !== "over" ? `NO STANDBY for ${duration(alone)}` : undefined, one("learner", r.members?.learner)];
}

/** One room: its state through chosen eyes, its seats and queues, its inputs as they come. */
export class RoomPanel {
  private closed = false; // and gone at once, where a finished game lingers
  private due: ReturnType<typeof setTimeout> | undefined; // a look, because something has happened
  private readonly stop = new AbortController();
  private readonly eyes = h("select", { id: "room-as", "data-testid": "room-as", change: () => void this.look() }, h("option", { value: "whole" }, "the whole state"), h("option", { value: "spectator" }, "a spectator"));
  private readonly facts = h("p", { class: "facts", "data-testid": "room-facts" });
  private readonly seats = h("tbody");
  private readonly sessions = h("tbody");
  private readonly seen = new Seen();
  private readonly state = h("pre", { class: "room-state", tabindex: 0, role: "region", "aria-label": "State", "data-testid": "room-state" });
  private readonly lines = h("div", { class: "room-events", tabindex: 0, role: "region", "aria-label": "Live inputs", "data-testid": "room-events" });

  constructor(slot: HTMLElement, private readonly id: string) {
    const act = (label: string, id: string, click: () => void): HTMLElement => {
      const b = button(label, click, "small");
      b.dataset["testid"] = id;
      return b;
    };
    slot.replaceChildren(
      h("h2", { id: "room-title" }, `Room ${id}`),
      this.facts,
      h("p", { class: "actions" }, act("Close the room", "close-room", () => void this.close()), act("Signal", "signal-room", () => void this.signal()), h("a", { class: "button small", href: `inspect/${id}`, "data-testid": "inspect" }, "Inspect"), h("a", { class: "button small", href: "#" }, "Back")),
      h("div", { class: "room-columns" },
        h("div", { class: "stack" },
          table("Seats", ["Seat", "Player", "Online", ""], this.seats),
          table("Sessions", ["Who", "Edge", "Cseq", "Queued", "Bytes", "Lost", "Unanswered"], this.sessions)),
        h("div", { class: "stack" }, h("div", { class: "field" }, h("label", { for: "room-as" }, "State, as seen by"), this.eyes), this.seen.el, this.state),
        h("div", { class: "stack" }, h("h3", {}, "Live inputs"), this.lines)));
    slot.hidden = false;
    void this.poll();
    void this.follow();
  }

  end(): void {
    clearTimeout(this.due);
    this.seen.end();
    this.stop.abort();
  }

  private async poll(): Promise<void> {
    try {
      for (;; await sleep(2000, this.stop.signal)) if (!document.hidden && !(await this.look())) return;
    } catch {
      // the panel was closed
    }
  }

  /** Reports whether the room is still there. */
  private async look(): Promise<boolean> {
    if (this.closed) return false;
    const [as, player] = this.eyes.value.startsWith("player:") ? ["player", this.eyes.value.slice(7)] : [this.eyes.value, ""];
    const q = new URLSearchParams(player ? { as, player } : { as });
    try {
      this.show(await get<Inspection>(`/admin/v1/rooms/${this.id}?${q}`, this.stop.signal), player);
      return true;
    } catch (err) {
      if (this.stop.signal.aborted) return false;
      text(this.facts, words(err));
      return !(err instanceof Refused && err.status === 404);
    }
  }

  private show(r: Inspection, player = ""): void {
    text(this.facts, [`${r.game}, ${r.phase}`, r.name, `owner ${r.node}`, ...members(r), `epoch ${r.epoch}`, `index ${r.index}, committed ${r.commit}`, `room time ${clock(r.time_ms)}`,
      r.code && `code ${r.code}`, `waiting: ${r.queues.mailbox} in the mailbox, ${r.queues.pending} for the journal, ${r.queues.held} for commit`, r.late_ticks > 0 && `${r.late_ticks} ticks left out`, r.still && `STANDS STILL: ${r.still}`].filter(Boolean).join(" · "));
    refill(this.seats, r.seats.map((s) => h("tr", { "data-testid": "seat", "data-player": s.player },
      h("td", {}, String(s.seat)), h("th", { scope: "row" }, s.name || s.player, h("span", { class: "spread" }, ` ${s.player}`)), h("td", {}, s.online ? "yes" : "no"),
      h("td", {}, this.kicker(s.player, s.name || s.player)))));
    const named = (player = ""): string => r.seats.find((s) => s.player === player)?.name || player;
    refill(this.sessions, r.queues.sessions.map((s) => h("tr", { "data-testid": "session" },
      h("th", { scope: "row", title: s.player }, s.spectator ? "a spectator" : named(s.player)),
      ...[s.edge, s.cseq, `${s.queue.messages}${s.queue.behind ? ", behind" : ""}`, s.queue.bytes, s.queue.lost, s.queue.unanswered].map((v) => h("td", {}, String(v))))));
    const there = [...this.eyes.options].map((o) => o.value);
    for (const s of r.seats) if (!there.includes(`player:${s.player}`)) this.eyes.append(h("option", { value: `player:${s.player}` }, s.name || s.player));
    this.seen.show(r, player);
    text(this.state, r.unavailable ? `There is no state: ${r.unavailable}` : JSON.stringify(r.state, null, 2));
  }

  private kicker(player: string, name: string): HTMLElement {
    const b = button("Kick", () => void this.kick(player, name), "small");
    b.dataset["testid"] = "kick";
    b.setAttribute("aria-label", `Kick ${name}`);
    return b;
  }

  /** Follows the room's inputs, again when the room has moved or the stream broke off. */
  private async follow(): Promise<void> {
    while (!this.stop.signal.aborted) {
      let over = false;
      try {
        await events(`/admin/v1/rooms/${this.id}/events`, (e) => {
          this.line(e);
          over ||= e.type === "over";
          this.closed ||= e.end === "closed";
        }, this.stop.signal);
      } catch (err) {
        if (this.stop.signal.aborted || (err instanceof Refused && err.status === 404)) return;
      }
      if (over) return;
      await sleep(2000, this.stop.signal).catch(() => undefined);
    }
  }

  private line(e: RoomEvent): void {
    const told = e.type === "input" ? `${e.index} ${e.kind} ${e.player ?? ""} ${said(e)} (committed ${e.commit})`
      : e.type === "missed" ? `… ${e.missed} inputs left out: this page was too slow`
      : e.type === "over" ? `over: ${e.end}`
      : e.type === "moved" ? "the room has moved"
      : `watching from ${e.index}`;
    this.lines.prepend(h("div", { "data-testid": "event", "data-type": e.type, "data-kind": e.kind, "data-player": e.player }, told));
    while (this.lines.children.length > keptLines) this.lines.lastElementChild!.remove();
    this.due ??= setTimeout(() => {
      this.due = undefined;
      void this.look();
    }, 250);
  }

  private async act(what: string, body: unknown, done: string): Promise<void> {
    try {
      await post(`/admin/v1/rooms/${this.id}/${what}`, body);
      toast(done, "good");
      if (what !== "close") await this.look();
    } catch (err) {
      toast(words(err), "bad");
    }
  }

  private async close(): Promise<void> {
    const reason = await confirm("Close this room?", "It ends for good. Its players read the reason.", "Close the room", "Reason");
    if (reason !== undefined) await this.act("close", { reason }, "The room is closed.");
  }

  private async kick(player: string, name: string): Promise<void> {
    if ((await confirm(`Kick ${name}?`, "The seat is taken away for good.", "Kick")) !== undefined) await this.act("kick", { player }, `${name} is out.`);
  }

  private async signal(): Promise<void> {
    const name = await confirm("Send the game a signal", "What signals there are is the game's own affair.", "Send", "Signal");
    if (name) await this.act("signal", { name }, "The game took it.");
  }
}

/** What an input said, and what became of it. */
function said(e: RoomEvent): string {
  const data = e.data ?? "";
  const more = (e.bytes ?? 0) - new TextEncoder().encode(data).length;
  return [data, more > 0 && `${data ? "… and " : ""}${more} ${data ? "more " : ""}bytes`, e.code && `refused: ${e.code}`].filter(Boolean).join(" ");
}

function table(title: string, heads: string[], body: HTMLElement): HTMLElement {
  return h("div", { class: "table-scroll", tabindex: 0, role: "region", "aria-label": title }, h("h3", {}, title),
    h("table", { class: "list" }, h("thead", {}, h("tr", {}, ...heads.map((w) => (w ? h("th", { scope: "col" }, w) : h("td"))))), body));
}
