import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import WebSocket from "ws";
import * as JSONBuild from "../dist/roomring.js"; // what is served, as built
import * as CBOR from "roomring/cbor"; // what the package exports
import { Prefixed, Proxy, Server } from "./server.js";

interface Chess {
  status: "waiting" | "playing" | "over";
  fen: string;
  turn: "white" | "black";
  moves: Record<string, string>;
  white?: { player: string };
  result?: { score: string };
}

type Act = { move: string } | { resign: true } | { rematch: boolean };
type ChessRoom = JSONBuild.Room<Chess, Act>;

let server: Server;
before(async () => {
  server = await Server.start();
});
after(() => server.stop());

async function until(room: JSONBuild.Room<Chess, any>, good: (v: Chess) => boolean): Promise<Chess> {
  for await (const v of room.views({ signal: AbortSignal.timeout(60_000) })) if (good(v)) return v;
  throw new Error("the room closed, or nothing came in a minute: " + JSON.stringify(room.view));
}

const once = (room: ChessRoom, type: "state") => new Promise<void>((resolve) => room.on(type, () => resolve()));

const builds: [string, typeof JSONBuild][] = [["json", JSONBuild], ["cbor", CBOR as unknown as typeof JSONBuild]];

for (const [name, { Roomring, RejectedError }] of builds) {
  test(`two play chess and the server is killed in the middle, in ${name}`, { timeout: 120_000 }, async () => {
    const player = () => new Roomring({ url: server.url, WebSocket, storage: null });
    const [ann, bob, eve] = [player(), player(), player()];
    assert.ok((await ann.games()).some((g) => g.name === "chess"));
    const info = await ann.create({ game: "chess", name: "in the middle" });
    const rooms: ChessRoom[] = [await ann.join<Chess, Act>(info), await bob.join<Chess, Act>(info.id)];
    const watching = await eve.spectate<Chess>(info.id);
    assert.equal(watching.seat, -1);
    assert.ok((await ann.rooms({ game: "chess" })).rooms.some((r) => r.id === info.id));

    const started = await until(rooms[0]!, (v) => v.status === "playing");
    if (started.white!.player !== rooms[0]!.player) rooms.reverse();
    const [white, black] = rooms as [ChessRoom, ChessRoom];
    const moves: string[] = [];
    white.watch("moves.*", (value, path) => moves.push(path.join(".") + "=" + value));

    await white.act({ move: "e4" });
    await until(black, (v) => v.turn === "black");
    await assert.rejects(black.act({ move: "Qh4" }), (err: unknown) => err instanceof RejectedError && err.reason.length > 0);
    await black.act({ move: "e5" });
    await until(white, (v) => v.turn === "white");

    await server.kill();
    const answer = white.act({ move: "Bc4" }); // while nobody is there
    if (white.state === "open") await once(white, "state");
    assert.equal(white.state, "reconnecting");
    await server.run();
    await answer;
    await until(black, (v) => v.turn === "black");
    await black.act({ move: "Nc6" });
    await until(white, (v) => v.turn === "white");
    await white.act({ move: "Qh5" });
    await until(black, (v) => v.turn === "black");
    await black.act({ move: "Nf6" });
    await until(white, (v) => v.turn === "white");
    await white.act({ move: "Qxf7#" });

    for (const room of [white, black, watching]) {
      const end = await until(room, (v) => v.status === "over");
      assert.deepEqual(end.moves, { 1: "e4 e5", 2: "Bc4 Nc6", 3: "Qh5 Nf6", 4: "Qxf7#" });
      assert.equal(end.result!.score, "1-0");
      assert.equal(room.stats.mismatches, 0);
      assert.ok(room.stats.sockets > 1);
    }
    assert.equal(moves.at(-1), "moves.4=Qxf7#");
    assert.equal(moves.length, 7);

    let result = await ann.result(info.id);
    for (; result.status === "pending"; result = await ann.result(info.id)) await new Promise((r) => setTimeout(r, 100));
    assert.equal(result.result.outcomes.find((o) => o.rank === 1)!.player, white.player);
    assert.equal((await ann.profile(white.player)).recent[0]!.room, info.id);
    assert.equal(result.unrated, undefined);
    assert.equal(result.ratings.length, 2);
    const record = (await ann.profile(white.player)).games.find((g) => g.game === "chess")!;
    assert.ok(record.listed && record.rated >= 1);
    const board = await ann.leaderboardPage("chess");
    assert.deepEqual(board.rules, { games: 1, guests: true, acts: 3, seconds: 0, per_opponent: 3 });
    assert.ok(board.players.some((s) => s.player === white.player));
    assert.deepEqual(await ann.leaderboard("chess"), board.players);
    for (const room of [white, black, watching]) room.close();
  });

  test(`a proxy that cuts off a path is no hindrance, in ${name}`, { timeout: 120_000 }, async () => {
    const proxy = await Prefixed.start(server.port, "/games/ring");
    try {
      const ann = new Roomring({ url: proxy.url, WebSocket, storage: null });
      const info = await ann.create({ game: "chess", options: { bot: 1, white: "first" } });
      const room = await ann.join<Chess, Act>(info);
      await until(room, (v) => v.status === "playing");
      await room.act({ move: "e4" });
      room.close();
      proxy.sockets = false;
      const bob = new Roomring({ url: proxy.url, WebSocket, storage: null, tries: 2 });
      await assert.rejects(bob.join(info.id), (err: any) => err.kind === "unreachable" && err.reason.startsWith("No socket opens at ws://") && err.reason.includes("(Unexpected server response: 404)"));
    } finally {
      await proxy.stop();
    }
  });

  test(`an act whose answer is lost has its effect once, in ${name}`, { timeout: 120_000 }, async () => {
    const proxy = await Proxy.start(server.port);
    try {
      const ann = new Roomring({ url: server.url, WebSocket, storage: null });
      const info = await ann.create({ game: "chess" });
      const bob = new Roomring({ url: server.url, WebSocket, storage: null });
      const near = await bob.join<Chess, Act>(info.id);
      const far = await ann.join<Chess, Act>({ ...info, ws_url: info.ws_url!.replace(String(server.port), String(proxy.port)) });
      const started = await until(near, (v) => v.status === "playing");
      if (started.white!.player !== far.player) {
        await near.act({ move: "d4" });
        await until(far, (v) => v.turn === "black");
      }
      proxy.muted = true; // what the server says gets lost
      const move = far.act({ move: started.white!.player === far.player ? "e4" : "d5" });
      await until(near, (v) => v.turn !== (started.white!.player === far.player ? "white" : "black"));
      const more = far.act({ resign: true });
      proxy.cut();
      assert.ok((await move).seq < (await more).seq);
      const end = await until(near, (v) => v.status === "over");
      assert.equal(Object.values(end.moves).join(" "), started.white!.player === far.player ? "e4" : "d4 d5");
      assert.ok(far.stats.resent >= 1);
      assert.deepEqual(far.view, near.view);
      far.close();
      near.close();
    } finally {
      await proxy.stop();
    }
  });
}
