import { json, type Codec } from "./codec.js";
import { HTTPError } from "./errors.js";
import type { SocketLike } from "./link.js";
import { Session, type Target } from "./session.js";
import type {
  AnyGame, EventOf, GameInfo, GameTypes, Guest, LeaderboardPage, Phase, Problem, Profile, Result, Room, RoomInfo, RoomOf, Signalled, Standing,
} from "./types.js";

/** Where and as whom to play. */
export interface Options {
  /** The server's address; default: the page's own origin. */
  url?: string | undefined;
  /** A player's token, or what gets one: it is asked before each socket. Without it this is a guest. */
  token?: string | (() => string | Promise<string>) | undefined;
  /** What to call a guest. */
  name?: string | undefined;
  /** The constructor for sockets; default: the runtime's own. */
  WebSocket?: (new (url: string, protocol: string) => any) | undefined;
  /** Default: the runtime's own. */
  fetch?: typeof fetch | undefined;
  /** The client id, 1 to 128 bytes, of every join; default: a new one for each. Give one only to join each room once. */
  client?: string | undefined;
  /** How many sockets join and spectate try for before they reject, 1 or more; default: 10, about half a minute. Infinity: until the signal aborts. */
  tries?: number | undefined;
  /** Where a guest is kept; default: localStorage where there is one. null: nowhere. */
  storage?: GuestStorage | null | undefined;
}

/** The part of a browser's Storage that keeps a guest. */
export interface GuestStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export interface RoomsQuery {
  game?: string | undefined;
  phase?: Phase | undefined;
  /** Only rooms with a free seat that take new players. */
  open?: boolean | undefined;
  /** The next of the page before. */
  after?: string | undefined;
  limit?: number | undefined;
}

interface Ask extends Signalled {
  method?: string;
  body?: unknown;
  as?: "player" | "known"; // with a token, becoming a guest if need be; or with one where there is one already
}

/** A Roomring server, seen by one player. */
export class Roomring {
  /** @internal */
  protected get codec(): Codec {
    return json;
  }
  readonly #o: Options;
  readonly #base: string;
  readonly #storage: GuestStorage | null;
  #guest: Guest | undefined;
  #becoming: Promise<Guest> | undefined;
  #player: string | undefined;

  constructor(o: Options = {}) {
    const url = o.url ?? globalThis.location?.origin;
    if (!url) throw new TypeError("There is no page whose server to ask: pass url, such as new Roomring({ url: \"https://play.example.org\" }).");
    this.#o = o;
    this.#base = new URL(url).href.replace(/\/$/, "");
    this.#storage = o.storage === undefined ? ownStorage() : o.storage;
    if (!o.token) this.#guest = this.#kept();
  }

  /** The player's id, once it is known. */
  get player(): string | undefined {
    return this.#player ?? this.#guest?.player;
  }

  // Who plays.

  /** Becomes a new guest, who plays from now on and is kept in the storage. */
  async guest(o: { name?: string | undefined } & Signalled = {}): Promise<Guest> {
    const name = o.name ?? this.#o.name;
    const guest = await this.#ask<Guest>("/v1/guest", { ...o, method: "POST", body: name === undefined ? {} : { name } });
    this.#keep(guest);
    return guest;
  }

  #kept(): Guest | undefined {
    try {
      const guest = JSON.parse(this.#storage?.getItem(this.#key) ?? "null");
      return typeof guest?.token === "string" ? guest : undefined;
    } catch {
      return undefined; // storage may be forbidden, and hold anything
    }
  }

