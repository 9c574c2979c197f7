import { ClosedError, type Dispose, type GameInfo, type Room, type RoomInfo } from "roomring";
import { tablePath } from "../lobby/go.ts";
import { ask } from "../kit/ask.ts";
import { asMe, me, server } from "../kit/me.ts";
import { mount } from "../kit/mount.ts";
import { words } from "../kit/problem.ts";
import type { LegalActions } from "../plain/legal.ts";
import { schemasOf } from "../plain/schema.ts";
import { say, toast } from "../kit/toast.ts";
import { Banner } from "./banner.ts";
import { Ending } from "./ending.ts";
import { Head } from "./head.ts";
import { Invite } from "./invite.ts";
import { Notices } from "./notices.ts";
import { asTable } from "./table.ts";

/** This page's place at one table: as a player, or as somebody who watches. */
export class Place {
  private readonly watch: boolean;
  private readonly code: string | undefined;
  private readonly head = new Head(at("top"));
  private readonly banner = new Banner(at("banner"));
  private readonly invite = new Invite();
  private readonly ending: Ending;
  private readonly notices: Notices;
  private room: Room | undefined;
  private info: RoomInfo | undefined;
  private game: GameInfo | undefined;
  private dispose: Dispose | undefined;
  private asking: ReturnType<typeof setTimeout> | undefined;
  private asked = 0; // performance.now() of the last answer
  private due = Infinity; // and of the next question

  constructor(private readonly id: string, query: URLSearchParams) {
    this.watch = query.has("watch");
    this.code = query.get("code") ?? undefined;
    this.ending = new Ending(id, (action) => this.act(action));
    this.notices = new Notices(at("notice"), {
      enter: () => this.enter(),
      renew: async () => { await me.renew(); },
      watch: () => location.assign(tablePath({ id, code: this.code }, true)),
      code: (code) => location.assign(tablePath({ id, code }, this.watch)),
    });
  }

  /** Joins or watches; again after a notice, too. */
  async enter(): Promise<void> {
    this.notices.clear();
    this.leave();
    this.head.state("connecting");
    try {
      const [info, games] = await Promise.all([server.room(this.id), server.games()]);
      this.game = games.find((g) => g.name === info.game);
      this.show(info);
      const at = this.code ? { code: this.code } : {};
      await this.sit(this.watches(info) ? await server.spectate(info, at) : await (await asMe()).join(info, at));
    } catch (err) {
      this.failed(err);
    }
  }

  // A finished game has seats only for those who played it.
  private watches(info: RoomInfo): boolean {
    return this.watch || (info.phase === "over" && !info.seats.some((s) => s.player === me.player));
  }

  private async sit(room: Room): Promise<void> {
    this.room = room;
    this.head.seated(room.seat);
    room.on("state", (state, why) => {
      this.head.state(state);
      this.banner.show(state, why, room.spectator);
      if (state === "open") this.ask(0);
    });
    room.on("lag", (ms) => this.head.lag(ms));
    room.on("view", () => this.ask(300, this.game?.tick_rate ? 4_000 : 800));
    room.on("event", (e) => e.name === "rematch" && this.ending.rematch(e.data));
    room.on("over", (over) => this.over(room, over));
    room.on("closed", (err) => this.failed(err));
    this.head.state(room.state);
    this.head.lag(room.lag);
    this.ask(0);
    const table = asTable(room, say, (why) => toast(why, "bad"));
    this.dispose = await mount(at("table"), this.game ?? { name: room.game }, table, {
      legal: () => ask<LegalActions>(`/v1/rooms/${this.id}/legal`),
      action: async () => (await schemasOf(room.game))?.action,
    });
    document.body.dataset["seat"] = String(room.seat);
    if (room.over) this.over(room, room.over);
  }

  private over(room: Room, over: NonNullable<Room["over"]>): void {
    this.invite.hide();
    this.banner.hide();
    this.ending.show(over, !room.spectator && over.end === "finished");
    this.ask(0);
  }

  private failed(err: unknown): void {
    const cleared = err instanceof ClosedError && err.code === 4410;
    this.head.state(cleared ? "over" : "closed");
    this.banner.hide();
    at("table").removeAttribute("aria-busy");
    this.invite.hide();
    if (cleared) return this.cleared(err);
    if (!this.info) this.head.none();
    this.notices.show(err, this.watch);
  }

  // The room has left memory. Who was there may go on looking at it; for others only its end is there.
  private cleared(err: ClosedError): void {
    if (err.over) this.ending.show(err.over, false);
    this.ending.closed();
    if (!this.dispose) this.notices.over(this.id);
  }

  private act(action: unknown): Promise<void> {
    if (!this.room) return Promise.reject(new Error("not at the table"));
    return this.room.act(action).then(() => undefined).catch((err) => {
      toast(words(err), "bad");
      throw err;
    });
  }

  // Asks for seats and spectators: soon, but not sooner than a while after the last time, and now and then from then on.
  private ask(wait: number, pause = 800): void {
    const due = Math.max(performance.now() + wait, this.asked + pause);
    if (due >= this.due) return;
    clearTimeout(this.asking);
    this.due = due;
    this.asking = setTimeout(() => void this.look(), due - performance.now());
  }

  private async look(): Promise<void> {
    this.due = Infinity;
    if (!this.room || this.room.state === "closed") return;
    try {
      if (this.room.state === "open" && !document.hidden) this.show(await server.room(this.id));
    } catch {
      // the connection's state tells already
    }
    this.ask(5_000);
  }

  private show(info: RoomInfo): void {
    this.asked = performance.now();
    this.info = info;
    this.head.show(info, this.game?.title ?? info.game, tablePath({ id: this.id, code: this.code }));
    this.ending.seated(info.seats);
    const waits = info.phase === "waiting" && this.room !== undefined && this.room.over === undefined;
    if (waits) this.invite.show(info, tablePath({ id: this.id, code: this.code }), this.code);
    else this.invite.hide();
  }

  private leave(): void {
    clearTimeout(this.asking);
    this.due = Infinity;
    this.dispose?.();
    this.dispose = undefined;
    this.room?.close();
    this.room = undefined;
  }
}

function at(id: string): HTMLElement {
  return document.getElementById(id)!;
}
