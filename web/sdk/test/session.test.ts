import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { cbor } from "../src/codec-cbor.js";
import { Roomring as CBORRoomring } from "../src/roomring-cbor.js";
import { ClosedError, RejectedError } from "../src/errors.js";
import { ack, settle, state, turn, welcome, World } from "./fake.js";

let w: World;
beforeEach(() => void (w = new World()));
afterEach(() => w.end());

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

test("an act that no server takes is rejected before it is sent, and nothing else happens", async () => {
  const room = await w.join();
  const deep = (n: number): unknown => (n ? [deep(n - 1)] : 0);
  for (const [code, ...actions] of [
    ["bad_text", "hello \ud83c", "\udf89", { chat: ["ok", "\udf89\ud83c"] }, { "\ud83c": 1 }, "\\\ud83c"],
    ["bad_action", 2 ** 53, { bid: { count: -(2 ** 53) } }, [1e300]],
    ["bad_action", deep(32), { a: deep(31) }],
  ] as const) {
    for (const action of actions) await assert.rejects(room.act(action), (err: unknown) => err instanceof RejectedError && err.code === code && err.reason.length > 20);
  }
  assert.deepEqual(w.last.acts(), []);
  const fine = ["🎉", "\\ud83c", "\\\\ud83c\ud83c\udf89", Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 0.5, deep(31), null];
  fine.forEach((action) => void room.act(action).catch(() => {}));
  assert.deepEqual(w.last.acts(), fine.map((action, i) => [i + 1, action]));
  assert.equal(room.state, "open");
  room.close();
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

test("acts keep to the bytes a second that the server names", async () => {
  const joining = w.ring().join("r1");
  await settle();
  w.last.accept();
  w.last.say(welcome({ limits: { message: 1000, unanswered: 32, rate: 1000, bytes: 1000 } }), state(1, {}));
  const room = await joining;
  const large = "x".repeat(400 - '{"t":"act","cseq":1,"data":""}'.length);
  for (let i = 0; i < 5; i++) void room.act(large).catch(() => {});
  assert.equal(w.last.acts().length, 2); // 800 of 1000 bytes
  await w.clock.advance(200);
  assert.equal(w.last.acts().length, 3);
  await w.clock.advance(399);
  assert.equal(w.last.acts().length, 3);
  await w.clock.advance(2);
  assert.equal(w.last.acts().length, 4);
  await w.clock.advance(1000);
  assert.deepEqual(w.last.acts().map(([cseq]) => cseq), [1, 2, 3, 4, 5]);
  room.close();
});

test("a socket goes to the address that can be right, and where none opens to the next", async () => {
  for (const [url, ws_url, ...want] of [
    ["http://play.test", undefined, "ws://play.test/v1/rooms/r1/ws"],
    ["http://play.test", "ws://play.test/v1/rooms/r1/ws?node=a", "ws://play.test/v1/rooms/r1/ws?node=a"],
    ["http://play.test/games/ring/", "ws://play.test/v1/rooms/r1/ws?node=a", "ws://play.test/games/ring/v1/rooms/r1/ws?node=a"],
    ["http://play.test", "ws://play.test/games/ring/v1/rooms/r1/ws", "ws://play.test/v1/rooms/r1/ws"],
    ["https://play.test", "ws://10.0.0.7:7777/v1/rooms/r1/ws?node=a", "wss://play.test/v1/rooms/r1/ws?node=a"],
    ["http://play.test", "wss://node.test/v1/rooms/r1/ws?node=a", "wss://node.test/v1/rooms/r1/ws?node=a", "ws://play.test/v1/rooms/r1/ws?node=a"],
  ] as const) {
    w.answers["GET /v1/rooms/r1"] = () => ({ body: {} });
    const fetch = (async () => Response.json({ token: "t", player: "guest1", name: "Guest" })) as unknown as typeof globalThis.fetch;
    const sockets = w.sockets.length;
    const joining = w.ring({ url, fetch }).join({ id: "r1", ws_url } as any);
    await settle();
    for (const at of [...want, want[0]]) {
      assert.equal(w.last.url, at);
      w.last.lose();
      await w.clock.advance(1500);
    }
    const known = want.at(-1); // what has led to the room once is kept to
    if (w.last.url !== known) w.last.lose(), await w.clock.advance(2500);
    await w.welcome();
    w.last.say(state(1, {}));
    const room = await joining;
    for (let i = 0; i < 2; i++) {
      w.last.lose();
      await w.clock.advance(10_000);
      assert.equal(w.last.url, known);
    }
    assert.ok(w.sockets.length > sockets + 4);
    room.close();
  }
});

test("a join that cannot work rejects after so many tries and says why, and a room that was joined goes on", async () => {
  const lose = async (n: number, open: boolean, code = 1006, reason = "") => {
    for (let i = 0; i < n; i++) {
      const socket = w.last;
      if (open) socket.accept();
      socket.lose(code, reason);
      await w.clock.advance(10_000);
      if (i < n - 1) assert.notEqual(w.last, socket, `no socket followed loss ${i + 1}`);
      else assert.equal(w.last, socket);
    }
  };
  w.answers["GET /v1/rooms/r1"] = () => ({ body: {} });
  const joining = w.ring().join("r1");
  const failed = assert.rejects(joining, { code: 1006, kind: "unreachable",
    message: "No socket opens at ws://play.test/v1/rooms/r1/ws. HTTP gets through: look whether each proxy on the way passes WebSocket upgrades on." });
  await settle();
  await lose(10, false);
  await failed;
  assert.equal(w.clock.pending, 0);

  w.answers["GET /v1/rooms/r1"] = () => ({ status: 503, body: { type: "x", title: "Service Unavailable", status: 503, detail: "Node b is down." } });
  const down = assert.rejects(w.ring({ tries: 3 }).join("r1"), { code: 4103, kind: "unreachable", reason: "b is down" });
  await settle();
  await lose(3, true, 4103, "b is down");
  await down;
  const silent = assert.rejects(w.ring({ tries: 1 }).join("r1"), { code: 1006, reason: "Node b is down." });
  await settle();
  await lose(1, true);
  await silent;

  const room = await w.join({}, { tries: 1 });
  for (let i = 0; i < 20; i++) {
    const socket = w.last;
    socket.lose();
    await w.clock.advance(10_000);
    assert.notEqual(w.last, socket);
  }
  assert.equal(room.state, "reconnecting");
  room.close();
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

test("a whole view that differs from its own checksum is not asked for again and again", async () => {
  const room = await w.join();
  w.last.say(turn(2, { n: 1 }, { check: 1 }), state(2, { n: 1 }, { check: 2 }), turn(3, { n: 2 }), state(3, { n: 2 }, { check: 3 }));
  assert.deepEqual([w.last.count("resync"), room.stats.mismatches], [1, 3]);
  assert.deepEqual(room.view, { n: 2 });
  w.last.say(turn(4, { n: 3 }, { check: 4 }));
  assert.equal(w.last.count("resync"), 2);
  room.close();
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

test("what can never be read ends the session and rejects its acts; what can is gone on from", async () => {
  const beyond = (n: number) => w.last.onmessage!({ data: Uint8Array.from([0xa3, 0x61, 0x74, 0x65, ...Buffer.from("state"), 0x63, ...Buffer.from("seq"), n,
    0x64, ...Buffer.from("view"), 0xa1, 0x61, 0x6e, 0x1b, 0x00, 0x20, 0, 0, 0, 0, 0, 0]).buffer }); // {"n": 2⁵³}
  w.end();
  w = new World(cbor);
  const first = assert.rejects(w.ring({}, CBORRoomring).join("r1"), { code: 1007, kind: "refused", message: /cannot be read.*integer/ });
  for (let i = 0; i < 3; i++) {
    await w.welcome();
    beyond(1);
    await w.clock.advance(1000);
  }
  await first;
  assert.equal(w.sockets.length, 3);

  const joining = w.ring({}, CBORRoomring).join("r1");
  await w.welcome();
  w.last.say(state(1, { n: 1 }));
  const room = await joining;
  for (let i = 0; i < 2; i++) {
    beyond(2);
    await w.clock.advance(1000);
    await w.welcome();
    assert.equal(w.last.sent[0]!.resume, undefined);
  }
  w.last.say(state(2, { n: 2 })); // it can be read again
  assert.deepEqual([room.state, room.view], ["open", { n: 2 }]);
  const act = assert.rejects(room.act("x"), { code: 1007 });
  for (let i = 0; i < 3; i++) {
    beyond(3);
    await w.clock.advance(5000);
    if (i < 2) await w.welcome();
  }
  await act;
  assert.equal(room.state, "closed");
  assert.equal(w.clock.pending, 0);
});

test("the CBOR build speaks CBOR sequences", async () => {
  w.end();
  w = new World(cbor);
  const joining = w.ring({}, CBORRoomring).join("r1");
  await settle();
  assert.equal(w.last.protocol, "roomring.v1.cbor");
  assert.equal(w.last.accept().t, "hello");
  w.last.say(welcome(), state(1, { n: 1.5, big: 2 ** 53 - 1, text: "ü", list: [-1, true] }), turn(2, { n: null }));
  const room = await joining;
  assert.deepEqual(room.view, { big: 2 ** 53 - 1, text: "ü", list: [-1, true] });
  assert.equal(room.stats.mismatches, 0);
  void room.act({ a: undefined, b: [1, 0.5], d: new Date(0) }).catch(() => {});
  assert.deepEqual(w.last.acts(), [[1, { b: [1, 0.5], d: "1970-01-01T00:00:00.000Z" }]]);
  room.close();
});
