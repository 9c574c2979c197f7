import { bytes, type Message } from "./codec.js";
import { RejectedError } from "./errors.js";

interface Act {
  data: unknown;
  cseq: number; // 0 while it waits
  sent: number; // times, in all
  here: boolean; // sent on the present socket
  resolve(answer: { seq: number }): void;
  reject(err: unknown): void;
}

export interface Limits {
  message?: number;
  unanswered?: number;
  rate?: number;
  bytes?: number;
}

const unlimited = Number.MAX_SAFE_INTEGER; // a second; a number, so that it can be reckoned with

const deepest = 31; // arrays and objects in one another, of the 32 that a message may have
const halved = /(^|[^\\])(\\\\)*\\ud[89a-f]/; // JSON.stringify escapes half a surrogate pair, and no whole one

/** check throws at what no server takes: a message that cannot be taken would end the session for good. */
function check(v: unknown, depth: number): void {
  if (Number.isInteger(v) && !Number.isSafeInteger(v)) {
    throw new RejectedError("bad_action", "A whole number in the action is beyond ±(2⁵³−1): send it as text.");
  }
  if (typeof v !== "object" || v === null) return;
  if (!depth) throw new RejectedError("bad_action", `Arrays and objects of the action are more than ${deepest} deep in one another.`);
  for (const member of Object.values(v)) check(member, depth - 1);
}

/** Acts numbers actions, and sends each until it has its answer (docs/PROTOCOL.md, section 6). */
export class Acts {
  readonly #waiting: Act[] = [];
  readonly #unanswered: Act[] = []; // in the order of cseq
  #next = 1; // cseq
  #answered = 0; // the highest cseq that has its answer
  #limits: Limits = {};
  #budget = 0; // messages that may be sent at #at
  #bytes = 0; // and bytes of them
  #at = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  resent = 0;

  /** send writes an encoded message to the socket, or returns false when there is none. */
  constructor(readonly encode: (m: Message) => string | Uint8Array, readonly send: (encoded: any) => boolean) {}

  add(action: unknown, signal?: AbortSignal): Promise<{ seq: number }> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const text = JSON.stringify(action); // what it is now counts, not what it is when it is sent again
      if (text === undefined) throw new TypeError("An action is a JSON value; this is none.");
      const data: unknown = JSON.parse(text);
      if (halved.test(text)) throw new RejectedError("bad_text", "A text in the action has half a character: cut texts between characters, not in one.");
      check(data, deepest);
      const abort = () => {
        const i = this.#waiting.indexOf(act);
        if (i >= 0) this.#waiting.splice(i, 1);
        act.reject(signal!.reason);
      };
      const settled = <T>(f: (v: T) => void) => (v: T) => {
        signal?.removeEventListener("abort", abort);
        f(v);
      };
      const act: Act = { data, cseq: 0, sent: 0, here: false, resolve: settled(resolve), reject: settled(reject) };
      signal?.addEventListener("abort", abort);
      this.#waiting.push(act);
      this.flush();
    });
  }

  /** welcomed makes all that has no answer be sent on the new socket. */
  welcomed(cseq: number, limits: Limits): void {
    this.#limits = limits;
    this.#budget = limits.rate || unlimited; // half of the burst that the server allows: pings need some too
    this.#bytes = limits.bytes || unlimited;
    this.#at = performance.now();
    if (cseq < this.#answered) {
      // The room has lost what it had answered, and all after it: count on from what it knows.
      this.#answered = cseq;
      this.#unanswered.forEach((act, i) => (act.cseq = cseq + 1 + i));
    }
    for (const act of this.#unanswered) act.here = false;
    const last = this.#unanswered.at(-1);
    this.#next = last ? last.cseq + 1 : cseq + 1;
    this.flush();
  }

  answer(cseq: number, seq: number, refusal?: RejectedError): void {
    const i = this.#unanswered.findIndex((act) => act.cseq === cseq);
    if (i < 0) return; // a second answer
    const [act] = this.#unanswered.splice(i, 1);
    this.#answered = Math.max(this.#answered, cseq);
    if (refusal) act!.reject(refusal);
    else act!.resolve({ seq });
    this.flush();
  }

  /** flush sends what may be sent now. */
  flush(): void {
    clearTimeout(this.#timer);
    for (const act of this.#unanswered) if (!act.here && !this.#write(act)) return;
    while (this.#waiting.length && this.#unanswered.length < (this.#limits.unanswered ?? 32)) {
      const act = this.#waiting[0]!;
      if (!this.#write(act)) return;
      this.#waiting.shift();
      if (!act.cseq) continue; // too large
      this.#unanswered.push(act);
    }
  }

  /** fail ends all. */
  fail(err: unknown): void {
    clearTimeout(this.#timer);
    for (const act of [...this.#unanswered.splice(0), ...this.#waiting.splice(0)]) act.reject(err);
  }

  /** write returns false when nothing can be sent now. An action too large is rejected and gets no number. */
  #write(act: Act): boolean {
    const cseq = act.cseq || this.#next;
    const encoded = this.encode({ t: "act", cseq, data: act.data });
    const size = bytes(encoded);
    if (!act.cseq && size > (this.#limits.message ?? Infinity)) {
      act.reject(new RejectedError("too_large", `The action is larger than the ${this.#limits.message} bytes a message may have.`));
      return true;
    }
    if (!this.#allowed(size) || !this.send(encoded)) return false;
    this.#budget--;
    this.#bytes -= size;
    if (!act.cseq) act.cseq = this.#next++;
    act.here = true;
    if (act.sent++) this.resent++;
    return true;
  }

  /** allowed keeps to limits.rate and limits.bytes; what is beyond them goes a little later. */
  #allowed(size: number): boolean {
    const rate = this.#limits.rate || unlimited;
    const bytes = this.#limits.bytes || unlimited;
    const cost = Math.min(size, bytes); // one that is larger than the burst goes all the same
    const now = performance.now();
    const seconds = (now - this.#at) / 1000;
    this.#budget = Math.min(rate, this.#budget + seconds * rate);
    this.#bytes = Math.min(bytes, this.#bytes + seconds * bytes);
    this.#at = now;
    if (this.#budget >= 1 && this.#bytes >= cost) return true;
    const wait = Math.max((1 - this.#budget) / rate, (cost - this.#bytes) / bytes);
    this.#timer = setTimeout(() => this.flush(), Math.ceil(wait * 1000));
    return false;
  }
}
