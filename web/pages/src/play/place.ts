import { ClosedError, HTTPError, type Room, type RoomInfo } from "roomring";
import type { Dispose } from "../games/table.ts";
import { tablePath } from "../lobby/go.ts";
import { asMe, me, server } from "../kit/me.ts";
import { mount } from "../kit/mount.ts";
import { words } from "../kit/problem.ts";
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
  private readonly invite = new Invite(at("below"));
  private readonly ending: Ending;
  private readonly notices: Notices;
  private room: Room | undefined;
  private info: RoomInfo | undefined;
  private dispose: Dispose | undefined;
  private asking: ReturnType<typeof setTimeout> | undefined;

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
      this.show(await server.room(this.id));
      if (this.info!.phase === "over" && this.info!.final && this.info!.node === "") return this.gone();
      const as = this.watch ? server : await asMe();
      const at = { ...(this.code && { code: this.code }) };
      const room = this.watch ? await as.spectate(this.info!, at) : await as.join(this.info!, at);
      await this.sit(room);
    } catch (err) {
      this.failed(err);
    }
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
    room.on("view", () => this.ask(800));
    room.on("event", (e) => e.name === "rematch" && this.ending.rematch(e.data));
    room.on("over", (over) => this.over(room, over));
    room.on("closed", (err) => this.failed(err));
    this.head.state(room.state);
    this.head.lag(room.lag);
    this.ask(0);
    const table = asTable(room, say, (why) => toast(why, "bad"));
    this.dispose = await mount(at("table"), room.game, table);
    document.body.dataset["seat"] = String(room.seat);
    if (room.over) this.over(room, room.over);
  }

  private over(room: Room, over: NonNullable<Room["over"]>): void {
    this.invite.hide();
    this.banner.hide();
    this.ending.show(over, { mayAgree: !room.spectator && over.end === "finished", game: room.game });
    this.ask(0);
  }

  /** A room that has left memory: only its result is there. */
  private gone(): void {
    this.head.state("closed");
    at("table").removeAttribute("aria-busy");
    const final = this.info!.final!;
    this.notices.over(this.id, this.info!.game);
    this.ending.show({ seq: 0, end: final.end, result: final.result, reason: final.result.reason }, { mayAgree: false, game: this.info!.game });
  }

  private failed(err: unknown): void {
    const over = err instanceof ClosedError ? err.over : undefined;
    this.head.state("closed");
    this.banner.hide();
    at("table").removeAttribute("aria-busy");
    if (err instanceof ClosedError && err.code === 4410) {
      this.ending.closed();
      if (!this.room && over) this.ending.show(over, { mayAgree: false, game: this.info?.game ?? "" });
      if (!this.dispose) this.notices.over(this.id, this.info?.game);
      return;
    }
    if (err instanceof HTTPError && err.status === 404) this.forget();
    this.invite.hide();
    this.notices.show(err, this.watch);
  }

  private forget(): void {
    document.title = "No such room · Roomring";
  }

  private act(action: unknown): Promise<void> {
    if (!this.room) return Promise.reject(new Error("not at the table"));
    return this.room.act(action).then(() => undefined).catch((err) => {
      toast(words(err), "bad");
      throw err;
    });
  }

  /** Asks for the seats and spectators, soon, and now and then from then on: once however often it is called. */
  private ask(wait: number): void {
    clearTimeout(this.asking);
    this.asking = setTimeout(async () => {
      if (!this.room || this.room.state === "closed") return;
      try {
        if (this.room.state === "open" && !document.hidden) this.show(await server.room(this.id));
      } catch {
        // the connection's state tells already
      }
      this.ask(5_000);
    }, Math.max(wait, this.asked + 800 - performance.now()));
  }
  private asked = 0;

  private show(info: RoomInfo): void {
    this.asked = performance.now();
    this.info = info;
    this.head.show(info, tablePath({ id: this.id, code: this.code }));
    this.ending.seated(info.seats);
    const waits = info.phase === "waiting" && this.room !== undefined && this.room.over === undefined;
    if (waits) this.invite.show(info, tablePath({ id: this.id, code: this.code }), this.code);
    else this.invite.hide();
  }

  private leave(): void {
    clearTimeout(this.asking);
    this.dispose?.();
    this.dispose = undefined;
    this.room?.close();
    this.room = undefined;
  }
}

function at(id: string): HTMLElement {
  return document.getElementById(id)!;
}