  #keep(guest: Guest | undefined): void {
    this.#guest = guest;
    this.#player = guest?.player;
    try {
      if (guest) this.#storage?.setItem(this.#key, JSON.stringify(guest));
      else this.#storage?.removeItem(this.#key);
    } catch {
      // full or forbidden: the guest lasts as long as the page
    }
  }

  get #key(): string {
    return "roomring:" + this.#base;
  }

  /** token is the player's; becoming a guest is shared by all who ask meanwhile. */
  async #token(required: boolean): Promise<string | undefined> {
    const { token } = this.#o;
    if (token) return typeof token === "function" ? token() : token;
    if (!this.#guest && required) {
      this.#becoming ??= this.guest().finally(() => (this.#becoming = undefined));
      await this.#becoming;
    }
    return this.#guest?.token;
  }

  /** renew forgets a refused guest, and reports whether there is another token to try: a guest's is another player's. */
  #renew(refused: string | undefined, same: boolean): boolean {
    if (this.#o.token) return typeof this.#o.token === "function";
    if (this.#guest?.token === refused) this.#keep(undefined);
    return refused !== undefined && !same;
  }

  // HTTP.

  async #ask<T>(path: string, ask: Ask = {}, again = true): Promise<T> {
    const token = ask.as && (await this.#token(ask.as === "player"));
    const headers: Record<string, string> = {};
    if (token) headers.Authorization = "Bearer " + token;
    const init: RequestInit = { headers };
    if (ask.method) init.method = ask.method;
    if (ask.signal) init.signal = ask.signal;
    if (ask.body !== undefined) {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(ask.body);
    }
    const answer = await (this.#o.fetch ?? fetch)(this.#base + path, init);
    if (answer.ok) return answer.json();
    if (answer.status === 401 && again && token && this.#renew(token, false)) return this.#ask(path, ask, false);
    throw new HTTPError(answer.status, await problem(answer));
  }

  async games(o?: Signalled): Promise<GameInfo[]> {
    return (await this.#ask<{ games: GameInfo[] }>("/v1/games", o)).games;
  }

  rooms(q: RoomsQuery = {}, o?: Signalled): Promise<{ rooms: RoomInfo[]; next?: string; partial?: true }> {
    return this.#ask("/v1/rooms" + query(q), o);
  }

  room(id: string, o?: Signalled): Promise<RoomInfo> {
    return this.#ask(`/v1/rooms/${encodeURIComponent(id)}`, o);
  }

  /** The private room with a join code. It rejects with an HTTPError of status 404 when there is none. */
  async findRoom(code: string, o?: Signalled): Promise<RoomInfo> {
    const { rooms } = await this.#ask<{ rooms: RoomInfo[] }>("/v1/rooms" + query({ code }), o);
    if (rooms[0]) return rooms[0];
    throw new HTTPError(404, { type: "about:blank", title: "Not Found", status: 404, detail: "There is no room with this code." });
  }

  create<G extends GameTypes = AnyGame>(c: { game: string; options?: G["options"]; name?: string | undefined; private?: boolean; public?: boolean }, o?: Signalled): Promise<RoomInfo> {
    return this.#ask("/v1/rooms", { ...o, method: "POST", body: c, as: "player" });
  }

  /**
   * A room in which a seat is held for 15 s: join it. Asking again with the same ticket, of 16 characters or more, gets
   * the same room; without one it is drawn at random.
   */
  matchmake<G extends GameTypes = AnyGame>(m: { game: string; options?: G["options"]; ticket?: string | undefined }, o?: Signalled): Promise<RoomInfo> {
    return this.#ask("/v1/matchmake", { ...o, method: "POST", body: { ...m, ticket: m.ticket ?? newID() }, as: "player" });
  }

  result(room: string, o?: Signalled): Promise<Result> {
    return this.#ask(`/v1/results/${encodeURIComponent(room)}`, { ...o, as: "known" });
  }

  profile(player: string, o?: Signalled): Promise<Profile> {
    return this.#ask(`/v1/players/${encodeURIComponent(player)}`, { ...o, as: "known" });
  }

  async leaderboard(game: string, q: { offset?: number | undefined; limit?: number | undefined } = {}, o?: Signalled): Promise<Standing[]> {
    return (await this.#ask<{ players: Standing[] }>(`/v1/leaderboards/${encodeURIComponent(game)}${query(q)}`, o)).players;
  }

  /** A page of the leaderboard; next leads to the one behind it, however far down. */
  leaderboardPage(game: string, q: { after?: string | undefined; limit?: number | undefined } = {}, o?: Signalled): Promise<LeaderboardPage> {
    return this.#ask(`/v1/leaderboards/${encodeURIComponent(game)}${query(q)}`, o);
  }

  // Rooms.

  /**
   * Takes a seat, or comes back to it. Resolves with the first view; rejects with ClosedError when the room
   * does not let this player in or cannot be reached in Options.tries, HTTPError when there is no guest to be had.
   */
  join<G extends GameTypes = AnyGame>(room: string | RoomInfo, o?: { code?: string | undefined } & Signalled): Promise<RoomOf<G>>;
  /** The same where there are types of views and actions alone. */
  join<V = any, A = any>(room: string | RoomInfo, o?: { code?: string | undefined } & Signalled): Promise<Room<V, A>>;
  join(room: string | RoomInfo, o: { code?: string | undefined } & Signalled = {}): Promise<Room> {
    return this.#enter(room, false, o);
  }

  /** Watches. */
  spectate<G extends GameTypes = AnyGame>(room: string | RoomInfo, o?: { code?: string | undefined } & Signalled): Promise<Room<G["view"], never, EventOf<G["events"]>>>;
  spectate<V = any>(room: string | RoomInfo, o?: { code?: string | undefined } & Signalled): Promise<Room<V, never>>;
  spectate(room: string | RoomInfo, o: { code?: string | undefined } & Signalled = {}): Promise<Room<any, never>> {
    return this.#enter(room, true, o);
  }

  async #enter(room: string | RoomInfo, spectator: boolean, o: { code?: string | undefined } & Signalled): Promise<Room> {
    o.signal?.throwIfAborted();
    const Socket = this.#o.WebSocket ?? globalThis.WebSocket;
    if (!Socket) {
      throw new TypeError("This runtime has no WebSocket: pass one, such as that of the npm package ws: new Roomring({ url, WebSocket }).");
    }
    const info: Partial<RoomInfo> & { id: string } = typeof room === "string" ? { id: room } : room;
    const target: Target = {
      id: info.id,
      urls: addresses(`${this.#base.replace(/^http/, "ws")}/v1/rooms/${encodeURIComponent(info.id)}/ws`, info.ws_url),
      tries: this.#o.tries ?? 10,
      client: this.#o.client ?? newID(),
      spectator,
      name: this.#o.name,
      code: o.code ?? info.code,
    };
    const session = new Session({
      codec: this.codec,
      open: (url, protocol) => new Socket(url, protocol) as SocketLike,
      token: (watching) => this.#token(!watching),
      renew: (token, same) => this.#renew(token, same),
      welcomed: (player, token) => this.#welcomed(player, token),
      ask: (id) => this.#ask(`/v1/rooms/${encodeURIComponent(id)}`).then(
        () => ({ gone: false, reason: "HTTP gets through: look whether each proxy on the way passes WebSocket upgrades on." }),
        (err) => ({ gone: err.status === 404 || err.status === 400, reason: err.message }), // 400: no room can have that id
      ),
    }, target);
    const abort = () => session.fail(o.signal!.reason);
    o.signal?.addEventListener("abort", abort);
    try {
      await session.ready;
    } finally {
      o.signal?.removeEventListener("abort", abort);
    }
    return session;
  }

  #welcomed(player: string, token?: string): void {
    if (token && !this.#o.token) this.#keep({ token, player, name: this.#o.name ?? "" });
    if (player) this.#player = player;
  }
}

/**
 * addresses is where a room's socket may be, the likeliest first. own is beneath the address by which HTTP reaches the
 * server; given is the server's, who may not know that a proxy cut off a part of the path, speaks TLS for it or names
 * it otherwise. Only what is said of another host may be right where it differs: a server can be told to name one.
 */
function addresses(own: string, given = own): string[] {
  const to = new URL(given, own);
  const mine = new URL(own);
  mine.search = to.search; // leads balancers to the room's node
  const wrong = to.host === mine.host || (to.protocol === "ws:" && mine.protocol === "wss:"); // a page may not leave TLS
  return wrong || to.href === mine.href ? [mine.href] : [to.href, mine.href];
}

function ownStorage(): GuestStorage | null {
  try {
    // Merely looking at Node's without a file for it warns.
    return globalThis.document ? globalThis.localStorage : null;
  } catch {
    return null; // forbidden
  }
}

// Drawn at random. crypto.randomUUID is for secure pages alone, and a game among friends at home is none.
function newID(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}

function query(q: object): string {
  const set = Object.entries(q).filter(([, v]) => v !== undefined).map(([k, v]) => [k, String(v)]);
  return set.length ? "?" + new URLSearchParams(set) : "";
}

async function problem(answer: Response): Promise<Problem> {
  const found = await answer.json().catch(() => undefined);
  return found?.title ? found : { type: "about:blank", title: answer.statusText || `HTTP ${answer.status}`, status: answer.status };
}
