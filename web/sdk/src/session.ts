import { Acts } from "./acts.js";
import { canonical, crc32 } from "./check.js";
import type { Codec, Message } from "./codec.js";
import { Emitter, Queue } from "./emitter.js";
import { ClosedError, HTTPError, RejectedError } from "./errors.js";
import { Link, unreadable, type Owner, type SocketLike } from "./link.js";
import { changes, patch, share } from "./patch.js";
import type { ConnectionState, GameEvent, Over, Room, RoomEvents, Signalled, Stats, Why } from "./types.js";

/** Host is what a session needs of the Roomring that made it. */
export interface Host {
  readonly codec: Codec;
  open(url: string, protocol: string): SocketLike;
  /** token is who comes. A player without one becomes a guest. */
  token(spectator: boolean): Promise<string | undefined>;
  /** renew forgets a token that was refused; it reports whether token has another one for the same player, or for anybody. */
  renew(token: string | undefined, same: boolean): boolean;
  /** welcomed hears who the server says this is. */
  welcomed(player: string, token?: string): void;
  /** ask asks by HTTP why no socket opens: whether there is certainly no such room, else what is known. */
  ask(room: string): Promise<{ gone: boolean; reason: string }>;
}

export interface Target {
  id: string;
  /** Where the room's socket may be, the likeliest first; at least one. */
  urls: string[];
  /** How many sockets may fail before the first view. */
  tries: number;
  client: string;
  spectator: boolean;
  name?: string | undefined;
  code?: string | undefined;
}

const maxDelay = 10_000;
const young = 5_000; // a socket that was lost sooner after its welcome than this counts as a failure
const maxUnread = 3; // sockets in a row that ended in what cannot be read
const maxEvents = 1024; // unread, of one iterator

/** Session is a Room: one client's stay in one room over all its sockets, as docs/PROTOCOL.md has it. */
export class Session<V = any, A = any> implements Room<V, A>, Owner {
  readonly id: string;
  readonly spectator: boolean;
  game = "";
  player = "";
  seat = -1;
  view!: V;
  state: ConnectionState = "connecting";
  lag = NaN;
  clockOffset = 0;
  over?: Over;

