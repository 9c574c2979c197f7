import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { ClosedError } from "../src/errors.js";
import { ack, settle, state, turn, welcome, World } from "./fake.js";

let w: World;
beforeEach(() => void (w = new World()));
afterEach(() => w.end());

const resume = (epoch: number, seq: number) => ({ epoch, seq });

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

test("a resume names the epoch last told, by whatever message", async () => {
  const w = new World();
  const room = await w.join({ n: 1 });
  w.last.say(turn(9, { n: 2 }, { epoch: 3 }), turn(10, { n: 3 }));
  w.last.lose();
  await w.clock.advance(0);
  assert.deepEqual(w.last.accept().resume, resume(3, 10));
  w.last.say(welcome({ recovered: true, epoch: 5, seq: 12 }), turn(11, { n: 4 }, { epoch: 4 }), state(12, { n: 5 }, { epoch: 6 }));
  assert.deepEqual(room.view, { n: 5 });
  w.last.lose();
  await w.clock.advance(10_000);
  assert.deepEqual(w.last.accept().resume, resume(6, 12));
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
