import type { Codec, Message } from "./codec.js";

/** What the SDK needs of a WebSocket: that of browsers, or what imitates it. */
export interface SocketLike {
  binaryType: string;
  onopen: (() => void) | null;
  onmessage: ((e: { data: any }) => void) | null;
  onclose: ((e: { code: number; reason: string }) => void) | null;
  onerror: ((e: any) => void) | null;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  terminate?(): void;
}

/** Owner hears of a link's life. After lost, or once the owner closes the link, nothing follows. */
export interface Owner {
  opened(link: Link): void;
  received(link: Link, m: Message): void;
  lost(link: Link, code: number, reason: string): void;
}

/** The close code of what cannot be read, here or there. */
export const unreadable = 1007;
const connectWithin = 10_000; // until the welcome
const wakeWithin = 3_000; // until anything is heard after waking up

/** Link is one socket. It says something each half heartbeat, and gives up a server that is silent for two and a half. */
export class Link {
  open = false;
  welcomedAt: number | undefined;
  readonly #ws: SocketLike;
  #heard = performance.now();
  #heartbeat = Infinity; // milliseconds, from the welcome on
  #pinged = 0;
  #beat: ReturnType<typeof setTimeout>;
  #check: ReturnType<typeof setTimeout> | undefined;
  #fault = ""; // what the runtime says of a failure: Node's do, browsers keep it to themselves
  #done = false;

  constructor(readonly url: string, make: (url: string, protocol: string) => SocketLike, readonly codec: Codec, readonly owner: Owner) {
    const ws = (this.#ws = make(url, codec.subprotocol)); // throws where the page or the address forbids it
    this.#beat = setTimeout(() => this.drop("the server does not answer"), connectWithin);
    ws.binaryType = "arraybuffer";
    ws.onopen = () => {
      this.open = true;
      owner.opened(this);
    };
    ws.onmessage = (e) => this.#received(e.data);
    ws.onclose = (e) => this.#lost(e.code, e.reason || this.#fault);
    ws.onerror = (e) => (this.#fault = String(e?.message ?? "")); // onclose follows
  }

  /** welcomed starts the heart, or sets its pace anew. */
  welcomed(heartbeat: number): void {
    this.welcomedAt ??= performance.now();
    this.#heartbeat = heartbeat;
    clearTimeout(this.#beat);
    this.#tick();
  }

  send(m: Message): void {
    this.write(this.codec.encode(m));
  }

  write(encoded: string | Uint8Array): boolean {
    if (this.#done || !this.open) return false;
    try {
      this.#ws.send(encoded);
    } catch {
      return false; // it is closing, and onclose will say so
    }
    return true;
  }

  /** check gives up the server unless it says something soon: for a socket that may have died in its sleep. */
  check(): void {
    const since = performance.now();
    if (this.welcomedAt !== undefined) this.#ping();
    clearTimeout(this.#check);
    this.#check = setTimeout(() => this.#heard < since && this.drop("the connection died"), wakeWithin);
  }

  /** drop gives the socket up: it is lost at once, whatever the closing handshake takes. */
  drop(reason: string, code = 1006): void {
    this.#lost(code, reason);
    this.#ws.terminate ? this.#ws.terminate() : this.#ws.close();
  }

  /** close ends the link without a word to the owner. */
  close(): void {
    this.#stop();
    this.#ws.close(1000);
  }

  #tick(): void {
    if (performance.now() - this.#heard > 2.5 * this.#heartbeat) return this.drop("the server fell silent");
    this.#beat = setTimeout(() => this.#tick(), this.#heartbeat / 2);
    this.#ping();
  }

  #ping(): void {
    this.#pinged = performance.now();
    this.send({ t: "ping", echo: this.#pinged });
  }

  #received(data: unknown): void {
    this.#heard = performance.now();
    // Browsers slow the timers of hidden tabs down to one a minute, but not what comes over the network.
    if (this.#heard - this.#pinged > this.#heartbeat / 2) this.#ping();
    try {
      for (const m of this.codec.decode(data as string | ArrayBuffer)) if (!this.#done) this.owner.received(this, m);
    } catch (err) {
      this.drop(`The server said what cannot be read: ${(err as Error).message}`, unreadable);
    }
  }

  #lost(code: number, reason: string): void {
    if (this.#done) return;
    this.#stop();
    this.owner.lost(this, code, reason);
  }

  #stop(): void {
    this.#done = true;
    clearTimeout(this.#beat);
    clearTimeout(this.#check);
    const ws = this.#ws;
    ws.onopen = ws.onmessage = ws.onclose = null;
  }
}
