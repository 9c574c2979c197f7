import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { cbor } from "../src/codec-cbor.js";
import { Roomring as CBORRoomring } from "../src/roomring-cbor.js";
import { ClosedError, HTTPError, RejectedError } from "../src/errors.js";
import { ack, settle, state, turn, welcome, World } from "./fake.js";

let w: World;
beforeEach(() => void (w = new World()));
afterEach(() => w.end());

const resume = (epoch: number, seq: number) => ({ epoch, seq });

test("joining becomes a guest, says hello and resolves with the view", async () => {
  const joining = w.ring({ name: "Ann" }).join("r1", { code: "abc" });
  await settle();
  assert.deepEqual(w.requests.map((r) => r.path), ["/v1/guest"]);
  assert.equal(w.last.url, "ws://play.test/v1/rooms/r1/ws");
  assert.equal(w.last.protocol, "roomring.v1.json");
  const { client, ...hello } = w.last.accept();
  assert.match(client, /^[0-9a-f]{32}$/);
  assert.deepEqual(hello, { t: "hello", attempt: 1, token: "token1", name: "Ann", code: "abc" });
  w.last.say(welcome({ seat: 1 }));
  w.last.say(state(3, { n: 1 }));
  const room = await joining;
  assert.deepEqual([room.id, room.game, room.player, room.seat, room.spectator, room.state], ["r1", "counter", "guest1", 1, false, "open"]);
  assert.deepEqual(room.view, { n: 1 });
  assert.equal(room.stats.checks, 1);
  await w.clock.advance(700);
  assert.equal(room.roomTime(), 5700);
});

test("spectating needs no token", async () => {
  const joining = w.ring().spectate({ id: "r1", ws_url: "wss://node.test/v1/rooms/r1/ws?node=a" } as any);
  await settle();
  assert.equal(w.requests.length, 0);
  assert.equal(w.last.url, "wss://node.test/v1/rooms/r1/ws?node=a");
  assert.equal(w.last.accept().as, "spectator");
  w.last.say(welcome({ player: undefined, seat: -1 }), state(1, {}));
  const room = await joining;
  assert.deepEqual([room.seat, room.spectator, room.player], [-1, true, ""]);
  await assert.rejects((room as any).act(1), { code: "spectator" });
  assert.equal(w.last.acts().length, 0);
  await room.leave();
  assert.equal(room.state, "closed");
});

test("turns change the view, and tell of changes and events", async () => {
  const room = await w.join({ a: { x: 1 }, b: { y: 1 } });
  const before = room.view;
  const log: unknown[] = [];
  room.on("view", (v, previous) => log.push(["view", v === room.view, previous === before]));
  room.watch("a.x", (v, path) => log.push(["watch", v, path]));
  room.watch(["b", "*"], () => log.push("b"));
  const off = room.on("event", (e) => log.push(e));
  w.last.say(turn(2, { a: { x: 2 } }, { events: [{ name: "hit", data: 3 }] }), turn(3, undefined, { events: [{ name: "tick" }] }));
  assert.deepEqual(log, [["view", true, true], ["watch", 2, ["a", "x"]], { name: "hit", data: 3, seq: 2 }, { name: "tick", seq: 3 }]);
  assert.equal(room.view.b, before.b);
  assert.deepEqual(before, { a: { x: 1 }, b: { y: 1 } });
  off();
  w.last.say(turn(4, {}, { events: [{ name: "tick" }] }), { t: "weather", seq: 4 });
  assert.equal(log.length, 4);
});

test("a listener that throws harms nobody else", async () => {
  const room = await w.join();
  const later: (() => void)[] = [];
  const microtask = globalThis.queueMicrotask;
  globalThis.queueMicrotask = (f) => void later.push(f);
  let heard = 0;
  room.on("view", () => {
    throw new Error("mine");
  });
  room.on("view", () => heard++);
  w.last.say(turn(2, { n: 1 }));
  assert.equal(heard, 1);
  globalThis.queueMicrotask = microtask;
  assert.equal(later.length, 1);
  assert.throws(later[0]!, { message: "mine" }); // to be an uncaught error of the page's
});

