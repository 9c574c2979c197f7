/* Roomring SDK. Apache-2.0. Made by "make generate". */

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

// src/codec.ts
var json = {
  subprotocol: "roomring.v1.json",
  encode: JSON.stringify,
  decode: (data) => data.split("\n").filter((line) => line.trim()).map((line) => JSON.parse(line))
};
var bytes = (encoded) => typeof encoded === "string" ? new TextEncoder().encode(encoded).length : encoded.length;

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
  constructor(encode, send) {
    this.encode = encode;
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
export {
  ClosedError,
  HTTPError,
  RejectedError,
  Roomring,
  patch
};
//# sourceMappingURL=roomring.js.map
