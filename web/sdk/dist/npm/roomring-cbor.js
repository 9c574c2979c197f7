/* Roomring SDK. Apache-2.0. Made by "make generate". */

// src/codec.ts
var json = {
  subprotocol: "roomring.v1.json",
  encode: JSON.stringify,
  decode: (data) => data.split("\n").filter((line) => line.trim()).map((line) => JSON.parse(line))
};
var bytes = (encoded) => typeof encoded === "string" ? new TextEncoder().encode(encoded).length : encoded.length;

// src/errors.ts
var RejectedError = class extends Error {
  /** code is for programs, reason for people. */
  constructor(code, reason) {
    super(reason || code);
    this.code = code;
    this.reason = reason;
  }
  code;
  reason;
  name = "RejectedError";
};
var kinds = {
  1e3: ["left", "You have left the room."],
  1007: ["refused", "What was said could not be read."],
  4401: ["token", "Who you are could not be told, or no longer: come with a new token."],
  4403: ["forbidden", "This room does not let you in."],
  4404: ["not-found", "There is no such room."],
  4406: ["reload", "This page is older than the server: reload it."],
  4409: ["replaced", "You are playing in another window now."],
  4410: ["over", "The game is over."]
};
var ClosedError = class extends Error {
  /** code is of docs/PROTOCOL.md, section 10, or of RFC 6455; over is there when the room told how it ended. */
  constructor(code, reason, over) {
    const [kind, words] = kinds[code] ?? [code < 4400 ? "unreachable" : "refused", "The server closed the connection."];
    super(reason || words);
    this.code = code;
    this.over = over;
    this.kind = kind;
    this.reason = this.message;
  }
  code;
  over;
  name = "ClosedError";
  /**
   * left: the seat was given up, or close was called; token: come with another one; forbidden: kicked, full,
   * locked or the wrong code; not-found; reload: this program is too old for the server; replaced: the same
   * player came from elsewhere; over: the game is; unreachable: a first join has failed as often as Options.tries
   * says, for the reason given; refused: a mistake of the program's that reason describes.
   */
  kind;
  /** For people. */
  reason;
};
var HTTPError = class extends Error {
  constructor(status, problem2) {
    super(problem2.detail || problem2.title);
    this.status = status;
    this.problem = problem2;
  }
  status;
  problem;
  name = "HTTPError";
};