test("act resolves on ack and rejects with the game's reason", async () => {
  const room = await w.join();
  const action = { move: "e4" };
  const one = room.act(action);
  action.move = "changed meanwhile";
  const two = room.act({ move: "e9" });
  assert.deepEqual(w.last.acts(), [[1, { move: "e4" }], [2, { move: "e9" }]]);
  w.last.say(ack(1, 2), { t: "reject", cseq: 2, seq: 3, code: "illegal", reason: "There is no e9." });
  assert.deepEqual(await one, { seq: 2 });
  await assert.rejects(two, (err: unknown) => err instanceof RejectedError && err.code === "illegal" && err.reason === "There is no e9.");
  await assert.rejects(room.act(undefined), TypeError);
  assert.equal(w.last.acts().length, 2);
});

test("at most 32 acts are unanswered, and one that waits can be taken back", async () => {
  const room = await w.join();
  const abort = new AbortController();
  const acts = Array.from({ length: 40 }, (_, i) => room.act(i, i === 33 ? { signal: abort.signal } : {}));
  assert.equal(w.last.acts().length, 32);
  abort.abort();
  await assert.rejects(acts[33]!, { name: "AbortError" });
  w.last.say(ack(1, 2), ack(2, 3), ack(3, 4));
  assert.deepEqual(w.last.acts().slice(32), [[33, 32], [34, 34], [35, 35]]);
  const under = new AbortController();
  const late = room.act("x", { signal: under.signal });
  for (let c = 4; c <= 35; c++) w.last.say(ack(c, c + 1));
  under.abort();
  await assert.rejects(late, { name: "AbortError" });
  assert.deepEqual(w.last.acts().at(-1), [40, "x"]); // it was under way and goes on
  await assert.rejects(room.act(1, { signal: AbortSignal.abort() }), { name: "AbortError" });
});

test("acts keep to the rate and the size that the server names", async () => {
  const joining = w.ring().join("r1");
  await settle();
  w.last.accept();
  w.last.say(welcome({ limits: { message: 100, unanswered: 32, rate: 10 } }), state(1, {}));
  const room = await joining;
  for (let i = 0; i < 15; i++) void room.act(i).catch(() => {});
  assert.equal(w.last.acts().length, 10);
  await w.clock.advance(250);
  assert.equal(w.last.acts().length, 12);
  await w.clock.advance(1000);
  assert.deepEqual(w.last.acts().map(([cseq]) => cseq), Array.from({ length: 15 }, (_, i) => i + 1));
  await assert.rejects(room.act("é".repeat(50)), { name: "RejectedError", code: "too_large" });
  await w.clock.advance(1000);
  void room.act("next").catch(() => {});
  assert.deepEqual(w.last.acts().at(-1), [16, "next"]);
  room.close();
});

test("a first loss reconnects at once, resumes and sends again what has no answer", async () => {
  const room = await w.join();
  const states: unknown[] = [];
  room.on("state", (s, why) => states.push([s, why?.code, why?.retryIn]));
  const acts = [room.act("a"), room.act("b"), room.act("c")];
  w.last.say(turn(2, { n: 1 }), ack(1, 2));
  const client = w.last.sent[0]!.client;
  w.last.lose(1006);
  assert.equal(room.state, "reconnecting");
  const meanwhile = room.act("d");
  await w.clock.advance(0);
  assert.equal(w.sockets.length, 2);
  const hello = w.last.accept();
  assert.deepEqual([hello.client, hello.attempt, hello.token, hello.resume], [client, 2, "token1", resume(1, 2)]);
  assert.equal(w.last.acts().length, 0, "acts before the welcome");
  w.last.say(welcome({ recovered: true, epoch: 2, seq: 3, cseq: 2 }), turn(3, { n: 2 }), ack(2, 3));
  assert.deepEqual(w.last.acts(), [[2, "b"], [3, "c"], [4, "d"]]);
  w.last.say(ack(3, 4), ack(4, 5));
  assert.deepEqual((await Promise.all([...acts, meanwhile])).map((a) => a.seq), [2, 3, 4, 5]);
  assert.deepEqual(room.view, { n: 2 });
  assert.deepEqual(states, [["reconnecting", 1006, 0], ["open", undefined, undefined]]);
  assert.deepEqual([room.stats.recovered, room.stats.resent, room.stats.states], [1, 2, 1]);
  w.last.lose(4100);
  await w.clock.advance(300);
  assert.deepEqual(w.last.accept().resume, resume(2, 3), "what acks tell is no turn");
});

