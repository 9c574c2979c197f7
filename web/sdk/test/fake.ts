import { canonical, crc32 } from "../src/check.js";
import { json, type Codec, type Message } from "../src/codec.js";
import { Roomring, type Options } from "../src/client.js";
import type { Room } from "../src/types.js";

interface Timer {
  at: number;
  id: number;
  f: () => void;
}

/** Clock stands in for the runtime's: time passes when a test says so. */
export class Clock {
  now = 1_000_000;
  random = 0.5;
  #timers: Timer[] = [];
  #ids = 0;
  readonly #real = {
    setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout,
    performanceNow: performance.now, dateNow: Date.now, random: Math.random,
  };

  install(): void {
    const g = globalThis as any;
    g.setTimeout = (f: () => void, ms = 0) => {
      this.#timers.push({ at: this.now + ms, id: ++this.#ids, f });
      return this.#ids;
    };
    g.clearTimeout = (id: number) => (this.#timers = this.#timers.filter((t) => t.id !== id));
    performance.now = () => this.now;
    Date.now = () => 1_700_000_000_000 + this.now;
    Math.random = () => this.random;
  }

  restore(): void {
    Object.assign(globalThis, { setTimeout: this.#real.setTimeout, clearTimeout: this.#real.clearTimeout });
    performance.now = this.#real.performanceNow;
    Date.now = this.#real.dateNow;
    Math.random = this.#real.random;
  }

  get pending(): number {
    return this.#timers.length;
  }

  async advance(ms: number): Promise<void> {
    for (const end = this.now + ms; ; ) {
      await settle();
      const due = this.#timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at || a.id - b.id)[0];
      if (!due) {
        this.now = end;
        return;
      }
      this.#timers = this.#timers.filter((t) => t !== due);
      this.now = Math.max(this.now, due.at);
      due.f();
    }
  }
}

/** settle lets everything run that waits for nothing but its turn. */
export const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** FakeSocket is a WebSocket whose other end is the test. */
export class FakeSocket {
  binaryType = "";
  onopen: (() => void) | null = null;
  onmessage: ((e: { data: any }) => void) | null = null;
  onclose: ((e: { code: number; reason: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  sent: Message[] = [];
  closed: number | undefined;

  constructor(readonly url: string, readonly protocol: string, readonly codec: Codec) {}

  send(data: any): void {
    this.sent.push(...this.codec.decode(typeof data === "string" ? data : data.slice().buffer));
  }

  close(code = 1005): void {
    this.closed ??= code;
  }

  // The test's side.

  /** accept opens the socket and returns the hello. */
  accept(): Message {
    this.onopen?.();
    return this.sent[0]!;
  }

  /** say sends messages in one WebSocket message, as both sides may. */
  say(...messages: Message[]): void {
    const parts = messages.map((m) => this.codec.encode(m));
    if (typeof parts[0] === "string") this.onmessage?.({ data: parts.join("\n") });
    else this.onmessage?.({ data: Uint8Array.from((parts as Uint8Array[]).flatMap((p) => [...p])).buffer });
  }

  lose(code = 1006, reason = ""): void {
    this.onclose?.({ code, reason });
  }

  acts(): [number, unknown][] {
    return this.sent.filter((m) => m.t === "act").map((m) => [m.cseq, m.data]);
  }

  count(t: string): number {
    return this.sent.filter((m) => m.t === t).length;
  }
}

export interface Answer {
  status?: number;
  body: unknown;
}

/** World is a server made of fakes. */
export class World {
  readonly clock = new Clock();
  readonly sockets: FakeSocket[] = [];
  readonly requests: { method: string; path: string; token: string | null; body: any }[] = [];
  /** What HTTP answers, by method and path. */
  answers: Record<string, (r: { token: string | null; body: any }) => Answer> = {};
  guests = 0;
  refuseSockets: Error | undefined;

  constructor(readonly codec: Codec = json) {
    this.clock.install();
  }

  end(): void {
    this.clock.restore();
  }

  ring(o: Partial<Options> = {}, Ring: typeof Roomring = Roomring): Roomring {
    const world = this;
    return new Ring({
      url: "http://play.test",
      storage: null,
      fetch: (async (url: string, init: RequestInit) => world.#answer(url, init)) as typeof fetch,
      WebSocket: class {
        constructor(url: string, protocol: string) {
          if (world.refuseSockets) throw world.refuseSockets;
          const socket = new FakeSocket(url, protocol, world.codec);
          world.sockets.push(socket);
          return socket;
        }
      },
      ...o,
    });
  }

  #answer(url: string, init: RequestInit): Response {
    const method = init.method ?? "GET";
    const path = url.slice("http://play.test".length);
    const request = { token: new Headers(init.headers).get("Authorization"), body: init.body ? JSON.parse(String(init.body)) : undefined };
    this.requests.push({ method, path, ...request });
    const found = this.answers[`${method} ${path}`];
    if (!found && path === "/v1/guest") {
      const n = ++this.guests;
      return Response.json({ token: `token${n}`, player: `guest${n}`, name: request.body?.name ?? "Guest" }, { status: 201 });
    }
    const { status = 200, body } = found?.(request) ?? { status: 404, body: { type: "x", title: "Not Found", status: 404 } };
    return Response.json(body, { status });
  }

  /** last is the newest socket. */
  get last(): FakeSocket {
    return this.sockets.at(-1)!;
  }

  /** join has a player join and welcomes it with a view. */
  async join<V = any>(view: unknown = { n: 0 }, o: Partial<Options> = {}): Promise<Room<V, any>> {
    const joining = this.ring(o).join<V>("r1");
    await settle();
    this.last.accept();
    this.last.say(welcome(), state(1, view));
    return joining;
  }

  /** welcome accepts the newest socket and welcomes it. */
  async welcome(m: Partial<Message> = {}): Promise<FakeSocket> {
    await settle();
    this.last.accept();
    this.last.say(welcome(m));
    return this.last;
  }
}

export const welcome = (m: Partial<Message> = {}): Message => ({
  t: "welcome", room: "r1", game: "counter", player: "guest1", seat: 0, epoch: 1, seq: 1, cseq: 0, now: 5000, heartbeat: 10_000,
  limits: { message: 1000, unanswered: 32, rate: 1000 }, recovered: false, ...m,
});
export const state = (seq: number, view: unknown, m: Partial<Message> = {}): Message =>
  ({ t: "state", seq, view, check: crc32(canonical(view)), ...m });
export const turn = (seq: number, patch?: unknown, m: Partial<Message> = {}): Message =>
  ({ t: "turn", seq, ...(patch !== undefined && { patch }), ...m });
export const ack = (cseq: number, seq: number): Message => ({ t: "ack", cseq, seq });