  readonly #host: Host;
  readonly #target: Target;
  readonly #emitter = new Emitter();
  readonly #acts: Acts;
  readonly #stats = { sockets: 0, recovered: 0, states: 0, turns: 0, checks: 0, mismatches: 0, lost: 0 };
  #urls: string[]; // of the target, the one whose turn it is first; only that one once it has led to the room
  #url: string; // where the next socket goes
  #link: Link | undefined; // welcomed
  #next: Link | undefined; // opening
  #tries = 0; // of connect, so that one overtaken stops
  #timer: ReturnType<typeof setTimeout> | undefined;
  #losses = 0; // in a row
  #failed = 0; // sockets before the first view
  #unread = 0; // sockets since the last view that could be read
  #attempt = 0;
  #token: string | undefined; // of the newest socket
  #renewed = false; // since the last welcome
  #epoch = 0; // the last one told
  #seq = 0; // of the last state or turn
  #floor = 0; // turns up to here came by an older socket
  #seen = false; // there is a view
  #sound = false; // and it may be resumed from
  #began = 0; // performance.now() when room time was 0
  #bestLag = Infinity;
  #leaving = false;
  #closed: ClosedError | undefined;
  #ready!: { resolve(): void; reject(err: unknown): void };
  /** ready resolves with the first view. */
  readonly ready = new Promise<void>((resolve, reject) => (this.#ready = { resolve, reject }));

  constructor(host: Host, target: Target) {
    this.#host = host;
    this.#target = target;
    this.id = target.id;
    this.spectator = target.spectator;
    this.#urls = [...target.urls];
    this.#url = this.#urls[0]!;
    this.#acts = new Acts(host.codec.encode, (encoded) => this.#link?.write(encoded) ?? false);
    this.ready.catch(() => {}); // join hands it on
    this.#listen("addEventListener");
    void this.#connect();
  }

  get stats(): Stats {
    return { ...this.#stats, resent: this.#acts.resent };
  }

  roomTime(): number {
    return performance.now() - this.#began;
  }

  act(action: A, o?: Signalled): Promise<{ seq: number }> {
    if (this.#closed) return Promise.reject(this.#closed);
    if (this.spectator) return Promise.reject(new RejectedError("spectator", "Who watches cannot act."));
    return this.#acts.add(action, o?.signal);
  }

  on<K extends keyof RoomEvents<V>>(type: K, f: (...args: RoomEvents<V>[K]) => void, o?: Signalled): () => void {
    return this.#emitter.on(type, f as (...args: any[]) => void, o?.signal);
  }

  watch(path: string | readonly string[], f: (value: any, path: string[]) => void, o?: Signalled): () => void {
    const names = typeof path === "string" ? (path ? path.split(".") : []) : path;
    return this.on("view", (view, previous) => changes(names, previous, view, f), o);
  }

  events(o?: Signalled): AsyncIterableIterator<GameEvent> {
    return this.#iterate("event", maxEvents, o?.signal);
  }

  views(o?: Signalled): AsyncIterableIterator<V> {
    return this.#iterate("view", 1, o?.signal, this.#seen ? [this.view] : []);
  }

  resync(): void {
    this.#sound = false;
    this.#link?.send({ t: "resync" });
  }

  leave(): Promise<void> {
    if (this.#closed || this.spectator) return Promise.resolve(this.close());
    this.#leaving = true;
    this.#link?.send({ t: "leave" });
    return new Promise((resolve) => this.on("closed", () => resolve()));
  }

  close(): void {
    this.#end(new ClosedError(1000, "This client has closed the connection."));
  }

  /** fail ends a session that nobody has got hold of yet. */
  fail(err: unknown): void {
    this.#ready.reject(err);
    this.close();
  }

  // Sockets.

  async #connect(): Promise<void> {
    const mine = ++this.#tries;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#next?.close();
    this.#next = undefined;
    try {
      const token = await this.#host.token(this.spectator);
      if (mine !== this.#tries) return;
      this.#token = token;
      this.#attempt++;
      this.#next = new Link(this.#url, (url, protocol) => this.#host.open(url, protocol), this.#host.codec, this);
    } catch (err) {
      if (mine === this.#tries) this.#hindered(err);
    }
  }

  /** hindered decides whether a socket may be had later: there was no token, or the runtime opens none. */
  #hindered(err: unknown): void {
    const http = err instanceof HTTPError;
    const refused = http && err.status < 500 && err.status !== 429;
    if (!this.#seen && (refused || !http)) return this.fail(err);
    if (refused) return this.#end(new ClosedError(4401, err.message));
    if (this.#hopeless()) return this.fail(err);
    this.#url = this.#urls[0]!;
    this.#retry(1006, String(err));
  }

  opened(link: Link): void {
    const { client, spectator, name, code } = this.#target;
    const hello: Message = { t: "hello", client, attempt: this.#attempt };
    if (this.#token) hello.token = this.#token;
    if (name) hello.name = name;
    if (spectator) hello.as = "spectator";
    if (code) hello.code = code;
    if (this.#sound) hello.resume = { epoch: this.#epoch, seq: this.#seq };
    link.send(hello);
  }

  lost(link: Link, code: number, reason: string): void {
    if (link === this.#next) this.#next = undefined;
    if (link === this.#link) this.#link = undefined;
    if (code === 4401 && !this.#renewed && this.#host.renew(this.#token, this.#seen)) {
      this.#renewed = true;
      if (this.#seen && !this.#link) this.#become("reconnecting", { code, reason, retryIn: 0 });
      return void this.#connect();
    }
    if (code === 4409 && this.#next && link !== this.#next) return; // by that one, whose welcome is on its way
    if (code === 1000 || (code >= 4400 && code < 4500)) return this.#end(new ClosedError(code, reason, this.over));
    if (code === unreadable) {
      this.#sound = false; // the whole view may be free of it
      if (++this.#unread >= maxUnread) return this.#end(new ClosedError(code, reason, this.over));
    }
    const hopeless = this.#hopeless();
    if (!link.open) {
      this.#urls.push(this.#urls.shift()!);
      this.#url = this.#urls[0]!; // where a move led may be gone again
    }
    if (hopeless || !link.open) void this.#askWhy(code, link, reason, hopeless);
    if (hopeless) return;
    if (link.welcomedAt !== undefined && performance.now() - link.welcomedAt > young) this.#losses = 0;
    this.#retry(code, reason);
  }

  /** hopeless counts a failure before the first view, and reports whether there were as many as a join may have. */
  #hopeless(): boolean {
    return !this.#seen && !this.#link && !this.#next && ++this.#failed >= this.#target.tries;
  }

  /** askWhy finds out whether a socket was refused because there is no such room: browsers do not tell. It ends a hopeless join. */
  async #askWhy(code: number, link: Link, reason: string, hopeless: boolean): Promise<void> {
    const { gone, reason: told } = await this.#host.ask(this.id);
    if (gone) return this.#end(new ClosedError(4404, "", this.over));
    if (!hopeless) return;
    this.#end(new ClosedError(code, link.open ? reason || told : `No socket opens at ${link.url}${reason && ` (${reason})`}. ${told}`));
  }

  /** retry connects, at once after a first loss and then with full jitter, unless a socket is on its way. */
  #retry(code: number, reason: string): void {
    if (this.#closed) return;
    let why: Why = { code, reason };
    if (!this.#next) why = { code, reason, retryIn: this.#schedule() };
    if (!this.#link && this.#seen) this.#become("reconnecting", why);
  }

  #schedule(): number {
    const n = this.#losses++;
    const delay = n && Math.random() * Math.min(maxDelay, 250 * 2 ** n);
    this.#tries++;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#connect(), delay);
    return delay;
  }

  readonly #wake = (e: Event): void => {
    if (e.type === "visibilitychange" && document.visibilityState === "hidden") return;
    if (this.#timer !== undefined) void this.#connect();
    this.#link?.check();
    this.#next?.check();
  };

  #listen(how: "addEventListener" | "removeEventListener"): void {
    globalThis[how]?.("online", this.#wake);
    globalThis[how]?.("pageshow", this.#wake);
    globalThis.document?.[how]("visibilitychange", this.#wake);
  }

  // Messages.

  received(link: Link, m: Message): void {
    switch (m.t) {
      case "welcome": return this.#welcome(link, m);
      case "state": return this.#state(m);
      case "turn": return this.#turn(m);
      // An ack can be ahead of turns that a slow reader is spared, so it says nothing about what the view shows.
      case "ack": return this.#acts.answer(m.cseq, m.seq);
      case "reject": return this.#acts.answer(m.cseq, m.seq, new RejectedError(m.code, m.reason ?? ""));
      case "pong": return this.#pong(m);
      case "move": return this.#move(link, m);
      case "over": return this.#ended(m);
    }
  }

  #welcome(link: Link, m: Message): void {
    if (link === this.#next) {
      if (this.#urls.includes(link.url)) this.#urls = [link.url];
      this.#link?.close();
      this.#next = undefined;
      this.#link = link;
    }
    const player: string = m.player ?? "";
    if (this.#attempt > 1 && player !== this.player) {
      this.#acts.fail(new ClosedError(4401, "The new token is another player's."));
    }
    this.game = m.game;
    this.player = player;
    this.seat = m.seat;
    this.#epoch = m.epoch;
    this.#began = performance.now() - m.now;
    this.#renewed = false;
    this.#stats.sockets++;
    if (m.recovered) this.#stats.recovered++;
    else {
      this.#sound = false;
      this.#seq = 0;
    }
    this.#floor = this.#seq;
    this.#host.welcomed(player, m.token);
    link.welcomed(m.heartbeat);
    this.#acts.welcomed(m.cseq ?? 0, m.limits ?? {});
    if (this.#leaving) link.send({ t: "leave" });
    if (m.recovered) this.#become("open"); // else the whole view comes first
  }

  #state(m: Message): void {
    this.#stats.states++;
    this.#stats.lost += m.lost ?? 0;
    this.#sound = false; // so that one that differs is not asked for again at once: a newer one will be
    this.#show(m, this.#seen ? (share(this.view, m.view) as V) : m.view);
    this.#sound = true;
    this.#start();
  }

  #turn(m: Message): void {
    if (!this.#seen || m.seq <= this.#floor) return;
    this.#stats.turns++;
    this.#show(m, "patch" in m ? patch(this.view, m.patch) : this.view);
    for (const e of m.events ?? []) this.#emitter.emit("event", { ...e, seq: m.seq });
  }

  #show(m: Message, view: V): void {
    const previous = this.#seen ? this.view : undefined;
    const changed = !this.#seen || view !== previous;
    this.#epoch = m.epoch ?? this.#epoch;
    this.#seq = Math.max(this.#seq, m.seq);
    this.view = view;
    this.#seen = true;
    this.#unread = 0;
    if (m.check !== undefined) this.#prove(m.check);
    if (changed) this.#emitter.emit("view", view, previous);
  }

  #prove(check: number): void {
    if (crc32(canonical(this.view)) === check) {
      this.#stats.checks++;
      return;
    }
    this.#stats.mismatches++;
    if (this.#sound) this.resync(); // else the whole view is on its way
  }

  /** start is when the room may be handed out. */
  #start(): void {
    this.#ready.resolve();
    if (this.#link) this.#become("open");
  }

  #pong(m: Message): void {
    if (typeof m.echo !== "number") return;
    this.lag = performance.now() - m.echo;
    this.#bestLag = Math.min(this.lag, this.#bestLag * 1.1); // an old measurement counts less and less
    if (this.lag === this.#bestLag) this.clockOffset = m.time + this.lag / 2 - Date.now();
    this.#emitter.emit("lag", this.lag);
  }

  #move(link: Link, m: Message): void {
    if (link !== this.#link) return;
    if (m.url) this.#url = new URL(m.url, this.#url).href;
    if (performance.now() - link.welcomedAt! > young) this.#losses = 0;
    this.#emitter.emit("move", { within: m.within, ...(m.url && { url: m.url }) });
    if (!this.#next && !this.#closed) this.#schedule();
  }

  #ended(m: Message): void {
    const { t: _, ...over } = m;
    this.over = over as Over;
    this.#emitter.emit("over", this.over);
    if (this.#link) this.#start();
  }

  // Ends.

  #become(state: ConnectionState, why?: Why): void {
    if (state === this.state && state !== "reconnecting") return;
    this.state = state;
    this.#emitter.emit("state", state, why);
  }

  #end(err: ClosedError): void {
    if (this.#closed) return;
    this.#closed = err;
    this.#tries++;
    clearTimeout(this.#timer);
    this.#listen("removeEventListener");
    this.#next?.close();
    this.#link?.close();
    this.#next = this.#link = undefined;
    this.#acts.fail(err);
    this.#ready.reject(err);
    this.#become("closed", { code: err.code, reason: err.reason, kind: err.kind });
    this.#emitter.emit("closed", err);
  }

  #iterate<T>(type: "event" | "view", max: number, signal: AbortSignal | undefined, first: T[] = []): Queue<T> {
    const offs: (() => void)[] = [];
    const queue = new Queue<T>(max, () => offs.forEach((off) => off()));
    first.forEach((x) => queue.push(x));
    const end = () => queue.end();
    if (this.#closed || signal?.aborted) end();
    else {
      signal?.addEventListener("abort", end);
      offs.push(
        this.#emitter.on(type, (x: T) => queue.push(x)),
        this.on("closed", end),
        () => signal?.removeEventListener("abort", end),
      );
    }
    return queue;
  }
}