test("when the room does not recover the view, a whole one replaces it", async () => {
  const room = await w.join({ keep: { a: 1 }, n: 1 });
  const keep = room.view.keep;
  w.last.say(turn(9, { n: 2 }));
  w.last.lose();
  await w.clock.advance(0);
  await w.welcome({ recovered: false, epoch: 4294967297, seq: 5 });
  assert.equal(room.state, "reconnecting", "there is no view to go by yet");
  w.last.lose(4103); // before the view: nothing to resume from
  await w.clock.advance(500);
  assert.equal(w.last.accept().resume, undefined);
  w.last.say(welcome({ recovered: false, epoch: 4294967297, seq: 5 }), state(5, { keep: { a: 1 }, n: 0 }, { lost: 4 }));
  assert.deepEqual(room.view, { keep: { a: 1 }, n: 0 });
  assert.equal(room.view.keep, keep, "what stayed is shared");
  assert.equal(room.stats.lost, 4);
  assert.equal(room.state, "open");
  w.last.lose();
  await w.clock.advance(1000);
  assert.deepEqual(w.last.accept().resume, resume(4294967297, 5));
});

test("after a stated loss acts count on from what the room knows", async () => {
  const room = await w.join();
  for (let i = 1; i <= 5; i++) void room.act(i).catch(() => {});
  w.last.say(ack(1, 2), ack(2, 3), ack(3, 4));
  w.last.lose();
  await w.clock.advance(0);
  await w.welcome({ cseq: 1, epoch: 2 ** 32 });
  w.last.say(state(2, {}));
  assert.deepEqual(w.last.acts(), [[2, 4], [3, 5]]);
  w.last.say(ack(2, 3), ack(3, 4));
  void room.act(6).catch(() => {});
  assert.deepEqual(w.last.acts().at(-1), [4, 6]);
  room.close();
});

test("later losses wait with full jitter, up to ten seconds", async () => {
  w.answers["GET /v1/rooms/r1"] = () => ({ status: 503, body: {} });
  const room = await w.join();
  const waits: number[] = [];
  room.on("state", (_, why) => why?.retryIn !== undefined && waits.push(why.retryIn));
  w.last.lose();
  for (let i = 0; i < 9; i++) {
    await w.clock.advance(waits.at(-1)!);
    assert.equal(w.sockets.length, i + 2);
    w.last.lose();
  }
  assert.deepEqual(waits, [0, 250, 500, 1000, 2000, 4000, 5000, 5000, 5000, 5000]);
  await w.clock.advance(5000);
  await w.welcome({ recovered: true });
  await w.clock.advance(1000);
  w.last.lose(4102);
  assert.equal(waits.at(-1), 5000, "a socket that lasts a second is another failure");
  await w.clock.advance(5000);
  const socket = await w.welcome({ recovered: true });
  await w.clock.advance(6000);
  socket.lose(4102);
  assert.equal(waits.at(-1), 0, "a socket that lasted makes a loss the first again");
});

test("close codes say whether to come back", async () => {
  for (const [code, kind] of [[1000, "left"], [4400, "refused"], [4403, "forbidden"], [4404, "not-found"], [4406, "reload"], [4408, "refused"],
    [4409, "replaced"], [4410, "over"], [4413, "refused"], [4429, "refused"]] as const) {
    const room = await w.join();
    const sockets = w.sockets.length;
    const act = room.act(1);
    let closed: ClosedError | undefined;
    room.on("closed", (err) => (closed = err));
    w.last.lose(code, code === 4403 ? "kicked" : "");
    await assert.rejects(act, (err: unknown) => err instanceof ClosedError && err.code === code && err.kind === kind);
    assert.equal(room.state, "closed");
    assert.equal(closed!.reason, code === 4403 ? "kicked" : closed!.message);
    assert.ok(closed!.reason.length > 5);
    await assert.rejects(room.act(1), ClosedError);
    await w.clock.advance(60_000);
    assert.equal(w.sockets.length, sockets, `${code} was followed by a socket`);
    assert.equal(w.clock.pending, 0, `${code} left a timer`);
  }
  for (const code of [1001, 1005, 1006, 1011, 4100, 4101, 4102, 4103, 4104]) {
    const room = await w.join();
    const sockets = w.sockets.length;
    w.last.lose(code);
    await w.clock.advance(0);
    assert.equal(w.sockets.length, sockets + 1, `${code} was not followed by a socket`);
    room.close();
  }
});