// src/acts.ts
var unlimited = Number.MAX_SAFE_INTEGER;
var deepest = 31;
var halved = /(^|[^\\])(\\\\)*\\ud[89a-f]/;
function check(v, depth) {
  if (Number.isInteger(v) && !Number.isSafeInteger(v)) {
    throw new RejectedError("bad_action", "A whole number in the action is beyond ±(2⁵³−1): send it as text.");
  }
  if (typeof v !== "object" || v === null) return;
  if (!depth) throw new RejectedError("bad_action", `Arrays and objects of the action are more than ${deepest} deep in one another.`);
  for (const member of Object.values(v)) check(member, depth - 1);
}
var Acts = class {
  /** send writes an encoded message to the socket, or returns false when there is none. */
  constructor(encode2, send) {
    this.encode = encode2;
    this.send = send;
  }
  encode;
  send;
  #waiting = [];
  #unanswered = [];
  // in the order of cseq
  #next = 1;
  // cseq
  #answered = 0;
  // the highest cseq that has its answer
  #limits = {};
  #budget = 0;
  // messages that may be sent at #at
  #bytes = 0;
  // and bytes of them
  #at = 0;
  #timer;
  resent = 0;
  add(action, signal) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const text = JSON.stringify(action);
      if (text === void 0) throw new TypeError("An action is a JSON value; this is none.");
      const data = JSON.parse(text);
      if (halved.test(text)) throw new RejectedError("bad_text", "A text in the action has half a character: cut texts between characters, not in one.");
      check(data, deepest);
      const abort = () => {
        const i = this.#waiting.indexOf(act);
        if (i >= 0) this.#waiting.splice(i, 1);
        act.reject(signal.reason);
      };
      const settled = (f) => (v) => {
        signal?.removeEventListener("abort", abort);
        f(v);
      };
      const act = { data, cseq: 0, sent: 0, here: false, resolve: settled(resolve), reject: settled(reject) };
      signal?.addEventListener("abort", abort);
      this.#waiting.push(act);
      this.flush();
    });
  }
  /** welcomed makes all that has no answer be sent on the new socket. */
  welcomed(cseq, limits) {
    this.#limits = limits;
    this.#budget = limits.rate || unlimited;
    this.#bytes = limits.bytes || unlimited;
    this.#at = performance.now();
    if (cseq < this.#answered) {
      this.#answered = cseq;
      this.#unanswered.forEach((act, i) => act.cseq = cseq + 1 + i);
    }
    for (const act of this.#unanswered) act.here = false;
    const last = this.#unanswered.at(-1);
    this.#next = last ? last.cseq + 1 : cseq + 1;
    this.flush();
  }
  answer(cseq, seq, refusal) {
    const i = this.#unanswered.findIndex((act2) => act2.cseq === cseq);
    if (i < 0) return;
    const [act] = this.#unanswered.splice(i, 1);
    this.#answered = Math.max(this.#answered, cseq);
    if (refusal) act.reject(refusal);
    else act.resolve({ seq });
    this.flush();
  }
  /** flush sends what may be sent now. */
  flush() {
    clearTimeout(this.#timer);
    for (const act of this.#unanswered) if (!act.here && !this.#write(act)) return;
    while (this.#waiting.length && this.#unanswered.length < (this.#limits.unanswered ?? 32)) {
      const act = this.#waiting[0];
      if (!this.#write(act)) return;
      this.#waiting.shift();
      if (!act.cseq) continue;
      this.#unanswered.push(act);
    }
  }
  /** fail ends all. */
  fail(err) {
    clearTimeout(this.#timer);
    for (const act of [...this.#unanswered.splice(0), ...this.#waiting.splice(0)]) act.reject(err);
  }
  /** write returns false when nothing can be sent now. An action too large is rejected and gets no number. */
  #write(act) {
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
  #allowed(size) {
    const rate = this.#limits.rate || unlimited;
    const bytes2 = this.#limits.bytes || unlimited;
    const cost = Math.min(size, bytes2);
    const now = performance.now();
    const seconds = (now - this.#at) / 1e3;
    this.#budget = Math.min(rate, this.#budget + seconds * rate);
    this.#bytes = Math.min(bytes2, this.#bytes + seconds * bytes2);
    this.#at = now;
    if (this.#budget >= 1 && this.#bytes >= cost) return true;
    const wait = Math.max((1 - this.#budget) / rate, (cost - this.#bytes) / bytes2);
    this.#timer = setTimeout(() => this.flush(), Math.ceil(wait * 1e3));
    return false;
  }
};

// src/check.ts
function canonical(v) {
  if (Array.isArray(v)) return "[" + v.map(canonical).join() + "]";
  if (typeof v !== "object" || v === null) return JSON.stringify(v);
  const o = v;
  const names = Object.keys(o).sort();
  return "{" + names.map((name) => JSON.stringify(name) + ":" + canonical(o[name])).join() + "}";
}
var table;
function makeTable() {
  return Uint32Array.from({ length: 256 }, (_, n) => {
    for (let bit = 0; bit < 8; bit++) n = n & 1 ? 3988292384 ^ n >>> 1 : n >>> 1;
    return n;
  });
}
function crc32(text) {
  table ??= makeTable();
  let crc = -1;
  for (const byte of new TextEncoder().encode(text)) crc = table[(crc ^ byte) & 255] ^ crc >>> 8;
  return ~crc >>> 0;
}

// src/emitter.ts
var Emitter = class {
  #listeners = /* @__PURE__ */ new Map();
  on(type, f, signal) {
    if (signal?.aborted) return () => {
    };
    const g = (...args) => f(...args);
    let set2 = this.#listeners.get(type);
    if (!set2) this.#listeners.set(type, set2 = /* @__PURE__ */ new Set());
    set2.add(g);
    const off = () => {
      set2.delete(g);
      signal?.removeEventListener("abort", off);
    };
    signal?.addEventListener("abort", off);
    return off;
  }
  emit(type, ...args) {
    for (const f of [...this.#listeners.get(type) ?? []]) {
      try {
        f(...args);
      } catch (err) {
        queueMicrotask(() => {
          throw err;
        });
      }
    }
  }
};
var Queue = class {
  constructor(max, cleanup) {
    this.max = max;
    this.cleanup = cleanup;
  }
  max;
  cleanup;
  #items = [];
  #readers = [];
  #ended = false;
  push(item) {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (reader) return reader({ value: item, done: false });
    if (this.#items.push(item) > this.max) this.#items.shift();
  }
  /** end lets what is queued be read. */
  end() {
    if (this.#ended) return;
    this.#ended = true;
    for (const reader of this.#readers.splice(0)) reader({ value: void 0, done: true });
    this.cleanup();
  }
  async next() {
    if (this.#items.length) return { value: this.#items.shift(), done: false };
    if (this.#ended) return { value: void 0, done: true };
    return new Promise((resolve) => this.#readers.push(resolve));
  }
  async return() {
    this.#items.length = 0;
    this.end();
    return { value: void 0, done: true };
  }
  [Symbol.asyncIterator]() {
    return this;
  }
};

// src/link.ts
var unreadable = 1007;
var connectWithin = 1e4;
var wakeWithin = 3e3;
var Link = class {
  constructor(url, make, codec, owner) {
    this.url = url;
    this.codec = codec;
    this.owner = owner;
    const ws = this.#ws = make(url, codec.subprotocol);
    this.#beat = setTimeout(() => this.drop("the server does not answer"), connectWithin);
    ws.binaryType = "arraybuffer";
    ws.onopen = () => {
      this.open = true;
      owner.opened(this);
    };
    ws.onmessage = (e) => this.#received(e.data);
    ws.onclose = (e) => this.#lost(e.code, e.reason || this.#fault);
    ws.onerror = (e) => this.#fault = String(e?.message ?? "");
  }
  url;
  codec;
  owner;
  open = false;
  welcomedAt;
  #ws;
  #heard = performance.now();
  #heartbeat = Infinity;
  // milliseconds, from the welcome on
  #pinged = 0;
  #beat;
  #check;
  #fault = "";
  // what the runtime says of a failure: Node's do, browsers keep it to themselves
  #done = false;
  /** welcomed starts the heart, or sets its pace anew. */
  welcomed(heartbeat) {
    this.welcomedAt ??= performance.now();
    this.#heartbeat = heartbeat;
    clearTimeout(this.#beat);
    this.#tick();
  }
  send(m) {
    this.write(this.codec.encode(m));
  }
  write(encoded) {
    if (this.#done || !this.open) return false;
    try {
      this.#ws.send(encoded);
    } catch {
      return false;
    }
    return true;
  }
  /** check gives up the server unless it says something soon: for a socket that may have died in its sleep. */
  check() {
    const since = performance.now();
    if (this.welcomedAt !== void 0) this.#ping();
    clearTimeout(this.#check);
    this.#check = setTimeout(() => this.#heard < since && this.drop("the connection died"), wakeWithin);
  }
  /** drop gives the socket up: it is lost at once, whatever the closing handshake takes. */
  drop(reason, code = 1006) {
    this.#lost(code, reason);
    this.#ws.terminate ? this.#ws.terminate() : this.#ws.close();
  }
  /** close ends the link without a word to the owner. */
  close() {
    this.#stop();
    this.#ws.close(1e3);
  }
  #tick() {
    if (performance.now() - this.#heard > 2.5 * this.#heartbeat) return this.drop("the server fell silent");
    this.#beat = setTimeout(() => this.#tick(), this.#heartbeat / 2);
    this.#ping();
  }
  #ping() {
    this.#pinged = performance.now();
    this.send({ t: "ping", echo: this.#pinged });
  }
  #received(data) {
    this.#heard = performance.now();
    if (this.#heard - this.#pinged > this.#heartbeat / 2) this.#ping();
    try {
      for (const m of this.codec.decode(data)) if (!this.#done) this.owner.received(this, m);
    } catch (err) {
      this.drop(`The server said what cannot be read: ${err.message}`, unreadable);
    }
  }
  #lost(code, reason) {
    if (this.#done) return;
    this.#stop();
    this.owner.lost(this, code, reason);
  }
  #stop() {
    this.#done = true;
    clearTimeout(this.#beat);
    clearTimeout(this.#check);
    const ws = this.#ws;
    ws.onopen = ws.onmessage = ws.onclose = null;
  }
};

// src/patch.ts
var isObject = (v) => typeof v === "object" && v !== null && !Array.isArray(v);
var own = (v, name) => typeof v === "object" && v !== null && Object.hasOwn(v, name) ? v[name] : void 0;
var set = (o, name, value) => Object.defineProperty(o, name, { value, configurable: true, enumerable: true, writable: true });
function patch(target, patch2) {
  return merge(target, patch2);
}
function merge(target, patch2) {
  if (!isObject(patch2)) return share(target, patch2);
  const old = isObject(target) ? target : void 0;
  let out;
  for (const name of Object.keys(patch2)) {
    const had = old !== void 0 && Object.hasOwn(old, name);
    if (patch2[name] === null) {
      if (had) delete (out ??= { ...old })[name];
      continue;
    }
    const before = own(old, name);
    const after = merge(before, patch2[name]);
    if (!had || after !== before) set(out ??= { ...old }, name, after);
  }
  return out ?? old ?? {};
}
function share(old, v) {
  if (Array.isArray(v) && Array.isArray(old)) {
    const out = v.map((x, i) => share(old[i], x));
    return out.length === old.length && out.every((x, i) => x === old[i]) ? old : out;
  }
  if (isObject(v) && isObject(old)) {
    const names = Object.keys(v);
    let same = names.length === Object.keys(old).length;
    const out = {};
    for (const name of names) {
      set(out, name, share(own(old, name), v[name]));
      same &&= Object.hasOwn(old, name) && out[name] === old[name];
    }
    return same ? old : out;
  }
  return v;
}
function changes(path, before, after, f, at = []) {
  if (before === after) return;
  if (at.length === path.length) return f(after, at);
  const name = path[at.length];
  const names = name === "*" ? /* @__PURE__ */ new Set([...members(before), ...members(after)]) : [name];
  for (const n of names) changes(path, own(before, n), own(after, n), f, [...at, n]);
}
var members = (v) => typeof v === "object" && v !== null ? Object.keys(v) : [];

// src/session.ts
var maxDelay = 1e4;
var young = 5e3;
var maxUnread = 3;
var maxEvents = 1024;
var Session = class {
  id;
  spectator;
  game = "";
  player = "";
  seat = -1;
  view;
  state = "connecting";
  lag = NaN;
  clockOffset = 0;
  over;
  #host;
  #target;
  #emitter = new Emitter();
  #acts;
  #stats = { sockets: 0, recovered: 0, states: 0, turns: 0, checks: 0, mismatches: 0, lost: 0 };
  #urls;
  // of the target, the one whose turn it is first; only that one once it has led to the room
  #url;
  // where the next socket goes
  #link;
  // welcomed
  #next;
  // opening
  #tries = 0;
  // of connect, so that one overtaken stops
  #timer;
  #losses = 0;
  // in a row
  #failed = 0;
  // sockets before the first view
  #unread = 0;
  // sockets since the last view that could be read
  #attempt = 0;
  #token;
  // of the newest socket
  #renewed = false;
  // since the last welcome
  #epoch = 0;
  // the last one told
  #seq = 0;
  // of the last state or turn
  #floor = 0;
  // turns up to here came by an older socket
  #seen = false;
  // there is a view
  #sound = false;
  // and it may be resumed from
  #began = 0;
  // performance.now() when room time was 0
  #bestLag = Infinity;
  #leaving = false;
  #closed;
  #ready;
  /** ready resolves with the first view. */
  ready = new Promise((resolve, reject) => this.#ready = { resolve, reject });
  constructor(host, target) {
    this.#host = host;
    this.#target = target;
    this.id = target.id;
    this.spectator = target.spectator;
    this.#urls = [...target.urls];
    this.#url = this.#urls[0];
    this.#acts = new Acts(host.codec.encode, (encoded) => this.#link?.write(encoded) ?? false);
    this.ready.catch(() => {
    });
    this.#listen("addEventListener");
    void this.#connect();
  }
  get stats() {
    return { ...this.#stats, resent: this.#acts.resent };
  }
  roomTime() {
    return performance.now() - this.#began;
  }
  act(action, o) {
    if (this.#closed) return Promise.reject(this.#closed);
    if (this.spectator) return Promise.reject(new RejectedError("spectator", "Who watches cannot act."));
    return this.#acts.add(action, o?.signal);
  }
  on(type, f, o) {
    return this.#emitter.on(type, f, o?.signal);
  }
  watch(path, f, o) {
    const names = typeof path === "string" ? path ? path.split(".") : [] : path;
    return this.on("view", (view, previous) => changes(names, previous, view, f), o);
  }
  events(o) {
    return this.#iterate("event", maxEvents, o?.signal);
  }
  views(o) {
    return this.#iterate("view", 1, o?.signal, this.#seen ? [this.view] : []);
  }
  resync() {
    this.#sound = false;
    this.#link?.send({ t: "resync" });
  }
  leave() {
    if (this.#closed || this.spectator) return Promise.resolve(this.close());
    this.#leaving = true;
    this.#link?.send({ t: "leave" });
    return new Promise((resolve) => this.on("closed", () => resolve()));
  }
  close() {
    this.#end(new ClosedError(1e3, "This client has closed the connection."));
  }
  /** fail ends a session that nobody has got hold of yet. */
  fail(err) {
    this.#ready.reject(err);
    this.close();
  }
  // Sockets.
  async #connect() {
    const mine = ++this.#tries;
    clearTimeout(this.#timer);
    this.#timer = void 0;
    this.#next?.close();
    this.#next = void 0;
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
  #hindered(err) {
    const http = err instanceof HTTPError;
    const refused = http && err.status < 500 && err.status !== 429;
    if (!this.#seen && (refused || !http)) return this.fail(err);
    if (refused) return this.#end(new ClosedError(4401, err.message));
    if (this.#hopeless()) return this.fail(err);
    this.#url = this.#urls[0];
    this.#retry(1006, String(err));
  }
  opened(link) {
    const { client, spectator, name, code } = this.#target;
    const hello = { t: "hello", client, attempt: this.#attempt };
    if (this.#token) hello.token = this.#token;
    if (name) hello.name = name;
    if (spectator) hello.as = "spectator";
    if (code) hello.code = code;
    if (this.#sound) hello.resume = { epoch: this.#epoch, seq: this.#seq };
    link.send(hello);
  }
  lost(link, code, reason) {
    if (link === this.#next) this.#next = void 0;
    if (link === this.#link) this.#link = void 0;
    if (code === 4401 && !this.#renewed && this.#host.renew(this.#token, this.#seen)) {
      this.#renewed = true;
      if (this.#seen && !this.#link) this.#become("reconnecting", { code, reason, retryIn: 0 });
      return void this.#connect();
    }
    if (code === 4409 && this.#next && link !== this.#next) return;
    if (code === 1e3 || code >= 4400 && code < 4500) return this.#end(new ClosedError(code, reason, this.over));
    if (code === unreadable) {
      this.#sound = false;
      if (++this.#unread >= maxUnread) return this.#end(new ClosedError(code, reason, this.over));
    }
    const hopeless = this.#hopeless();
    if (!link.open) {
      this.#urls.push(this.#urls.shift());
      this.#url = this.#urls[0];
    }
    if (hopeless || !link.open) void this.#askWhy(code, link, reason, hopeless);
    if (hopeless) return;
    if (link.welcomedAt !== void 0 && performance.now() - link.welcomedAt > young) this.#losses = 0;
    this.#retry(code, reason);
  }
  /** hopeless counts a failure before the first view, and reports whether there were as many as a join may have. */
  #hopeless() {
    return !this.#seen && !this.#link && !this.#next && ++this.#failed >= this.#target.tries;
  }
  /** askWhy finds out whether a socket was refused because there is no such room: browsers do not tell. It ends a hopeless join. */
  async #askWhy(code, link, reason, hopeless) {
    const { gone, reason: told } = await this.#host.ask(this.id);
    if (gone) return this.#end(new ClosedError(4404, "", this.over));
    if (!hopeless) return;
    this.#end(new ClosedError(code, link.open ? reason || told : `No socket opens at ${link.url}${reason && ` (${reason})`}. ${told}`));
  }
  /** retry connects, at once after a first loss and then with full jitter, unless a socket is on its way. */
  #retry(code, reason) {
    if (this.#closed) return;
    let why = { code, reason };
    if (!this.#next) why = { code, reason, retryIn: this.#schedule() };
    if (!this.#link && this.#seen) this.#become("reconnecting", why);
  }
  #schedule() {
    const n = this.#losses++;
    const delay = n && Math.random() * Math.min(maxDelay, 250 * 2 ** n);
    this.#tries++;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#connect(), delay);
    return delay;
  }
  #wake = (e) => {
    if (e.type === "visibilitychange" && document.visibilityState === "hidden") return;
    if (this.#timer !== void 0) void this.#connect();
    this.#link?.check();
    this.#next?.check();
  };
  #listen(how) {
    globalThis[how]?.("online", this.#wake);
    globalThis[how]?.("pageshow", this.#wake);
    globalThis.document?.[how]("visibilitychange", this.#wake);
  }
  // Messages.
  received(link, m) {
    switch (m.t) {
      case "welcome":
        return this.#welcome(link, m);
      case "state":
        return this.#state(m);
      case "turn":
        return this.#turn(m);
      // An ack can be ahead of turns that a slow reader is spared, so it says nothing about what the view shows.
      case "ack":
        return this.#acts.answer(m.cseq, m.seq);
      case "reject":
        return this.#acts.answer(m.cseq, m.seq, new RejectedError(m.code, m.reason ?? ""));
      case "pong":
        return this.#pong(m);
      case "move":
        return this.#move(link, m);
      case "over":
        return this.#ended(m);
    }
  }
  #welcome(link, m) {
    if (link === this.#next) {
      if (this.#urls.includes(link.url)) this.#urls = [link.url];
      this.#link?.close();
      this.#next = void 0;
      this.#link = link;
    }
    const player = m.player ?? "";
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
    if (m.recovered) this.#become("open");
  }
  #state(m) {
    this.#stats.states++;
    this.#stats.lost += m.lost ?? 0;
    this.#sound = false;
    this.#show(m, this.#seen ? share(this.view, m.view) : m.view);
    this.#sound = true;
    this.#start();
  }
  #turn(m) {
    if (!this.#seen || m.seq <= this.#floor) return;
    this.#stats.turns++;
    this.#show(m, "patch" in m ? patch(this.view, m.patch) : this.view);
    for (const e of m.events ?? []) this.#emitter.emit("event", { ...e, seq: m.seq });
  }
  #show(m, view) {
    const previous = this.#seen ? this.view : void 0;
    const changed = !this.#seen || view !== previous;
    this.#epoch = m.epoch ?? this.#epoch;
    this.#seq = Math.max(this.#seq, m.seq);
    this.view = view;
    this.#seen = true;
    this.#unread = 0;
    if (m.check !== void 0) this.#prove(m.check);
    if (changed) this.#emitter.emit("view", view, previous);
  }
  #prove(check2) {
    if (crc32(canonical(this.view)) === check2) {
      this.#stats.checks++;
      return;
    }
    this.#stats.mismatches++;
    if (this.#sound) this.resync();
  }
  /** start is when the room may be handed out. */
  #start() {
    this.#ready.resolve();
    if (this.#link) this.#become("open");
  }
  #pong(m) {
    if (typeof m.echo !== "number") return;
    this.lag = performance.now() - m.echo;
    this.#bestLag = Math.min(this.lag, this.#bestLag * 1.1);
    if (this.lag === this.#bestLag) this.clockOffset = m.time + this.lag / 2 - Date.now();
    this.#emitter.emit("lag", this.lag);
  }
  #move(link, m) {
    if (link !== this.#link) return;
    if (m.url) this.#url = new URL(m.url, this.#url).href;
    if (performance.now() - link.welcomedAt > young) this.#losses = 0;
    this.#emitter.emit("move", { within: m.within, ...m.url && { url: m.url } });
    if (!this.#next && !this.#closed) this.#schedule();
  }
  #ended(m) {
    const { t: _, ...over } = m;
    this.over = over;
    this.#emitter.emit("over", this.over);
    if (this.#link) this.#start();
  }
  // Ends.
  #become(state, why) {
    if (state === this.state && state !== "reconnecting") return;
    this.state = state;
    this.#emitter.emit("state", state, why);
  }
  #end(err) {
    if (this.#closed) return;
    this.#closed = err;
    this.#tries++;
    clearTimeout(this.#timer);
    this.#listen("removeEventListener");
    this.#next?.close();
    this.#link?.close();
    this.#next = this.#link = void 0;
    this.#acts.fail(err);
    this.#ready.reject(err);
    this.#become("closed", { code: err.code, reason: err.reason, kind: err.kind });
    this.#emitter.emit("closed", err);
  }
  #iterate(type, max, signal, first = []) {
    const offs = [];
    const queue = new Queue(max, () => offs.forEach((off) => off()));
    first.forEach((x) => queue.push(x));
    const end = () => queue.end();
    if (this.#closed || signal?.aborted) end();
    else {
      signal?.addEventListener("abort", end);
      offs.push(
        this.#emitter.on(type, (x) => queue.push(x)),
        this.on("closed", end),
        () => signal?.removeEventListener("abort", end)
      );
    }
    return queue;
  }
};

// src/client.ts
var Roomring = class {
  /** @internal */
  get codec() {
    return json;
  }
  #o;
  #base;
  #storage;
  #guest;
  #becoming;
  #player;
  constructor(o = {}) {
    const url = o.url ?? globalThis.location?.origin;
    if (!url) throw new TypeError('There is no page whose server to ask: pass url, such as new Roomring({ url: "https://play.example.org" }).');
    this.#o = o;
    this.#base = new URL(url).href.replace(/\/$/, "");
    this.#storage = o.storage === void 0 ? ownStorage() : o.storage;
    if (!o.token) this.#guest = this.#kept();
  }
  /** The player's id, once it is known. */
  get player() {
    return this.#player ?? this.#guest?.player;
  }
  // Who plays.
  /** Becomes a new guest, who plays from now on and is kept in the storage. */
  async guest(o = {}) {
    const name = o.name ?? this.#o.name;
    const guest = await this.#ask("/v1/guest", { ...o, method: "POST", body: name === void 0 ? {} : { name } });
    this.#keep(guest);
    return guest;
  }
  #kept() {
    try {
      const guest = JSON.parse(this.#storage?.getItem(this.#key) ?? "null");
      return typeof guest?.token === "string" ? guest : void 0;
    } catch {
      return void 0;
    }
  }
  #keep(guest) {
    this.#guest = guest;
    this.#player = guest?.player;
    try {
      if (guest) this.#storage?.setItem(this.#key, JSON.stringify(guest));
      else this.#storage?.removeItem(this.#key);
    } catch {
    }
  }
  get #key() {
    return "roomring:" + this.#base;
  }
  /** token is the player's; becoming a guest is shared by all who ask meanwhile. */
  async #token(required) {
    const { token } = this.#o;
    if (token) return typeof token === "function" ? token() : token;
    if (!this.#guest && required) {
      this.#becoming ??= this.guest().finally(() => this.#becoming = void 0);
      await this.#becoming;
    }
    return this.#guest?.token;
  }
  /** renew forgets a refused guest, and reports whether there is another token to try: a guest's is another player's. */
  #renew(refused, same) {
    if (this.#o.token) return typeof this.#o.token === "function";
    if (this.#guest?.token === refused) this.#keep(void 0);
    return refused !== void 0 && !same;
  }
  // HTTP.
  async #ask(path, ask = {}, again = true) {
    const token = ask.as && await this.#token(ask.as === "player");
    const headers = {};
    if (token) headers.Authorization = "Bearer " + token;
    const init = { headers };
    if (ask.method) init.method = ask.method;
    if (ask.signal) init.signal = ask.signal;
    if (ask.body !== void 0) {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(ask.body);
    }
    const answer = await (this.#o.fetch ?? fetch)(this.#base + path, init);
    if (answer.ok) return answer.json();
    if (answer.status === 401 && again && token && this.#renew(token, false)) return this.#ask(path, ask, false);
    throw new HTTPError(answer.status, await problem(answer));
  }
  async games(o) {
    return (await this.#ask("/v1/games", o)).games;
  }
  rooms(q = {}, o) {
    return this.#ask("/v1/rooms" + query(q), o);
  }
  room(id, o) {
    return this.#ask(`/v1/rooms/${encodeURIComponent(id)}`, o);
  }
  /** The private room with a join code. It rejects with an HTTPError of status 404 when there is none. */
  async findRoom(code, o) {
    const { rooms } = await this.#ask("/v1/rooms" + query({ code }), o);
    if (rooms[0]) return rooms[0];
    throw new HTTPError(404, { type: "about:blank", title: "Not Found", status: 404, detail: "There is no room with this code." });
  }
  create(c, o) {
    return this.#ask("/v1/rooms", { ...o, method: "POST", body: c, as: "player" });
  }
  /**
   * A room in which a seat is held for 15 s: join it. Asking again with the same ticket, of 16 characters or more, gets
   * the same room; without one it is drawn at random.
   */
  matchmake(m, o) {
    return this.#ask("/v1/matchmake", { ...o, method: "POST", body: { ...m, ticket: m.ticket ?? newID() }, as: "player" });
  }
  result(room, o) {
    return this.#ask(`/v1/results/${encodeURIComponent(room)}`, { ...o, as: "known" });
  }
  profile(player, o) {
    return this.#ask(`/v1/players/${encodeURIComponent(player)}`, { ...o, as: "known" });
  }
  async leaderboard(game, q = {}, o) {
    return (await this.#ask(`/v1/leaderboards/${encodeURIComponent(game)}${query(q)}`, o)).players;
  }
  /** A page of the leaderboard; next leads to the one behind it, however far down. */
  leaderboardPage(game, q = {}, o) {
    return this.#ask(`/v1/leaderboards/${encodeURIComponent(game)}${query(q)}`, o);
  }
  join(room, o = {}) {
    return this.#enter(room, false, o);
  }
  spectate(room, o = {}) {
    return this.#enter(room, true, o);
  }
  async #enter(room, spectator, o) {
    o.signal?.throwIfAborted();
    const Socket = this.#o.WebSocket ?? globalThis.WebSocket;
    if (!Socket) {
      throw new TypeError("This runtime has no WebSocket: pass one, such as that of the npm package ws: new Roomring({ url, WebSocket }).");
    }
    const info = typeof room === "string" ? { id: room } : room;
    const target = {
      id: info.id,
      urls: addresses(`${this.#base.replace(/^http/, "ws")}/v1/rooms/${encodeURIComponent(info.id)}/ws`, info.ws_url),
      tries: this.#o.tries ?? 10,
      client: this.#o.client ?? newID(),
      spectator,
      name: this.#o.name,
      code: o.code ?? info.code
    };
    const session = new Session({
      codec: this.codec,
      open: (url, protocol) => new Socket(url, protocol),
      token: (watching) => this.#token(!watching),
      renew: (token, same) => this.#renew(token, same),
      welcomed: (player, token) => this.#welcomed(player, token),
      ask: (id) => this.#ask(`/v1/rooms/${encodeURIComponent(id)}`).then(
        () => ({ gone: false, reason: "HTTP gets through: look whether each proxy on the way passes WebSocket upgrades on." }),
        (err) => ({ gone: err.status === 404 || err.status === 400, reason: err.message })
        // 400: no room can have that id
      )
    }, target);
    const abort = () => session.fail(o.signal.reason);
    o.signal?.addEventListener("abort", abort);
    try {
      await session.ready;
    } finally {
      o.signal?.removeEventListener("abort", abort);
    }
    return session;
  }
  #welcomed(player, token) {
    if (token && !this.#o.token) this.#keep({ token, player, name: this.#o.name ?? "" });
    if (player) this.#player = player;
  }
};
function addresses(own2, given = own2) {
  const to = new URL(given, own2);
  const mine = new URL(own2);
  mine.search = to.search;
  const wrong = to.host === mine.host || to.protocol === "ws:" && mine.protocol === "wss:";
  return wrong || to.href === mine.href ? [mine.href] : [to.href, mine.href];
}
function ownStorage() {
  try {
    return globalThis.document ? globalThis.localStorage : null;
  } catch {
    return null;
  }
}
function newID() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}
function query(q) {
  const set2 = Object.entries(q).filter(([, v]) => v !== void 0).map(([k, v]) => [k, String(v)]);
  return set2.length ? "?" + new URLSearchParams(set2) : "";
}
async function problem(answer) {
  const found = await answer.json().catch(() => void 0);
  return found?.title ? found : { type: "about:blank", title: answer.statusText || `HTTP ${answer.status}`, status: answer.status };
}

// ../node_modules/cborg/lib/is.js
var objectTypeNames = [
  "Object",
  // for Object.create(null) and other non-plain objects
  "RegExp",
  "Date",
  "Error",
  "Map",
  "Set",
  "WeakMap",
  "WeakSet",
  "ArrayBuffer",
  "SharedArrayBuffer",
  "DataView",
  "Promise",
  "URL",
  "HTMLElement",
  "Int8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
  "Tagged"
];
function is(value) {
  if (value === null) {
    return "null";
  }
  if (value === void 0) {
    return "undefined";
  }
  if (value === true || value === false) {
    return "boolean";
  }
  const typeOf = typeof value;
  if (typeOf === "string" || typeOf === "number" || typeOf === "bigint" || typeOf === "symbol") {
    return typeOf;
  }
  if (typeOf === "function") {
    return "Function";
  }
  if (Array.isArray(value)) {
    return "Array";
  }
  if (value instanceof Uint8Array) {
    return "Uint8Array";
  }
  if (value.constructor === Object) {
    return "Object";
  }
  const objectType = getObjectType(value);
  if (objectType) {
    return objectType;
  }
  return "Object";
}
function getObjectType(value) {
  const objectTypeName = Object.prototype.toString.call(value).slice(8, -1);
  if (objectTypeNames.includes(objectTypeName)) {
    return objectTypeName;
  }
  return void 0;
}

// ../node_modules/cborg/lib/token.js
var Type = class {
  /**
   * @param {number} major
   * @param {string} name
   * @param {boolean} terminal
   */
  constructor(major, name, terminal) {
    this.major = major;
    this.majorEncoded = major << 5;
    this.name = name;
    this.terminal = terminal;
  }
  toString() {
    return `Type[${this.major}].${this.name}`;
  }
  /**
   * @param {Type} typ
   * @returns {number}
   */
  compare(typ) {
    return this.major < typ.major ? -1 : this.major > typ.major ? 1 : 0;
  }
  /**
   * Check equality between two Type instances. Safe to use across different
   * copies of the Type class (e.g., when bundlers duplicate the module).
   * (major, name) uniquely identifies a Type; terminal is implied by these.
   * @param {Type} a
   * @param {Type} b
   * @returns {boolean}
   */
  static equals(a, b) {
    return a === b || a.major === b.major && a.name === b.name;
  }
};
Type.uint = new Type(0, "uint", true);
Type.negint = new Type(1, "negint", true);
Type.bytes = new Type(2, "bytes", true);
Type.string = new Type(3, "string", true);
Type.array = new Type(4, "array", false);
Type.map = new Type(5, "map", false);
Type.tag = new Type(6, "tag", false);
Type.float = new Type(7, "float", true);
Type.false = new Type(7, "false", true);
Type.true = new Type(7, "true", true);
Type.null = new Type(7, "null", true);
Type.undefined = new Type(7, "undefined", true);
Type.break = new Type(7, "break", true);
var Token = class {
  /**
   * @param {Type} type
   * @param {any} [value]
   * @param {number} [encodedLength]
   */
  constructor(type, value, encodedLength) {
    this.type = type;
    this.value = value;
    this.encodedLength = encodedLength;
    this.encodedBytes = void 0;
    this.byteValue = void 0;
  }
  toString() {
    return `Token[${this.type}].${this.value}`;
  }
};

// ../node_modules/cborg/lib/byte-utils.js
var useBuffer = globalThis.process && // @ts-ignore
!globalThis.process.browser && // @ts-ignore
globalThis.Buffer && // @ts-ignore
typeof globalThis.Buffer.isBuffer === "function";
var textEncoder = new TextEncoder();
function isBuffer(buf) {
  return useBuffer && globalThis.Buffer.isBuffer(buf);
}
function asU8A(buf) {
  if (!(buf instanceof Uint8Array)) {
    return Uint8Array.from(buf);
  }
  return isBuffer(buf) ? new Uint8Array(buf.buffer, buf.byteOffset, buf.byteLength) : buf;
}
var FROM_STRING_THRESHOLD_BUFFER = 24;
var FROM_STRING_THRESHOLD_TEXTENCODER = 200;
var fromString = useBuffer ? (
  // eslint-disable-line operator-linebreak
  /**
   * @param {string} string
   */
  (string) => {
    return string.length >= FROM_STRING_THRESHOLD_BUFFER ? (
      // eslint-disable-line operator-linebreak
      // @ts-ignore
      globalThis.Buffer.from(string)
    ) : utf8ToBytes(string);
  }
) : (
  // eslint-disable-line operator-linebreak
  /**
   * @param {string} string
   */
  (string) => {
    return string.length >= FROM_STRING_THRESHOLD_TEXTENCODER ? textEncoder.encode(string) : utf8ToBytes(string);
  }
);
var fromArray = (arr) => {
  return Uint8Array.from(arr);
};
var slice = useBuffer ? (
  // eslint-disable-line operator-linebreak
  /**
   * @param {Uint8Array} bytes
   * @param {number} start
   * @param {number} end
   */
  // Buffer.slice() returns a view, not a copy, so we need special handling
  (bytes2, start, end) => {
    if (isBuffer(bytes2)) {
      return new Uint8Array(bytes2.subarray(start, end));
    }
    return bytes2.slice(start, end);
  }
) : (
  // eslint-disable-line operator-linebreak
  /**
   * @param {Uint8Array} bytes
   * @param {number} start
   * @param {number} end
   */
  (bytes2, start, end) => {
    return bytes2.slice(start, end);
  }
);
var concat = useBuffer ? (
  // eslint-disable-line operator-linebreak
  /**
   * @param {ByteView[]} chunks
   * @param {number} length
   * @returns {AllocatedByteView}
   */
  (chunks, length) => {
    chunks = chunks.map((c) => c instanceof Uint8Array ? c : (
      // eslint-disable-line operator-linebreak
      // @ts-ignore
      globalThis.Buffer.from(c)
    ));
    return (
      /** @type {AllocatedByteView} */
      asU8A(globalThis.Buffer.concat(chunks, length))
    );
  }
) : (
  // eslint-disable-line operator-linebreak
  /**
   * @param {ByteView[]} chunks
   * @param {number} length
   * @returns {AllocatedByteView}
   */
  (chunks, length) => {
    const out = new Uint8Array(length);
    let off = 0;
    for (let b of chunks) {
      if (off + b.length > out.length) {
        b = b.subarray(0, out.length - off);
      }
      out.set(b, off);
      off += b.length;
    }
    return out;
  }
);
var alloc = useBuffer ? (
  // eslint-disable-line operator-linebreak
  /**
   * @param {number} size
   * @returns {AllocatedByteView}
   */
  (size) => {
    return globalThis.Buffer.allocUnsafe(size);
  }
) : (
  // eslint-disable-line operator-linebreak
  /**
   * @param {number} size
   * @returns {AllocatedByteView}
   */
  (size) => {
    return new Uint8Array(size);
  }
);
function compare(b1, b2) {
  if (isBuffer(b1) && isBuffer(b2)) {
    return b1.compare(b2);
  }
  for (let i = 0; i < b1.length; i++) {
    if (b1[i] === b2[i]) {
      continue;
    }
    return b1[i] < b2[i] ? -1 : 1;
  }
  return 0;
}
function utf8ToBytes(str) {
  const out = [];
  let p = 0;
  for (let i = 0; i < str.length; i++) {
    let c = str.charCodeAt(i);
    if (c < 128) {
      out[p++] = c;
    } else if (c < 2048) {
      out[p++] = c >> 6 | 192;
      out[p++] = c & 63 | 128;
    } else if ((c & 64512) === 55296 && i + 1 < str.length && (str.charCodeAt(i + 1) & 64512) === 56320) {
      c = 65536 + ((c & 1023) << 10) + (str.charCodeAt(++i) & 1023);
      out[p++] = c >> 18 | 240;
      out[p++] = c >> 12 & 63 | 128;
      out[p++] = c >> 6 & 63 | 128;
      out[p++] = c & 63 | 128;
    } else {
      if (c >= 55296 && c <= 57343) {
        c = 65533;
      }
      out[p++] = c >> 12 | 224;
      out[p++] = c >> 6 & 63 | 128;
      out[p++] = c & 63 | 128;
    }
  }
  return out;
}

// ../node_modules/cborg/lib/bl.js
var defaultChunkSize = 256;
var Bl = class {
  /**
   * @param {number} [chunkSize]
   */
  constructor(chunkSize = defaultChunkSize) {
    this.chunkSize = chunkSize;
    this.cursor = 0;
    this.maxCursor = -1;
    this.chunks = [];
    this._initReuseChunk = null;
  }
  reset() {
    this.cursor = 0;
    this.maxCursor = -1;
    if (this.chunks.length) {
      this.chunks = [];
    }
    if (this._initReuseChunk !== null) {
      this.chunks.push(this._initReuseChunk);
      this.maxCursor = this._initReuseChunk.length - 1;
    }
  }
  /**
   * @param {number} byte
   */
  pushByte(byte) {
    let topChunk = this.chunks[this.chunks.length - 1];
    if (this.cursor > this.maxCursor) {
      topChunk = alloc(this.chunkSize);
      this.chunks.push(topChunk);
      this.maxCursor += topChunk.length;
      if (this._initReuseChunk === null) {
        this._initReuseChunk = topChunk;
      }
    }
    const chunkPos = topChunk.length - (this.maxCursor - this.cursor) - 1;
    topChunk[chunkPos] = byte;
    this.cursor++;
  }
  /**
   * @param {ByteView|number[]} bytes
   */
  push(bytes2) {
    let topChunk = this.chunks[this.chunks.length - 1];
    const newMax = this.cursor + bytes2.length;
    if (newMax <= this.maxCursor + 1) {
      const chunkPos = topChunk.length - (this.maxCursor - this.cursor) - 1;
      topChunk.set(bytes2, chunkPos);
    } else {
      if (topChunk) {
        const chunkPos = topChunk.length - (this.maxCursor - this.cursor) - 1;
        if (chunkPos < topChunk.length) {
          this.chunks[this.chunks.length - 1] = topChunk.subarray(0, chunkPos);
          this.maxCursor = this.cursor - 1;
        }
      }
      if (bytes2.length < 64 && bytes2.length < this.chunkSize) {
        topChunk = alloc(this.chunkSize);
        this.chunks.push(topChunk);
        this.maxCursor += topChunk.length;
        if (this._initReuseChunk === null) {
          this._initReuseChunk = topChunk;
        }
        topChunk.set(bytes2, 0);
      } else {
        this.chunks.push(bytes2);
        this.maxCursor += bytes2.length;
      }
    }
    this.cursor += bytes2.length;
  }
  /**
   * @param {boolean} [reset]
   * @returns {AllocatedByteView}
   */
  toBytes(reset = false) {
    let byts;
    if (this.chunks.length === 1) {
      const chunk = this.chunks[0];
      if (reset && this.cursor > chunk.length / 2) {
        byts = this.cursor === chunk.length ? chunk : chunk.subarray(0, this.cursor);
        this._initReuseChunk = null;
        this.chunks = [];
      } else {
        byts = slice(chunk, 0, this.cursor);
      }
    } else {
      byts = concat(this.chunks, this.cursor);
    }
    if (reset) {
      this.reset();
    }
    return byts;
  }
};
var U8Bl = class {
  /**
   * @param {Uint8Array<T>} dest
   */
  constructor(dest) {
    this.dest = dest;
    this.cursor = 0;
    this.chunks = [dest];
  }
  reset() {
    this.cursor = 0;
  }
  /**
   * @param {number} byte
   */
  pushByte(byte) {
    if (this.cursor >= this.dest.length) {
      throw new Error("write out of bounds, destination buffer is too small");
    }
    this.dest[this.cursor++] = byte;
  }
  /**
   * @param {ByteView|number[]} bytes
   */
  push(bytes2) {
    if (this.cursor + bytes2.length > this.dest.length) {
      throw new Error("write out of bounds, destination buffer is too small");
    }
    this.dest.set(bytes2, this.cursor);
    this.cursor += bytes2.length;
  }
  /**
   * @param {boolean} [reset]
   * @returns {Uint8Array<T>}
   */
  toBytes(reset = false) {
    const byts = this.dest.subarray(0, this.cursor);
    if (reset) {
      this.reset();
    }
    return byts;
  }
};

// ../node_modules/cborg/lib/common.js
var decodeErrPrefix = "CBOR decode error:";
var encodeErrPrefix = "CBOR encode error:";
var uintMinorPrefixBytes = [];
uintMinorPrefixBytes[23] = 1;
uintMinorPrefixBytes[24] = 2;
uintMinorPrefixBytes[25] = 3;
uintMinorPrefixBytes[26] = 5;
uintMinorPrefixBytes[27] = 9;
function assertEnoughData(data, pos, need) {
  if (data.length - pos < need) {
    throw new Error(`${decodeErrPrefix} not enough data for type`);
  }
}

// ../node_modules/cborg/lib/0uint.js
var uintBoundaries = [24, 256, 65536, 4294967296, BigInt("18446744073709551616")];
function readUint8(data, offset, options) {
  assertEnoughData(data, offset, 1);
  const value = data[offset];
  if (options.strict === true && value < uintBoundaries[0]) {
    throw new Error(`${decodeErrPrefix} integer encoded in more bytes than necessary (strict decode)`);
  }
  return value;
}
function readUint16(data, offset, options) {
  assertEnoughData(data, offset, 2);
  const value = data[offset] << 8 | data[offset + 1];
  if (options.strict === true && value < uintBoundaries[1]) {
    throw new Error(`${decodeErrPrefix} integer encoded in more bytes than necessary (strict decode)`);
  }
  return value;
}
function readUint32(data, offset, options) {
  assertEnoughData(data, offset, 4);
  const value = data[offset] * 16777216 + (data[offset + 1] << 16) + (data[offset + 2] << 8) + data[offset + 3];
  if (options.strict === true && value < uintBoundaries[2]) {
    throw new Error(`${decodeErrPrefix} integer encoded in more bytes than necessary (strict decode)`);
  }
  return value;
}
function readUint64(data, offset, options) {
  assertEnoughData(data, offset, 8);
  const hi = data[offset] * 16777216 + (data[offset + 1] << 16) + (data[offset + 2] << 8) + data[offset + 3];
  const lo = data[offset + 4] * 16777216 + (data[offset + 5] << 16) + (data[offset + 6] << 8) + data[offset + 7];
  const value = (BigInt(hi) << BigInt(32)) + BigInt(lo);
  if (options.strict === true && value < uintBoundaries[3]) {
    throw new Error(`${decodeErrPrefix} integer encoded in more bytes than necessary (strict decode)`);
  }
  if (value <= Number.MAX_SAFE_INTEGER) {
    return Number(value);
  }
  if (options.allowBigInt === true) {
    return value;
  }
  throw new Error(`${decodeErrPrefix} integers outside of the safe integer range are not supported`);
}
function decodeUint8(data, pos, _minor, options) {
  return new Token(Type.uint, readUint8(data, pos + 1, options), 2);
}
function decodeUint16(data, pos, _minor, options) {
  return new Token(Type.uint, readUint16(data, pos + 1, options), 3);
}
function decodeUint32(data, pos, _minor, options) {
  return new Token(Type.uint, readUint32(data, pos + 1, options), 5);
}
function decodeUint64(data, pos, _minor, options) {
  return new Token(Type.uint, readUint64(data, pos + 1, options), 9);
}
function encodeUint(writer, token) {
  return encodeUintValue(writer, 0, token.value);
}
function encodeUintValue(writer, major, uint) {
  if (uint < uintBoundaries[0]) {
    const nuint = Number(uint);
    writer.pushByte(major | nuint);
  } else if (uint < uintBoundaries[1]) {
    const nuint = Number(uint);
    writer.push([major | 24, nuint]);
  } else if (uint < uintBoundaries[2]) {
    const nuint = Number(uint);
    writer.push([major | 25, nuint >>> 8, nuint & 255]);
  } else if (uint < uintBoundaries[3]) {
    const nuint = Number(uint);
    writer.push([major | 26, nuint >>> 24 & 255, nuint >>> 16 & 255, nuint >>> 8 & 255, nuint & 255]);
  } else {
    const buint = BigInt(uint);
    if (buint < uintBoundaries[4]) {
      const set2 = [major | 27, 0, 0, 0, 0, 0, 0, 0];
      let lo = Number(buint & BigInt(4294967295));
      let hi = Number(buint >> BigInt(32) & BigInt(4294967295));
      set2[8] = lo & 255;
      lo = lo >> 8;
      set2[7] = lo & 255;
      lo = lo >> 8;
      set2[6] = lo & 255;
      lo = lo >> 8;
      set2[5] = lo & 255;
      set2[4] = hi & 255;
      hi = hi >> 8;
      set2[3] = hi & 255;
      hi = hi >> 8;
      set2[2] = hi & 255;
      hi = hi >> 8;
      set2[1] = hi & 255;
      writer.push(set2);
    } else {
      throw new Error(`${decodeErrPrefix} encountered BigInt larger than allowable range`);
    }
  }
}
encodeUint.encodedSize = function encodedSize(token) {
  return encodeUintValue.encodedSize(token.value);
};
encodeUintValue.encodedSize = function encodedSize2(uint) {
  if (uint < uintBoundaries[0]) {
    return 1;
  }
  if (uint < uintBoundaries[1]) {
    return 2;
  }
  if (uint < uintBoundaries[2]) {
    return 3;
  }
  if (uint < uintBoundaries[3]) {
    return 5;
  }
  return 9;
};
encodeUint.compareTokens = function compareTokens(tok1, tok2) {
  return tok1.value < tok2.value ? -1 : tok1.value > tok2.value ? 1 : 0;
};

// ../node_modules/cborg/lib/1negint.js
function decodeNegint8(data, pos, _minor, options) {
  return new Token(Type.negint, -1 - readUint8(data, pos + 1, options), 2);
}
function decodeNegint16(data, pos, _minor, options) {
  return new Token(Type.negint, -1 - readUint16(data, pos + 1, options), 3);
}
function decodeNegint32(data, pos, _minor, options) {
  return new Token(Type.negint, -1 - readUint32(data, pos + 1, options), 5);
}
var neg1b = BigInt(-1);
var pos1b = BigInt(1);
function decodeNegint64(data, pos, _minor, options) {
  const int = readUint64(data, pos + 1, options);
  if (typeof int !== "bigint") {
    const value = -1 - int;
    if (value >= Number.MIN_SAFE_INTEGER) {
      return new Token(Type.negint, value, 9);
    }
  }
  if (options.allowBigInt !== true) {
    throw new Error(`${decodeErrPrefix} integers outside of the safe integer range are not supported`);
  }
  return new Token(Type.negint, neg1b - BigInt(int), 9);
}
function encodeNegint(writer, token) {
  const negint = token.value;
  const unsigned = typeof negint === "bigint" ? negint * neg1b - pos1b : negint * -1 - 1;
  encodeUintValue(writer, token.type.majorEncoded, unsigned);
}
encodeNegint.encodedSize = function encodedSize3(token) {
  const negint = token.value;
  const unsigned = typeof negint === "bigint" ? negint * neg1b - pos1b : negint * -1 - 1;
  if (unsigned < uintBoundaries[0]) {
    return 1;
  }
  if (unsigned < uintBoundaries[1]) {
    return 2;
  }
  if (unsigned < uintBoundaries[2]) {
    return 3;
  }
  if (unsigned < uintBoundaries[3]) {
    return 5;
  }
  return 9;
};
encodeNegint.compareTokens = function compareTokens2(tok1, tok2) {
  return tok1.value < tok2.value ? 1 : tok1.value > tok2.value ? -1 : 0;
};

// ../node_modules/cborg/lib/2bytes.js
function toToken(data, pos, prefix, length) {
  assertEnoughData(data, pos, prefix + length);
  const buf = data.slice(pos + prefix, pos + prefix + length);
  return new Token(Type.bytes, buf, prefix + length);
}
function decodeBytesCompact(data, pos, minor, _options) {
  return toToken(data, pos, 1, minor);
}
function decodeBytes8(data, pos, _minor, options) {
  return toToken(data, pos, 2, readUint8(data, pos + 1, options));
}
function decodeBytes16(data, pos, _minor, options) {
  return toToken(data, pos, 3, readUint16(data, pos + 1, options));
}
function decodeBytes32(data, pos, _minor, options) {
  return toToken(data, pos, 5, readUint32(data, pos + 1, options));
}
function decodeBytes64(data, pos, _minor, options) {
  const l = readUint64(data, pos + 1, options);
  if (typeof l === "bigint") {
    throw new Error(`${decodeErrPrefix} 64-bit integer bytes lengths not supported`);
  }
  return toToken(data, pos, 9, l);
}
function tokenBytes(token) {
  if (token.encodedBytes === void 0) {
    token.encodedBytes = Type.equals(token.type, Type.string) ? fromString(token.value) : token.value;
  }
  return token.encodedBytes;
}
function encodeBytes(writer, token) {
  const bytes2 = tokenBytes(token);
  encodeUintValue(writer, token.type.majorEncoded, bytes2.length);
  writer.push(bytes2);
}
encodeBytes.encodedSize = function encodedSize4(token) {
  const bytes2 = tokenBytes(token);
  return encodeUintValue.encodedSize(bytes2.length) + bytes2.length;
};
encodeBytes.compareTokens = function compareTokens3(tok1, tok2) {
  return compareBytes(tokenBytes(tok1), tokenBytes(tok2));
};
function compareBytes(b1, b2) {
  return b1.length < b2.length ? -1 : b1.length > b2.length ? 1 : compare(b1, b2);
}

// ../node_modules/cborg/lib/3string.js
var textDecoder = new TextDecoder();
var ASCII_THRESHOLD = 32;
function toStr(bytes2, start, end) {
  const len = end - start;
  if (len < ASCII_THRESHOLD) {
    let str = "";
    for (let i = start; i < end; i++) {
      const c = bytes2[i];
      if (c & 128) {
        return textDecoder.decode(bytes2.subarray(start, end));
      }
      str += String.fromCharCode(c);
    }
    return str;
  }
  return textDecoder.decode(bytes2.subarray(start, end));
}
function toToken2(data, pos, prefix, length, options) {
  const totLength = prefix + length;
  assertEnoughData(data, pos, totLength);
  const tok = new Token(Type.string, toStr(data, pos + prefix, pos + totLength), totLength);
  if (options.retainStringBytes === true) {
    tok.byteValue = data.slice(pos + prefix, pos + totLength);
  }
  return tok;
}
function decodeStringCompact(data, pos, minor, options) {
  return toToken2(data, pos, 1, minor, options);
}
function decodeString8(data, pos, _minor, options) {
  return toToken2(data, pos, 2, readUint8(data, pos + 1, options), options);
}
function decodeString16(data, pos, _minor, options) {
  return toToken2(data, pos, 3, readUint16(data, pos + 1, options), options);
}
function decodeString32(data, pos, _minor, options) {
  return toToken2(data, pos, 5, readUint32(data, pos + 1, options), options);
}
function decodeString64(data, pos, _minor, options) {
  const l = readUint64(data, pos + 1, options);
  if (typeof l === "bigint") {
    throw new Error(`${decodeErrPrefix} 64-bit integer string lengths not supported`);
  }
  return toToken2(data, pos, 9, l, options);
}
var encodeString = encodeBytes;

// ../node_modules/cborg/lib/4array.js
function toToken3(_data, _pos, prefix, length) {
  return new Token(Type.array, length, prefix);
}
function decodeArrayCompact(data, pos, minor, _options) {
  return toToken3(data, pos, 1, minor);
}
function decodeArray8(data, pos, _minor, options) {
  return toToken3(data, pos, 2, readUint8(data, pos + 1, options));
}
function decodeArray16(data, pos, _minor, options) {
  return toToken3(data, pos, 3, readUint16(data, pos + 1, options));
}
function decodeArray32(data, pos, _minor, options) {
  return toToken3(data, pos, 5, readUint32(data, pos + 1, options));
}
function decodeArray64(data, pos, _minor, options) {
  const l = readUint64(data, pos + 1, options);
  if (typeof l === "bigint") {
    throw new Error(`${decodeErrPrefix} 64-bit integer array lengths not supported`);
  }
  return toToken3(data, pos, 9, l);
}
function decodeArrayIndefinite(data, pos, _minor, options) {
  if (options.allowIndefinite === false) {
    throw new Error(`${decodeErrPrefix} indefinite length items not allowed`);
  }
  return toToken3(data, pos, 1, Infinity);
}
function encodeArray(writer, token) {
  encodeUintValue(writer, Type.array.majorEncoded, token.value);
}
encodeArray.compareTokens = encodeUint.compareTokens;
encodeArray.encodedSize = function encodedSize5(token) {
  return encodeUintValue.encodedSize(token.value);
};

// ../node_modules/cborg/lib/5map.js
function toToken4(_data, _pos, prefix, length) {
  return new Token(Type.map, length, prefix);
}
function decodeMapCompact(data, pos, minor, _options) {
  return toToken4(data, pos, 1, minor);
}
function decodeMap8(data, pos, _minor, options) {
  return toToken4(data, pos, 2, readUint8(data, pos + 1, options));
}
function decodeMap16(data, pos, _minor, options) {
  return toToken4(data, pos, 3, readUint16(data, pos + 1, options));
}
function decodeMap32(data, pos, _minor, options) {
  return toToken4(data, pos, 5, readUint32(data, pos + 1, options));
}
function decodeMap64(data, pos, _minor, options) {
  const l = readUint64(data, pos + 1, options);
  if (typeof l === "bigint") {
    throw new Error(`${decodeErrPrefix} 64-bit integer map lengths not supported`);
  }
  return toToken4(data, pos, 9, l);
}
function decodeMapIndefinite(data, pos, _minor, options) {
  if (options.allowIndefinite === false) {
    throw new Error(`${decodeErrPrefix} indefinite length items not allowed`);
  }
  return toToken4(data, pos, 1, Infinity);
}
function encodeMap(writer, token) {
  encodeUintValue(writer, Type.map.majorEncoded, token.value);
}
encodeMap.compareTokens = encodeUint.compareTokens;
encodeMap.encodedSize = function encodedSize6(token) {
  return encodeUintValue.encodedSize(token.value);
};

// ../node_modules/cborg/lib/6tag.js
function decodeTagCompact(_data, _pos, minor, _options) {
  return new Token(Type.tag, minor, 1);
}
function decodeTag8(data, pos, _minor, options) {
  return new Token(Type.tag, readUint8(data, pos + 1, options), 2);
}
function decodeTag16(data, pos, _minor, options) {
  return new Token(Type.tag, readUint16(data, pos + 1, options), 3);
}
function decodeTag32(data, pos, _minor, options) {
  return new Token(Type.tag, readUint32(data, pos + 1, options), 5);
}
function decodeTag64(data, pos, _minor, options) {
  return new Token(Type.tag, readUint64(data, pos + 1, options), 9);
}
function encodeTag(writer, token) {
  encodeUintValue(writer, Type.tag.majorEncoded, token.value);
}
encodeTag.compareTokens = encodeUint.compareTokens;
encodeTag.encodedSize = function encodedSize7(token) {
  return encodeUintValue.encodedSize(token.value);
};

// ../node_modules/cborg/lib/7float.js
var MINOR_FALSE = 20;
var MINOR_TRUE = 21;
var MINOR_NULL = 22;
var MINOR_UNDEFINED = 23;
function decodeUndefined(_data, _pos, _minor, options) {
  if (options.allowUndefined === false) {
    throw new Error(`${decodeErrPrefix} undefined values are not supported`);
  } else if (options.coerceUndefinedToNull === true) {
    return new Token(Type.null, null, 1);
  }
  return new Token(Type.undefined, void 0, 1);
}
function decodeBreak(_data, _pos, _minor, options) {
  if (options.allowIndefinite === false) {
    throw new Error(`${decodeErrPrefix} indefinite length items not allowed`);
  }
  return new Token(Type.break, void 0, 1);
}
function createToken(value, bytes2, options) {
  if (options) {
    if (options.allowNaN === false && Number.isNaN(value)) {
      throw new Error(`${decodeErrPrefix} NaN values are not supported`);
    }
    if (options.allowInfinity === false && (value === Infinity || value === -Infinity)) {
      throw new Error(`${decodeErrPrefix} Infinity values are not supported`);
    }
  }
  return new Token(Type.float, value, bytes2);
}
function decodeFloat16(data, pos, _minor, options) {
  return createToken(readFloat16(data, pos + 1), 3, options);
}
function decodeFloat32(data, pos, _minor, options) {
  return createToken(readFloat32(data, pos + 1), 5, options);
}
function decodeFloat64(data, pos, _minor, options) {
  return createToken(readFloat64(data, pos + 1), 9, options);
}
function encodeFloat(writer, token, options) {
  const float = token.value;
  if (float === false) {
    writer.pushByte(Type.float.majorEncoded | MINOR_FALSE);
  } else if (float === true) {
    writer.pushByte(Type.float.majorEncoded | MINOR_TRUE);
  } else if (float === null) {
    writer.pushByte(Type.float.majorEncoded | MINOR_NULL);
  } else if (float === void 0) {
    writer.pushByte(Type.float.majorEncoded | MINOR_UNDEFINED);
  } else {
    let decoded;
    let success = false;
    if (!options || options.float64 !== true) {
      encodeFloat16(float);
      decoded = readFloat16(ui8a, 1);
      if (float === decoded || Number.isNaN(float)) {
        ui8a[0] = 249;
        writer.push(ui8a.slice(0, 3));
        success = true;
      } else {
        encodeFloat32(float);
        decoded = readFloat32(ui8a, 1);
        if (float === decoded) {
          ui8a[0] = 250;
          writer.push(ui8a.slice(0, 5));
          success = true;
        }
      }
    }
    if (!success) {
      encodeFloat64(float);
      decoded = readFloat64(ui8a, 1);
      ui8a[0] = 251;
      writer.push(ui8a.slice(0, 9));
    }
  }
}
encodeFloat.encodedSize = function encodedSize8(token, options) {
  const float = token.value;
  if (float === false || float === true || float === null || float === void 0) {
    return 1;
  }
  if (!options || options.float64 !== true) {
    encodeFloat16(float);
    let decoded = readFloat16(ui8a, 1);
    if (float === decoded || Number.isNaN(float)) {
      return 3;
    }
    encodeFloat32(float);
    decoded = readFloat32(ui8a, 1);
    if (float === decoded) {
      return 5;
    }
  }
  return 9;
};
var buffer = new ArrayBuffer(9);
var dataView = new DataView(buffer, 1);
var ui8a = new Uint8Array(buffer, 0);
function encodeFloat16(inp) {
  if (inp === Infinity) {
    dataView.setUint16(0, 31744, false);
  } else if (inp === -Infinity) {
    dataView.setUint16(0, 64512, false);
  } else if (Number.isNaN(inp)) {
    dataView.setUint16(0, 32256, false);
  } else {
    dataView.setFloat32(0, inp);
    const valu32 = dataView.getUint32(0);
    const exponent = (valu32 & 2139095040) >> 23;
    const mantissa = valu32 & 8388607;
    if (exponent === 255) {
      dataView.setUint16(0, 31744, false);
    } else if (exponent === 0) {
      dataView.setUint16(0, (valu32 & 2147483648) >> 16 | mantissa >> 13, false);
    } else {
      const logicalExponent = exponent - 127;
      if (logicalExponent < -24) {
        dataView.setUint16(0, 0);
      } else if (logicalExponent < -14) {
        dataView.setUint16(0, (valu32 & 2147483648) >> 16 | /* sign bit */
        1 << 24 + logicalExponent, false);
      } else {
        dataView.setUint16(0, (valu32 & 2147483648) >> 16 | logicalExponent + 15 << 10 | mantissa >> 13, false);
      }
    }
  }
}
function readFloat16(ui8a2, pos) {
  if (ui8a2.length - pos < 2) {
    throw new Error(`${decodeErrPrefix} not enough data for float16`);
  }
  const half = (ui8a2[pos] << 8) + ui8a2[pos + 1];
  if (half === 31744) {
    return Infinity;
  }
  if (half === 64512) {
    return -Infinity;
  }
  if (half === 32256) {
    return NaN;
  }
  const exp = half >> 10 & 31;
  const mant = half & 1023;
  let val;
  if (exp === 0) {
    val = mant * 2 ** -24;
  } else if (exp !== 31) {
    val = (mant + 1024) * 2 ** (exp - 25);
  } else {
    val = mant === 0 ? Infinity : NaN;
  }
  return half & 32768 ? -val : val;
}
function encodeFloat32(inp) {
  dataView.setFloat32(0, inp, false);
}
function readFloat32(ui8a2, pos) {
  if (ui8a2.length - pos < 4) {
    throw new Error(`${decodeErrPrefix} not enough data for float32`);
  }
  const offset = (ui8a2.byteOffset || 0) + pos;
  return new DataView(ui8a2.buffer, offset, 4).getFloat32(0, false);
}
function encodeFloat64(inp) {
  dataView.setFloat64(0, inp, false);
}
function readFloat64(ui8a2, pos) {
  if (ui8a2.length - pos < 8) {
    throw new Error(`${decodeErrPrefix} not enough data for float64`);
  }
  const offset = (ui8a2.byteOffset || 0) + pos;
  return new DataView(ui8a2.buffer, offset, 8).getFloat64(0, false);
}
function encodeMajorSevenBytes(token, float64) {
  const float = token.value;
  if (float === false) {
    return Uint8Array.of(Type.float.majorEncoded | MINOR_FALSE);
  }
  if (float === true) {
    return Uint8Array.of(Type.float.majorEncoded | MINOR_TRUE);
  }
  if (float === null) {
    return Uint8Array.of(Type.float.majorEncoded | MINOR_NULL);
  }
  if (float === void 0) {
    return Uint8Array.of(Type.float.majorEncoded | MINOR_UNDEFINED);
  }
  if (!float64) {
    encodeFloat16(float);
    if (float === readFloat16(ui8a, 1) || Number.isNaN(float)) {
      ui8a[0] = 249;
      return ui8a.slice(0, 3);
    }
    encodeFloat32(float);
    if (float === readFloat32(ui8a, 1)) {
      ui8a[0] = 250;
      return ui8a.slice(0, 5);
    }
  }
  encodeFloat64(float);
  ui8a[0] = 251;
  return ui8a.slice(0, 9);
}
function majorSevenBytes(token, options) {
  const tokenEx = (
    /** @type {TokenEx} */
    token
  );
  const float64 = options?.float64 === true;
  const cached = float64 ? tokenEx._keyBytesFloat64 : tokenEx._keyBytes;
  if (cached !== void 0) {
    return cached;
  }
  const bytes2 = encodeMajorSevenBytes(token, float64);
  if (float64) {
    tokenEx._keyBytesFloat64 = bytes2;
  } else {
    tokenEx._keyBytes = bytes2;
  }
  return bytes2;
}
encodeFloat.compareTokens = function compareTokens4(tok1, tok2, options) {
  const b1 = majorSevenBytes(tok1, options);
  const b2 = majorSevenBytes(tok2, options);
  if (b1.length !== b2.length) {
    return b1.length < b2.length ? -1 : 1;
  }
  return compare(b1, b2);
};

// ../node_modules/cborg/lib/jump.js
function invalidMinor(data, pos, minor) {
  throw new Error(`${decodeErrPrefix} encountered invalid minor (${minor}) for major ${data[pos] >>> 5}`);
}
function errorer(msg) {
  return () => {
    throw new Error(`${decodeErrPrefix} ${msg}`);
  };
}
var jump = [];
for (let i = 0; i <= 23; i++) {
  jump[i] = invalidMinor;
}
jump[24] = decodeUint8;
jump[25] = decodeUint16;
jump[26] = decodeUint32;
jump[27] = decodeUint64;
jump[28] = invalidMinor;
jump[29] = invalidMinor;
jump[30] = invalidMinor;
jump[31] = invalidMinor;
for (let i = 32; i <= 55; i++) {
  jump[i] = invalidMinor;
}
jump[56] = decodeNegint8;
jump[57] = decodeNegint16;
jump[58] = decodeNegint32;
jump[59] = decodeNegint64;
jump[60] = invalidMinor;
jump[61] = invalidMinor;
jump[62] = invalidMinor;
jump[63] = invalidMinor;
for (let i = 64; i <= 87; i++) {
  jump[i] = decodeBytesCompact;
}
jump[88] = decodeBytes8;
jump[89] = decodeBytes16;
jump[90] = decodeBytes32;
jump[91] = decodeBytes64;
jump[92] = invalidMinor;
jump[93] = invalidMinor;
jump[94] = invalidMinor;
jump[95] = errorer("indefinite length bytes/strings are not supported");
for (let i = 96; i <= 119; i++) {
  jump[i] = decodeStringCompact;
}
jump[120] = decodeString8;
jump[121] = decodeString16;
jump[122] = decodeString32;
jump[123] = decodeString64;
jump[124] = invalidMinor;
jump[125] = invalidMinor;
jump[126] = invalidMinor;
jump[127] = errorer("indefinite length bytes/strings are not supported");
for (let i = 128; i <= 151; i++) {
  jump[i] = decodeArrayCompact;
}
jump[152] = decodeArray8;
jump[153] = decodeArray16;
jump[154] = decodeArray32;
jump[155] = decodeArray64;
jump[156] = invalidMinor;
jump[157] = invalidMinor;
jump[158] = invalidMinor;
jump[159] = decodeArrayIndefinite;
for (let i = 160; i <= 183; i++) {
  jump[i] = decodeMapCompact;
}
jump[184] = decodeMap8;
jump[185] = decodeMap16;
jump[186] = decodeMap32;
jump[187] = decodeMap64;
jump[188] = invalidMinor;
jump[189] = invalidMinor;
jump[190] = invalidMinor;
jump[191] = decodeMapIndefinite;
for (let i = 192; i <= 215; i++) {
  jump[i] = decodeTagCompact;
}
jump[216] = decodeTag8;
jump[217] = decodeTag16;
jump[218] = decodeTag32;
jump[219] = decodeTag64;
jump[220] = invalidMinor;
jump[221] = invalidMinor;
jump[222] = invalidMinor;
jump[223] = invalidMinor;
for (let i = 224; i <= 243; i++) {
  jump[i] = errorer("simple values are not supported");
}
jump[244] = invalidMinor;
jump[245] = invalidMinor;
jump[246] = invalidMinor;
jump[247] = decodeUndefined;
jump[248] = errorer("simple values are not supported");
jump[249] = decodeFloat16;
jump[250] = decodeFloat32;
jump[251] = decodeFloat64;
jump[252] = invalidMinor;
jump[253] = invalidMinor;
jump[254] = invalidMinor;
jump[255] = decodeBreak;
var quick = [];
for (let i = 0; i < 24; i++) {
  quick[i] = new Token(Type.uint, i, 1);
}
for (let i = -1; i >= -24; i--) {
  quick[31 - i] = new Token(Type.negint, i, 1);
}
quick[64] = new Token(Type.bytes, new Uint8Array(0), 1);
quick[96] = new Token(Type.string, "", 1);
quick[128] = new Token(Type.array, 0, 1);
quick[160] = new Token(Type.map, 0, 1);
quick[244] = new Token(Type.false, false, 1);
quick[245] = new Token(Type.true, true, 1);
quick[246] = new Token(Type.null, null, 1);
function quickEncodeToken(token) {
  switch (token.type) {
    case Type.false:
      return fromArray([244]);
    case Type.true:
      return fromArray([245]);
    case Type.null:
      return fromArray([246]);
    case Type.bytes:
      if (!token.value.length) {
        return fromArray([64]);
      }
      return;
    case Type.string:
      if (token.value === "") {
        return fromArray([96]);
      }
      return;
    case Type.array:
      if (token.value === 0) {
        return fromArray([128]);
      }
      return;
    case Type.map:
      if (token.value === 0) {
        return fromArray([160]);
      }
      return;
    case Type.uint:
      if (token.value < 24) {
        return fromArray([Number(token.value)]);
      }
      return;
    case Type.negint:
      if (token.value >= -24) {
        return fromArray([31 - Number(token.value)]);
      }
  }
}

// ../node_modules/cborg/lib/encode.js
var defaultEncodeOptions = {
  float64: false,
  mapSorter,
  quickEncodeToken
};
var rfc8949EncodeOptions = Object.freeze({
  mapSorter: rfc8949MapSorter,
  quickEncodeToken
});
function makeCborEncoders() {
  const encoders = [];
  encoders[Type.uint.major] = encodeUint;
  encoders[Type.negint.major] = encodeNegint;
  encoders[Type.bytes.major] = encodeBytes;
  encoders[Type.string.major] = encodeString;
  encoders[Type.array.major] = encodeArray;
  encoders[Type.map.major] = encodeMap;
  encoders[Type.tag.major] = encodeTag;
  encoders[Type.float.major] = encodeFloat;
  return encoders;
}
var cborEncoders = makeCborEncoders();
var defaultWriter = new Bl();
var Ref = class _Ref {
  /**
   * @param {object|any[]} obj
   * @param {Reference|undefined} parent
   */
  constructor(obj, parent) {
    this.obj = obj;
    this.parent = parent;
  }
  /**
   * @param {object|any[]} obj
   * @returns {boolean}
   */
  includes(obj) {
    let p = this;
    do {
      if (p.obj === obj) {
        return true;
      }
    } while (p = p.parent);
    return false;
  }
  /**
   * @param {Reference|undefined} stack
   * @param {object|any[]} obj
   * @returns {Reference}
   */
  static createCheck(stack, obj) {
    if (stack && stack.includes(obj)) {
      throw new Error(`${encodeErrPrefix} object contains circular references`);
    }
    return new _Ref(obj, stack);
  }
};
var simpleTokens = {
  null: new Token(Type.null, null),
  undefined: new Token(Type.undefined, void 0),
  true: new Token(Type.true, true),
  false: new Token(Type.false, false),
  emptyArray: new Token(Type.array, 0),
  emptyMap: new Token(Type.map, 0)
};
var typeEncoders = {
  /**
   * @param {any} obj
   * @param {string} _typ
   * @param {EncodeOptions} _options
   * @param {Reference} [_refStack]
   * @returns {TokenOrNestedTokens}
   */
  number(obj, _typ, _options, _refStack) {
    if (!Number.isInteger(obj) || !Number.isSafeInteger(obj)) {
      return new Token(Type.float, obj);
    } else if (obj >= 0) {
      return new Token(Type.uint, obj);
    } else {
      return new Token(Type.negint, obj);
    }
  },
  /**
   * @param {any} obj
   * @param {string} _typ
   * @param {EncodeOptions} _options
   * @param {Reference} [_refStack]
   * @returns {TokenOrNestedTokens}
   */
  bigint(obj, _typ, _options, _refStack) {
    if (obj >= BigInt(0)) {
      return new Token(Type.uint, obj);
    } else {
      return new Token(Type.negint, obj);
    }
  },
  /**
   * @param {any} obj
   * @param {string} _typ
   * @param {EncodeOptions} _options
   * @param {Reference} [_refStack]
   * @returns {TokenOrNestedTokens}
   */
  Uint8Array(obj, _typ, _options, _refStack) {
    return new Token(Type.bytes, obj);
  },
  /**
   * @param {any} obj
   * @param {string} _typ
   * @param {EncodeOptions} _options
   * @param {Reference} [_refStack]
   * @returns {TokenOrNestedTokens}
   */
  string(obj, _typ, _options, _refStack) {
    return new Token(Type.string, obj);
  },
  /**
   * @param {any} obj
   * @param {string} _typ
   * @param {EncodeOptions} _options
   * @param {Reference} [_refStack]
   * @returns {TokenOrNestedTokens}
   */
  boolean(obj, _typ, _options, _refStack) {
    return obj ? simpleTokens.true : simpleTokens.false;
  },
  /**
   * @param {any} _obj
   * @param {string} _typ
   * @param {EncodeOptions} _options
   * @param {Reference} [_refStack]
   * @returns {TokenOrNestedTokens}
   */
  null(_obj, _typ, _options, _refStack) {
    return simpleTokens.null;
  },
  /**
   * @param {any} _obj
   * @param {string} _typ
   * @param {EncodeOptions} _options
   * @param {Reference} [_refStack]
   * @returns {TokenOrNestedTokens}
   */
  undefined(_obj, _typ, _options, _refStack) {
    return simpleTokens.undefined;
  },
  /**
   * @param {any} obj
   * @param {string} _typ
   * @param {EncodeOptions} _options
   * @param {Reference} [_refStack]
   * @returns {TokenOrNestedTokens}
   */
  ArrayBuffer(obj, _typ, _options, _refStack) {
    return new Token(Type.bytes, new Uint8Array(obj));
  },
  /**
   * @param {any} obj
   * @param {string} _typ
   * @param {EncodeOptions} _options
   * @param {Reference} [_refStack]
   * @returns {TokenOrNestedTokens}
   */
  DataView(obj, _typ, _options, _refStack) {
    return new Token(Type.bytes, new Uint8Array(obj.buffer, obj.byteOffset, obj.byteLength));
  },
  /**
   * @param {any} obj
   * @param {string} _typ
   * @param {EncodeOptions} options
   * @param {Reference} [refStack]
   * @returns {TokenOrNestedTokens}
   */
  Array(obj, _typ, options, refStack) {
    if (!obj.length) {
      if (options.addBreakTokens === true) {
        return [simpleTokens.emptyArray, new Token(Type.break)];
      }
      return simpleTokens.emptyArray;
    }
    refStack = Ref.createCheck(refStack, obj);
    const entries = [];
    let i = 0;
    for (const e of obj) {
      entries[i++] = objectToTokens(e, options, refStack);
    }
    if (options.addBreakTokens) {
      return [new Token(Type.array, obj.length), entries, new Token(Type.break)];
    }
    return [new Token(Type.array, obj.length), entries];
  },
  /**
   * @param {any} obj
   * @param {string} typ
   * @param {EncodeOptions} options
   * @param {Reference} [refStack]
   * @returns {TokenOrNestedTokens}
   */
  Object(obj, typ, options, refStack) {
    const isMap = typ !== "Object";
    const keys = isMap ? obj.keys() : Object.keys(obj);
    const maxLength = isMap ? obj.size : keys.length;
    let entries;
    if (maxLength) {
      entries = new Array(maxLength);
      refStack = Ref.createCheck(refStack, obj);
      const skipUndefined = !isMap && options.ignoreUndefinedProperties;
      let i = 0;
      for (const key of keys) {
        const value = isMap ? obj.get(key) : obj[key];
        if (skipUndefined && value === void 0) {
          continue;
        }
        entries[i++] = [
          objectToTokens(key, options, refStack),
          objectToTokens(value, options, refStack)
        ];
      }
      if (i < maxLength) {
        entries.length = i;
      }
    }
    if (!entries?.length) {
      if (options.addBreakTokens === true) {
        return [simpleTokens.emptyMap, new Token(Type.break)];
      }
      return simpleTokens.emptyMap;
    }
    sortMapEntries(entries, options);
    if (options.addBreakTokens) {
      return [new Token(Type.map, entries.length), entries, new Token(Type.break)];
    }
    return [new Token(Type.map, entries.length), entries];
  },
  /**
   * Encode a `Tagged` wrapper as a CBOR tag header followed by the encoded
   * form of the wrapped value. The value is recursively tokenised through
   * `objectToTokens()` so any registered `typeEncoders` apply to it.
   *
   * @param {any} obj
   * @param {string} _typ
   * @param {EncodeOptions} options
   * @param {Reference} [refStack]
   * @returns {TokenOrNestedTokens}
   */
  Tagged(obj, _typ, options, refStack) {
    return [
      new Token(Type.tag, obj.tag),
      objectToTokens(obj.value, options, refStack)
    ];
  }
};
typeEncoders.Map = typeEncoders.Object;
typeEncoders.Buffer = typeEncoders.Uint8Array;
for (const typ of "Uint8Clamped Uint16 Uint32 Int8 Int16 Int32 BigUint64 BigInt64 Float32 Float64".split(" ")) {
  typeEncoders[`${typ}Array`] = typeEncoders.DataView;
}
function objectToTokens(obj, options = {}, refStack) {
  const typ = is(obj);
  const customTypeEncoder = options && options.typeEncoders && /** @type {OptionalTypeEncoder} */
  options.typeEncoders[typ] || typeEncoders[typ];
  if (typeof customTypeEncoder === "function") {
    const tokens = customTypeEncoder(obj, typ, options, refStack);
    if (tokens != null) {
      return tokens;
    }
  }
  const typeEncoder = typeEncoders[typ];
  if (!typeEncoder) {
    throw new Error(`${encodeErrPrefix} unsupported type: ${typ}`);
  }
  return typeEncoder(obj, typ, options, refStack);
}
function sortMapEntries(entries, options) {
  const mapSorter2 = (
    /** @type {(e1: TokenOrNestedTokens, e2: TokenOrNestedTokens, options?: EncodeOptions) => number} */
    options.mapSorter
  );
  if (mapSorter2) {
    entries.sort((e1, e2) => mapSorter2(e1, e2, options));
  }
}
function mapSorter(e1, e2, options) {
  const keyToken1 = Array.isArray(e1[0]) ? e1[0][0] : e1[0];
  const keyToken2 = Array.isArray(e2[0]) ? e2[0][0] : e2[0];
  if (keyToken1.type.major !== keyToken2.type.major) {
    return keyToken1.type.compare(keyToken2.type);
  }
  const major = keyToken1.type.major;
  const tcmp = cborEncoders[major].compareTokens(keyToken1, keyToken2, options);
  if (tcmp === 0) {
    console.warn("WARNING: complex key types used, CBOR key sorting guarantees are gone");
  }
  return tcmp;
}
function rfc8949MapSorter(e1, e2) {
  if (e1[0] instanceof Token && e2[0] instanceof Token) {
    const t1 = (
      /** @type {TokenEx} */
      e1[0]
    );
    const t2 = (
      /** @type {TokenEx} */
      e2[0]
    );
    if (!t1._keyBytes) {
      t1._keyBytes = encodeRfc8949(t1.value);
    }
    if (!t2._keyBytes) {
      t2._keyBytes = encodeRfc8949(t2.value);
    }
    return compare(t1._keyBytes, t2._keyBytes);
  }
  throw new Error("rfc8949MapSorter: complex key types are not supported yet");
}
function encodeRfc8949(data) {
  return encodeCustom(data, cborEncoders, rfc8949EncodeOptions);
}
function tokensToEncoded(writer, tokens, encoders, options) {
  if (Array.isArray(tokens)) {
    for (const token of tokens) {
      tokensToEncoded(writer, token, encoders, options);
    }
  } else {
    encoders[tokens.type.major](writer, tokens, options);
  }
}
var MAJOR_UINT = Type.uint.majorEncoded;
var MAJOR_NEGINT = Type.negint.majorEncoded;
var MAJOR_BYTES = Type.bytes.majorEncoded;
var MAJOR_STRING = Type.string.majorEncoded;
var MAJOR_ARRAY = Type.array.majorEncoded;
var MAJOR_MAP = Type.map.majorEncoded;
var SIMPLE_FALSE = Type.float.majorEncoded | MINOR_FALSE;
var SIMPLE_TRUE = Type.float.majorEncoded | MINOR_TRUE;
var SIMPLE_NULL = Type.float.majorEncoded | MINOR_NULL;
var SIMPLE_UNDEFINED = Type.float.majorEncoded | MINOR_UNDEFINED;
var neg1b2 = BigInt(-1);
var pos1b2 = BigInt(1);
function directEncodeUintValue(writer, major, uint) {
  if (uint < 24) {
    writer.pushByte(major | Number(uint));
  } else {
    encodeUintValue(writer, major, uint);
  }
}
function canDirectEncode(options) {
  return options.addBreakTokens !== true;
}
function directEncodeMap(writer, data, typ, options, refStack) {
  const isMap = typ === "Map";
  const keys = isMap ? data.keys() : Object.keys(data);
  const maxLength = isMap ? data.size : keys.length;
  if (!maxLength) {
    writer.pushByte(MAJOR_MAP);
    return;
  }
  refStack = Ref.createCheck(refStack, data);
  const skipUndefined = !isMap && options.ignoreUndefinedProperties;
  const entries = new Array(maxLength);
  let length = 0;
  for (const key of keys) {
    const value = isMap ? data.get(key) : data[key];
    if (skipUndefined && value === void 0) {
      continue;
    }
    entries[length++] = [objectToTokens(key, options, refStack), value];
  }
  if (length === 0) {
    writer.pushByte(MAJOR_MAP);
    return;
  }
  if (length < maxLength) {
    entries.length = length;
  }
  entries.sort((e1, e2) => mapSorter(e1, e2, options));
  directEncodeUintValue(writer, MAJOR_MAP, length);
  for (const [key, value] of entries) {
    tokensToEncoded(writer, key, cborEncoders, options);
    directEncode(writer, value, options, refStack);
  }
}
function directEncode(writer, data, options, refStack) {
  const typ = is(data);
  const customEncoder = options.typeEncoders && options.typeEncoders[typ];
  if (customEncoder) {
    const tokens = customEncoder(data, typ, options, refStack);
    if (tokens != null) {
      tokensToEncoded(writer, tokens, cborEncoders, options);
      return;
    }
  }
  switch (typ) {
    case "null":
      writer.pushByte(SIMPLE_NULL);
      return;
    case "undefined":
      writer.pushByte(SIMPLE_UNDEFINED);
      return;
    case "boolean":
      writer.pushByte(data ? SIMPLE_TRUE : SIMPLE_FALSE);
      return;
    case "number":
      if (!Number.isInteger(data) || !Number.isSafeInteger(data)) {
        encodeFloat(writer, new Token(Type.float, data), options);
      } else if (data >= 0) {
        directEncodeUintValue(writer, MAJOR_UINT, data);
      } else {
        directEncodeUintValue(writer, MAJOR_NEGINT, data * -1 - 1);
      }
      return;
    case "bigint":
      if (data >= BigInt(0)) {
        directEncodeUintValue(writer, MAJOR_UINT, data);
      } else {
        directEncodeUintValue(writer, MAJOR_NEGINT, data * neg1b2 - pos1b2);
      }
      return;
    case "string": {
      const bytes2 = fromString(data);
      directEncodeUintValue(writer, MAJOR_STRING, bytes2.length);
      writer.push(bytes2);
      return;
    }
    case "Uint8Array":
      directEncodeUintValue(writer, MAJOR_BYTES, data.length);
      writer.push(data);
      return;
    case "Array":
      if (!data.length) {
        writer.pushByte(MAJOR_ARRAY);
        return;
      }
      refStack = Ref.createCheck(refStack, data);
      directEncodeUintValue(writer, MAJOR_ARRAY, data.length);
      for (const elem of data) {
        directEncode(writer, elem, options, refStack);
      }
      return;
    case "Object":
    case "Map":
      if (options.mapSorter === mapSorter) {
        directEncodeMap(writer, data, typ, options, refStack);
      } else {
        const tokens = typeEncoders.Object(data, typ, options, refStack);
        tokensToEncoded(writer, tokens, cborEncoders, options);
      }
      return;
    default: {
      const typeEncoder = typeEncoders[typ];
      if (!typeEncoder) {
        throw new Error(`${encodeErrPrefix} unsupported type: ${typ}`);
      }
      const tokens = typeEncoder(data, typ, options, refStack);
      tokensToEncoded(writer, tokens, cborEncoders, options);
    }
  }
}
function encodeCustom(data, encoders, options, destination) {
  const hasDest = destination instanceof Uint8Array;
  let writeTo = hasDest ? new U8Bl(destination) : defaultWriter;
  const tokens = objectToTokens(data, options);
  if (!Array.isArray(tokens) && options.quickEncodeToken) {
    const quickBytes = options.quickEncodeToken(tokens);
    if (quickBytes) {
      if (hasDest) {
        writeTo.push(quickBytes);
        return writeTo.toBytes();
      }
      return quickBytes;
    }
    const encoder = encoders[tokens.type.major];
    if (encoder.encodedSize) {
      const size = encoder.encodedSize(tokens, options);
      if (!hasDest) {
        writeTo = new Bl(size);
      }
      encoder(writeTo, tokens, options);
      if (writeTo.chunks.length !== 1) {
        throw new Error(`Unexpected error: pre-calculated length for ${tokens} was wrong`);
      }
      return hasDest ? writeTo.toBytes() : asU8A(writeTo.chunks[0]);
    }
  }
  writeTo.reset();
  tokensToEncoded(writeTo, tokens, encoders, options);
  return writeTo.toBytes(true);
}
function encode(data, options) {
  options = Object.assign({}, defaultEncodeOptions, options);
  if (canDirectEncode(options)) {
    defaultWriter.reset();
    directEncode(defaultWriter, data, options, void 0);
    return defaultWriter.toBytes(true);
  }
  return encodeCustom(data, cborEncoders, options);
}

// ../node_modules/cborg/lib/decode.js
var defaultDecodeOptions = {
  strict: false,
  allowIndefinite: true,
  allowUndefined: true,
  allowBigInt: true
};
var Tokeniser = class {
  /**
   * @param {Uint8Array} data
   * @param {DecodeOptions} options
   */
  constructor(data, options = {}) {
    this._pos = 0;
    this.data = data;
    this.options = options;
  }
  pos() {
    return this._pos;
  }
  done() {
    return this._pos >= this.data.length;
  }
  next() {
    const byt = this.data[this._pos];
    let token = quick[byt];
    if (token === void 0) {
      const decoder = jump[byt];
      if (!decoder) {
        throw new Error(`${decodeErrPrefix} no decoder for major type ${byt >>> 5} (byte 0x${byt.toString(16).padStart(2, "0")})`);
      }
      const minor = byt & 31;
      token = decoder(this.data, this._pos, minor, this.options);
    }
    this._pos += token.encodedLength;
    return token;
  }
};
var DONE = /* @__PURE__ */ Symbol.for("DONE");
var BREAK = /* @__PURE__ */ Symbol.for("BREAK");
function tokenToArray(token, tokeniser, options) {
  const arr = [];
  for (let i = 0; i < token.value; i++) {
    const value = tokensToObject(tokeniser, options);
    if (value === BREAK) {
      if (token.value === Infinity) {
        break;
      }
      throw new Error(`${decodeErrPrefix} got unexpected break to lengthed array`);
    }
    if (value === DONE) {
      throw new Error(`${decodeErrPrefix} found array but not enough entries (got ${i}, expected ${token.value})`);
    }
    arr[i] = value;
  }
  return arr;
}
function tokenToMap(token, tokeniser, options) {
  const useMaps = options.useMaps === true;
  const rejectDuplicateMapKeys = options.rejectDuplicateMapKeys === true;
  const obj = useMaps ? void 0 : {};
  const m = useMaps ? /* @__PURE__ */ new Map() : void 0;
  for (let i = 0; i < token.value; i++) {
    const key = tokensToObject(tokeniser, options);
    if (key === BREAK) {
      if (token.value === Infinity) {
        break;
      }
      throw new Error(`${decodeErrPrefix} got unexpected break to lengthed map`);
    }
    if (key === DONE) {
      throw new Error(`${decodeErrPrefix} found map but not enough entries (got ${i} [no key], expected ${token.value})`);
    }
    if (!useMaps && typeof key !== "string") {
      throw new Error(`${decodeErrPrefix} non-string keys not supported (got ${typeof key})`);
    }
    if (rejectDuplicateMapKeys) {
      if (useMaps && m.has(key) || !useMaps && Object.hasOwn(obj, key)) {
        throw new Error(`${decodeErrPrefix} found repeat map key "${key}"`);
      }
    }
    const value = tokensToObject(tokeniser, options);
    if (value === DONE) {
      throw new Error(`${decodeErrPrefix} found map but not enough entries (got ${i} [no value], expected ${token.value})`);
    }
    if (useMaps) {
      m.set(key, value);
    } else if (key === "__proto__") {
      Object.defineProperty(obj, key, { value, configurable: true, enumerable: true, writable: true });
    } else {
      obj[key] = value;
    }
  }
  return useMaps ? m : obj;
}
function* tokenToMapEntries(token, tokeniser, options) {
  for (let i = 0; i < token.value; i++) {
    const key = tokensToObject(tokeniser, options);
    if (key === BREAK) {
      if (token.value === Infinity) {
        break;
      }
      throw new Error(`${decodeErrPrefix} got unexpected break to lengthed map`);
    }
    if (key === DONE) {
      throw new Error(`${decodeErrPrefix} found map but not enough entries (got ${i} [no key], expected ${token.value})`);
    }
    const value = tokensToObject(tokeniser, options);
    if (value === DONE) {
      throw new Error(`${decodeErrPrefix} found map but not enough entries (got ${i} [no value], expected ${token.value})`);
    }
    yield [key, value];
  }
}
function createTagDecodeControl(tokeniser, options) {
  const decode2 = function() {
    if (decode2._called) {
      throw new Error(`${decodeErrPrefix} tag decode() may only be called once`);
    }
    decode2._called = true;
    const value = tokensToObject(tokeniser, options);
    if (value === DONE) {
      throw new Error(`${decodeErrPrefix} tag content missing`);
    }
    if (value === BREAK) {
      throw new Error(`${decodeErrPrefix} got unexpected break in tag content`);
    }
    return value;
  };
  decode2.entries = function() {
    if (decode2._called) {
      throw new Error(`${decodeErrPrefix} tag decode() may only be called once`);
    }
    decode2._called = true;
    const token = tokeniser.next();
    if (!Type.equals(token.type, Type.map)) {
      throw new Error(`${decodeErrPrefix} entries() requires map content, got ${token.type.name}`);
    }
    const entries = [];
    for (const entry of tokenToMapEntries(token, tokeniser, options)) {
      entries.push(entry);
    }
    return entries;
  };
  decode2._called = false;
  return decode2;
}
function tokensToObject(tokeniser, options) {
  if (tokeniser.done()) {
    return DONE;
  }
  const token = tokeniser.next();
  if (Type.equals(token.type, Type.break)) {
    return BREAK;
  }
  if (token.type.terminal) {
    return token.value;
  }
  if (Type.equals(token.type, Type.array)) {
    return tokenToArray(token, tokeniser, options);
  }
  if (Type.equals(token.type, Type.map)) {
    return tokenToMap(token, tokeniser, options);
  }
  if (Type.equals(token.type, Type.tag)) {
    if (options.tags && typeof options.tags[token.value] === "function") {
      const decodeControl = createTagDecodeControl(tokeniser, options);
      const result = options.tags[token.value](decodeControl);
      if (!decodeControl._called) {
        throw new Error(`${decodeErrPrefix} tag decoder must call decode() or entries()`);
      }
      return result;
    }
    throw new Error(`${decodeErrPrefix} tag not supported (${token.value})`);
  }
  throw new Error("unsupported");
}
function decodeFirst(data, options) {
  if (!(data instanceof Uint8Array)) {
    throw new Error(`${decodeErrPrefix} data to decode must be a Uint8Array`);
  }
  options = Object.assign({}, defaultDecodeOptions, options);
  const u8aData = asU8A(data);
  const tokeniser = options.tokenizer || new Tokeniser(u8aData, options);
  const decoded = tokensToObject(tokeniser, options);
  if (decoded === DONE) {
    throw new Error(`${decodeErrPrefix} did not find any content to decode`);
  }
  if (decoded === BREAK) {
    throw new Error(`${decodeErrPrefix} got unexpected break`);
  }
  return [decoded, data.subarray(tokeniser.pos())];
}

// ../node_modules/cborg/lib/tagged.js
var Tagged = class _Tagged {
  /**
   * @param {number} tag - CBOR tag number, a non-negative integer
   * @param {any} value - The value to be tagged; encoded recursively
   */
  constructor(tag, value) {
    if (typeof tag !== "number" || !Number.isInteger(tag) || tag < 0) {
      throw new TypeError("Tagged: tag must be a non-negative integer");
    }
    this.tag = tag;
    this.value = value;
  }
  /**
   * Build a tag decoder for use in `decode()`'s `tags` option that returns the
   * decoded content wrapped in a `Tagged` instance, preserving the tag number
   * for the caller to inspect.
   *
   * @param {number} tag - The CBOR tag number this decoder will be registered for
   * @returns {TaggedTagDecoder}
   *
   * @example
   * import { decode, Tagged } from 'cborg'
   * const value = decode(bytes, { tags: { 16: Tagged.decoder(16) } })
   * // value instanceof Tagged; value.tag === 16
   */
  static decoder(tag) {
    return (decode2) => new _Tagged(tag, decode2());
  }
  /**
   * Build a `tags` option for `decode()` that wraps each listed tag number in
   * a `Tagged` instance, preserving those tags through decode without
   * registering a dedicated decoder per tag.
   *
   * @param {...number} tagNumbers - One or more CBOR tag numbers to preserve
   * @returns {{[tagNumber: number]: TaggedTagDecoder}}
   *
   * @example
   * import { decode, Tagged } from 'cborg'
   * const value = decode(bytes, { tags: Tagged.preserve(16, 96) })
   */
  static preserve(...tagNumbers) {
    const tags = {};
    for (const tag of tagNumbers) {
      tags[tag] = _Tagged.decoder(tag);
    }
    return tags;
  }
};
Object.defineProperty(Tagged.prototype, Symbol.toStringTag, {
  value: "Tagged"
});

// src/codec-cbor.ts
var cbor = {
  subprotocol: "roomring.v1.cbor",
  encode: (m) => encode(m),
  decode(data) {
    const messages = [];
    for (let rest = new Uint8Array(data); rest.length > 0; ) {
      const [m, after] = decodeFirst(rest, { allowBigInt: false });
      messages.push(m);
      rest = after;
    }
    return messages;
  }
};

// src/roomring-cbor.ts
var Roomring2 = class extends Roomring {
  get codec() {
    return cbor;
  }
};
export {
  ClosedError,
  HTTPError,
  RejectedError,
  Roomring2 as Roomring,
  patch
};
//# sourceMappingURL=roomring-cbor.js.map
