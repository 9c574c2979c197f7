import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { HTTPError } from "../src/errors.js";
import { settle, state, welcome, World } from "./fake.js";

let w: World;
beforeEach(() => void (w = new World()));
afterEach(() => w.end());

const resume = (epoch: number, seq: number) => ({ epoch, seq });

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