test("joining a room that is over or unknown rejects", async () => {
  const over = w.ring().join("r1");
  await settle();
  w.last.accept();
  w.last.say({ t: "over", seq: 9, end: "finished", result: { outcomes: [], reason: "mate", summary: "" } });
  w.last.lose(4410);
  await assert.rejects(over, (err: unknown) => err instanceof ClosedError && err.kind === "over" && err.over!.result!.reason === "mate");
  const unknown = w.ring().join("r2");
  await settle();
  w.last.lose(1006); // as browsers show a refused upgrade
  await assert.rejects(unknown, { code: 4404 });
  assert.equal(w.requests.at(-1)!.path, "/v1/rooms/r2");
  await w.clock.advance(60_000);
  assert.equal(w.sockets.length, 2);
});

test("over is told, and the room stays until it closes", async () => {
  const room = await w.join();
  const seen: unknown[] = [];
  room.on("over", (o) => seen.push(o));
  w.last.say(turn(2, { n: 9 }), { t: "over", seq: 2, end: "aborted", reason: "a bug" });
  assert.deepEqual(seen, [{ seq: 2, end: "aborted", reason: "a bug" }]);
  assert.equal(room.over!.end, "aborted");
  assert.equal(room.state, "open");
  let closed: ClosedError | undefined;
  room.on("closed", (err) => (closed = err));
  w.last.lose(4410);
  assert.equal(closed!.over, room.over);
});

test("a checksum that differs asks for the whole view, once", async () => {
  const room = await w.join();
  w.last.say(turn(2, { n: 1 }, { check: 1 }), turn(3, { n: 2 }, { check: 2 }));
  assert.equal(room.stats.mismatches, 2);
  assert.equal(w.last.count("resync"), 1);
  const first = w.last;
  first.say(state(3, { n: 7 }));
  assert.deepEqual(room.view, { n: 7 });
  first.say(turn(4, { n: 8 }, { check: 3 }));
  assert.equal(first.count("resync"), 2);
  first.lose();
  await w.clock.advance(0);
  assert.equal(w.last.accept().resume, undefined, "a wrong view was resumed from");
});

test("move opens the new socket before the old one closes", async () => {
  const room = await w.join();
  const old = w.last;
  const states: string[] = [];
  room.on("state", (s) => states.push(s));
  old.say({ t: "move", url: "ws://other.test/v1/rooms/r1/ws", within: 1000 });
  await w.clock.advance(0);
  const fresh = w.last;
  assert.notEqual(fresh, old);
  assert.equal(fresh.url, "ws://other.test/v1/rooms/r1/ws");
  assert.equal(old.closed, undefined);
  const one = room.act("on the old one");
  assert.deepEqual(old.acts(), [[1, "on the old one"]]);
  assert.deepEqual(fresh.accept().resume, resume(1, 1));
  old.say(turn(2, { n: 1 }, { events: [{ name: "once" }] })); // the new one will tell of it again
  const events: unknown[] = [];
  room.on("event", (e) => events.push(e.seq));
  fresh.say(welcome({ recovered: true, epoch: 2, cseq: 1 }), turn(2, { n: 1 }, { events: [{ name: "once" }] }), ack(1, 2), turn(3, { n: 2 }, { events: [{ name: "x" }] }));
  assert.deepEqual(await one, { seq: 2 });
  assert.deepEqual(fresh.acts(), [[1, "on the old one"]]);
  assert.deepEqual(events, [3]);
  assert.equal(old.closed, 1000);
  old.lose(4100);
  assert.deepEqual(states, []);
  assert.equal(room.state, "open");
  fresh.lose(1006);
  await w.clock.advance(600);
  assert.equal(w.last.url, "ws://other.test/v1/rooms/r1/ws");
  w.answers["GET /v1/rooms/r1"] = () => ({ body: {} });
  w.last.lose(1006);
  await w.clock.advance(1000);
  assert.equal(w.last.url, "ws://play.test/v1/rooms/r1/ws", "where the move led is gone: back to the address that was given");
});

test("the old socket of a move may hear that it is replaced before the new one is welcomed", async () => {
  const room = await w.join();
  const old = w.last;
  const states: string[] = [];
  room.on("state", (s) => states.push(s));
  old.say({ t: "move", within: 1000 });
  await w.clock.advance(0);
  w.last.accept();
  old.lose(4409);
  const late = room.act("in between");
  w.last.say(welcome({ recovered: true }), ack(1, 2));
  assert.deepEqual(await late, { seq: 2 });
  assert.deepEqual(states, []);
  w.last.lose(4409);
  assert.equal(room.state, "closed");
});

test("a move whose new socket fails after the old one was replaced is tried again", async () => {
  const room = await w.join();
  const old = w.last;
  old.say({ t: "move", within: 1000 });
  await w.clock.advance(0);
  w.last.accept();
  old.lose(4409);
  w.last.lose(1006);
  assert.equal(room.state, "reconnecting");
  await w.clock.advance(1000);
  await w.welcome({ recovered: true });
  assert.equal(room.state, "open");
});

test("a move whose new socket fails is tried again while the old one goes on", async () => {
  const room = await w.join();
  const old = w.last;
  w.answers["GET /v1/rooms/r1"] = () => ({ body: {} });
  old.say({ t: "move", within: 30_000 });
  await w.clock.advance(0);
  w.last.lose(1006);
  assert.equal(room.state, "open");
  await w.clock.advance(250);
  assert.equal(w.sockets.length, 3);
  await w.welcome({ recovered: true });
  assert.equal(old.closed, 1000);
  assert.equal(room.state, "open");
});

test("a second welcome on an open socket takes the epoch and sends again", async () => {
  const room = await w.join();
  const acts = [room.act(1), room.act(2)];
  w.last.say(ack(1, 2), welcome({ epoch: 7, recovered: true, cseq: 1 }));
  assert.deepEqual(w.last.acts(), [[1, 1], [2, 2], [2, 2]]);
  w.last.say(ack(2, 3));
  await Promise.all(acts);
  w.last.lose();
  await w.clock.advance(0);
  assert.deepEqual(w.last.accept().resume, resume(7, 1));
});

test("pings measure lag and clock, and silence is a loss", async () => {
  w.answers["GET /v1/rooms/r1"] = () => ({ body: {} });
  const room = await w.join();
  const lags: number[] = [];
  room.on("lag", (ms) => lags.push(ms));
  const ping = w.last.sent.find((m) => m.t === "ping")!;
  await w.clock.advance(40);
  w.last.say({ t: "pong", echo: ping.echo, time: Date.now() - 20 + 1234 }, { t: "pong", time: 5 });
  assert.deepEqual(lags, [40]);
  assert.equal(room.lag, 40);
  assert.equal(room.clockOffset, 1234);
  await w.clock.advance(20_000);
  assert.equal(w.last.count("ping"), 5);
  assert.equal(room.state, "open");
  const old = w.last;
  await w.clock.advance(10_100);
  assert.equal(w.sockets.length, 2);
  assert.notEqual(old.closed, undefined);
  assert.equal(room.state, "reconnecting");
  await w.clock.advance(10_000);
  assert.equal(w.sockets.length, 2, "a socket has ten seconds to be welcomed");
  await w.clock.advance(600);
  assert.equal(w.sockets.length, 3);
  room.close();
  assert.equal(w.clock.pending, 0);
});

test("a hidden tab, whose timers hardly run, is heard by the server all the same", async () => {
  const room = await w.join();
  for (let i = 1; i <= 5; i++) {
    w.clock.now += 9000; // and no timer runs
    w.last.say({ t: "pong", time: 1 });
    assert.equal(w.last.count("ping"), i + 1);
    w.last.say({ t: "pong", time: 1 });
    assert.equal(w.last.count("ping"), i + 1);
  }
  room.close();
});

test("the tab wakes: a wait ends at once, a dead socket is found out", async () => {
  const listeners = new Map<string, (e: { type: string }) => void>();
  const fire = (type: string) => listeners.get(type)!({ type });
  const page = {
    visibilityState: "visible",
    addEventListener: (type: string, f: (e: { type: string }) => void) => listeners.set(type, f),
    removeEventListener: (type: string) => listeners.delete(type),
  };
  Object.assign(globalThis, { document: page, addEventListener: page.addEventListener, removeEventListener: page.removeEventListener });
  try {
    const room = await w.join();
    w.answers["GET /v1/rooms/r1"] = () => ({ body: {} });
    w.last.lose();
    await w.clock.advance(0);
    w.last.lose();
    assert.equal(w.sockets.length, 2);
    fire("online");
    await settle();
    assert.equal(w.sockets.length, 3);
    await w.welcome({ recovered: true });
    page.visibilityState = "hidden";
    const pings = w.last.count("ping");
    fire("visibilitychange");
    assert.equal(w.last.count("ping"), pings);
    page.visibilityState = "visible";
    fire("visibilitychange");
    assert.equal(w.last.count("ping"), pings + 1);
    await w.clock.advance(1000);
    w.last.say({ t: "pong", time: 1 });
    await w.clock.advance(3000);
    assert.equal(w.sockets.length, 3, "it lives");
    fire("visibilitychange");
    await w.clock.advance(3100);
    assert.equal(room.state, "reconnecting");
    await w.clock.advance(1000);
    assert.equal(w.sockets.length, 4, "it was dead");
    fire("online"); // while connecting: three seconds, not ten
    await w.clock.advance(2900);
    assert.equal(w.last.closed, undefined);
    await w.clock.advance(200);
    assert.notEqual(w.sockets[3]!.closed, undefined);
    room.close();
    assert.equal(listeners.size, 0);
  } finally {
    for (const name of ["document", "addEventListener", "removeEventListener"]) delete (globalThis as any)[name];
  }
});

test("an expired guest is replaced once, before it plays and not after", async () => {
  const kept = new Map([["roomring:http://play.test", JSON.stringify({ token: "old", player: "p", name: "P" })]]);
  const storage = { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => void kept.set(k, v), removeItem: (k: string) => void kept.delete(k) };
  const ring = w.ring({ storage });
  assert.equal(ring.player, "p");
  const joining = ring.join("r1");
  await settle();
  assert.equal(w.last.accept().token, "old");
  w.last.lose(4401, "expired");
  await settle();
  const hello = w.last.accept();
  assert.deepEqual([hello.token, hello.attempt, hello.resume], ["token1", 2, undefined]);
  w.last.say(welcome(), state(1, {}));
  const room = await joining;
  assert.equal(JSON.parse(kept.get("roomring:http://play.test")!).token, "token1");
  assert.equal(w.ring({ storage }).player, "guest1");
  const sockets = w.sockets.length;
  w.last.lose(4401);
  assert.equal(room.state, "closed");
  await settle();
  assert.equal(w.sockets.length, sockets);
  assert.equal(kept.size, 0, "the refused guest is forgotten");

  const again = w.ring().join("r1");
  await settle();
  w.last.lose(4401);
  await settle();
  w.last.lose(4401);
  await assert.rejects(again, { code: 4401, kind: "token" });
});

test("a token of one's own is asked for again when it is refused", async () => {
  let n = 0;
  const room = await w.join({}, { token: async () => `mine${++n}` });
  w.last.lose(4401);
  assert.equal(room.state, "reconnecting");
  await settle();
  const hello = w.last.accept();
  assert.deepEqual([hello.token, hello.resume], ["mine2", resume(1, 1)]);
  w.last.say(welcome({ recovered: true }));
  assert.equal(room.state, "open");
  assert.equal(w.requests.length, 0);
  w.last.lose(4401);
  await settle();
  w.last.lose(4401);
  assert.equal(room.state, "closed");
  assert.equal(n, 3);
});

test("acts of one player are never sent as another's", async () => {
  let n = 0;
  const room = await w.join({}, { token: () => `mine${++n}` });
  const act = room.act(1);
  w.last.lose();
  await w.clock.advance(0);
  await w.welcome({ player: "somebody else" });
  await assert.rejects(act, { code: 4401 });
  assert.deepEqual(w.last.acts(), []);
});

test("HTTP: a refused guest is replaced once, errors carry the problem", async () => {
  let refused = 0;
  w.answers["POST /v1/rooms"] = ({ token }) =>
    token === "Bearer token2" ? { status: 201, body: { id: "r9" } } : (refused++, { status: 401, body: { type: "u", title: "Unauthorized", status: 401 } });
  const ring = w.ring({ name: "Ann" });
  assert.equal((await ring.create({ game: "chess" })).id, "r9");
  assert.equal(refused, 1);
  assert.deepEqual(w.requests[0]!.body, { name: "Ann" });
  assert.equal(ring.player, "guest2");
  w.answers["POST /v1/rooms"] = () => ({ status: 400, body: { type: "t", title: "Bad Request", status: 400, detail: "No such clock.", field: "options.clock" } });
  await assert.rejects(ring.create({ game: "chess" }), (err: unknown) =>
    err instanceof HTTPError && err.status === 400 && err.problem.field === "options.clock" && err.message === "No such clock.");
  w.answers["GET /v1/rooms?game=chess&open=true"] = () => ({ body: { rooms: [] } });
  assert.deepEqual(await ring.rooms({ game: "chess", open: true }), { rooms: [] });
  w.answers["GET /v1/rooms?code=abc"] = () => ({ body: { rooms: [] } });
  await assert.rejects(ring.findRoom("abc"), { status: 404 });
  w.answers["POST /v1/guest"] = () => ({ status: 403, body: { type: "n", title: "Forbidden", status: 403 } });
  await assert.rejects(w.ring().join("r1"), { status: 403 });
  const [a, b] = await Promise.allSettled([ring.join("r1", { signal: AbortSignal.abort("no") }), ring.games()]);
  assert.deepEqual([(a as any).reason, (b as any).reason.status], ["no", 404]);
});

test("joining can be aborted, and what is missing is named", async () => {
  const abort = new AbortController();
  const joining = w.ring().join("r1", { signal: abort.signal });
  await settle();
  w.last.accept();
  abort.abort(new Error("changed my mind"));
  await assert.rejects(joining, { message: "changed my mind" });
  assert.equal(w.last.closed, 1000);
  assert.equal(w.clock.pending, 0);
  const had = globalThis.WebSocket;
  delete (globalThis as any).WebSocket;
  await assert.rejects(w.ring({ WebSocket: undefined } as any).join("r1"), /pass one.*ws/);
  if (had) globalThis.WebSocket = had;
  assert.throws(() => w.ring({ url: undefined } as any), /pass url/);
  w.refuseSockets = new Error("Content Security Policy");
  await assert.rejects(w.ring().join("r1"), /Security Policy/);
});

test("leaving waits for the server, over a reconnection too", async () => {
  const room = await w.join();
  w.last.lose();
  const leaving = room.leave();
  await w.clock.advance(0);
  await w.welcome({ recovered: true });
  assert.equal(w.last.count("leave"), 1);
  w.last.lose(1000);
  await leaving;
  assert.equal(room.state, "closed");
  await room.leave();
});

test("iterators yield the newest view and every event, and end with the room", async () => {
  const room = await w.join({ n: 0 });
  const views = room.views();
  const events = room.events();
  for (let n = 1; n <= 1100; n++) w.last.say(turn(n + 1, { n }, { events: [{ name: "e", data: n }] }));
  assert.equal((await views.next()).value.n, 1100);
  const next = views.next();
  w.last.say(turn(1102, { n: 5 }));
  assert.equal((await next).value.n, 5);
  assert.equal((await events.next()).value.data, 77, "of 1100 events the newest 1024 wait");
  const abort = new AbortController();
  const aborted = room.events({ signal: abort.signal }).next();
  abort.abort();
  assert.equal((await aborted).done, true);
  const left = room.events();
  room.close();
  for await (const e of left) assert.fail("an event after the end: " + e.name);
  const last: unknown[] = [];
  for await (const v of room.views()) last.push(v.n);
  assert.deepEqual(last, [5]);
});

test("a server that cannot be understood is left", async () => {
  await w.join();
  const old = w.last;
  old.onmessage!({ data: "{" });
  await w.clock.advance(0);
  assert.notEqual(old.closed, undefined);
  assert.equal(w.sockets.length, 2);
  await w.welcome({ recovered: true });
  w.last.say({ t: "move", url: "http://[", within: 1 });
  await w.clock.advance(500);
  assert.equal(w.sockets.length, 3);
});

test("the CBOR build speaks CBOR sequences", async () => {
  w.end();
  w = new World(cbor);
  const joining = w.ring({}, CBORRoomring).join("r1");
  await settle();
  assert.equal(w.last.protocol, "roomring.v1.cbor");
  assert.equal(w.last.accept().t, "hello");
  w.last.say(welcome(), state(1, { n: 1.5, big: 2 ** 53, text: "ü", list: [-1, true] }), turn(2, { n: null }));
  const room = await joining;
  assert.deepEqual(room.view, { big: 2 ** 53, text: "ü", list: [-1, true] });
  assert.equal(room.stats.mismatches, 0);
  void room.act({ a: undefined, b: [1, 0.5], d: new Date(0) }).catch(() => {});
  assert.deepEqual(w.last.acts(), [[1, { b: [1, 0.5], d: "1970-01-01T00:00:00.000Z" }]]);
  room.close();
});
