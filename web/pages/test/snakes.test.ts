import assert from "node:assert/strict";
import { test } from "node:test";
import { patch } from "roomring";
import { unlike } from "../src/games/form.ts";
import { Camera, legible } from "../src/games/snakes/camera.ts";
import { coat } from "../src/games/snakes/colours.ts";
import { towards, turns } from "../src/games/snakes/controls.ts";
import { Pace } from "../src/games/snakes/pace.ts";
import { heading, trail, type Point } from "../src/games/snakes/path.ts";
import { lastLeg, numberOf, standings, type Snake, type SnakesView } from "../src/games/snakes/view.ts";

const [width, height] = [20, 10];
const cell = (x: number, y: number) => y * width + x;

function view(v: Partial<SnakesView> = {}): SnakesView {
  return { phase: "playing", left_s: 60, round: 1, rounds: 3, width, height, walls: true, tick: 0, players: {}, snakes: {}, food: {}, ...v };
}

// The whole cells of a body by the rule of the game: the reference that the smooth line is held to.
function body(s: Snake, tick: number): Point[] {
  const [dx, dy] = [[0, 1, 0, -1], [-1, 0, 1, 0]];
  const legs = Object.keys(s.p).map(Number).sort((a, b) => a - b).map((k) => s.p[k]!);
  const out: Point[] = [];
  for (let i = legs.length - 1, end = tick, skip = 0; i >= 0 && out.length < s.n; i--) {
    const [c, d, t, v] = legs[i]!;
    for (let k = Math.floor(((end - t) * v) / 2) - skip; k >= 0 && out.length < s.n; k--) {
      out.push([((c % width) + dx![d]! * k + width) % width, (Math.floor(c / width) + dy![d]! * k + height) % height]);
    }
    [end, skip] = [t, 1];
  }
  return out;
}

// The whole cells that a line passes, head first.
function cells(points: Point[]): Point[] {
  const out: Point[] = [points[0]!];
  for (const [x, y] of points.slice(1)) {
    for (let [a, b] = out.at(-1)!; a !== x || b !== y; ) {
      [a, b] = [a + Math.sign(x - a), b + Math.sign(y - b)];
      out.push([a, b]);
    }
  }
  return out.map(([x, y]) => [(x + width) % width, (y + height) % height]);
}

const bent: Snake = { n: 6, p: { 9: [cell(4, 5), 1, 0, 1], 10: [cell(8, 5), 0, 8, 1], 11: [cell(8, 3), 3, 12, 2] } };

test("a trail passes the cells of the body", () => {
  for (const tick of [12, 13, 14, 16]) assert.deepEqual(cells(trail(bent, tick, bent.n, width, height)), body(bent, tick));
});

test("a trail lies between cells between ticks", () => {
  const points = trail(bent, 12.5, 6, width, height);
  assert.deepEqual(points, [[7.5, 3], [8, 3], [8, 5], [5.5, 5]]);
});

test("a trail in the past uses the legs of then", () => {
  assert.deepEqual(trail(bent, 10, 4, width, height), [[8, 4], [8, 5], [6, 5]]);
  assert.deepEqual(heading(bent, 10), [0, -1]);
  assert.deepEqual(heading(bent, 13), [-1, 0]);
});

test("a trail goes on over the edge, its head inside", () => {
  const s: Snake = { n: 4, p: { 1: [cell(18, 2), 1, 0, 2] } };
  assert.deepEqual(trail(s, 3, 4, width, height), [[1, 2], [-2, 2]]);
  assert.deepEqual(cells(trail(s, 3, 4, width, height)), body(s, 3));
});

test("a body is the same after patches as in a whole view", () => {
  const before = view({ tick: 12, snakes: { 1: bent } });
  const turned = patch(before, { tick: 14, snakes: { 1: { n: 7, p: { 9: null, 12: [cell(6, 3), 2, 14, 1] } } } }) as SnakesView;
  const s = turned.snakes["1"]!;
  assert.deepEqual(Object.keys(s.p), ["10", "11", "12"]);
  assert.deepEqual(lastLeg(s), [cell(6, 3), 2, 14, 1]);
  assert.deepEqual(cells(trail(s, 18, 5, width, height)), [[6, 5], [6, 4], [6, 3], [7, 3], [8, 3]]);
  assert.equal(before.snakes["1"], bent, "the view before is untouched");
});

test("the pace follows late ticks smoothly, and never goes back or beyond", () => {
  const pace = new Pace();
  let shown = 0;
  for (let ms = 0, tick = 0; ms < 4000; ms += 16) {
    const due = Math.floor((ms * 15) / 1000);
    const late = due % 7 === 3 ? 40 : 0; // some ticks come late
    if (due > tick && ms - (due * 1000) / 15 >= late) pace.note(view({ tick: (tick = due) }), ms);
    const at = pace.at(ms);
    assert.ok(at >= shown && at <= tick, `${shown} then ${at} at tick ${tick}`);
    if (ms > 1000) assert.ok(at - shown < 0.6, `a jump of ${at - shown}`);
    shown = at;
  }
  assert.ok(shown > 56 && shown < 60, `it keeps up: ${shown}`);
});

test("the pace starts afresh with a round, and stands still between rounds", () => {
  const pace = new Pace();
  pace.note(view({ tick: 900 }), 60_000);
  assert.ok(pace.at(60_100) >= 898);
  pace.note(view({ tick: 0, round: 2, phase: "ready" }), 64_000);
  assert.equal(pace.at(64_010), 0);
  pace.settle();
  assert.equal(pace.at(64_500), 0);
});

test("only turns to a side are turns", () => {
  assert.ok(turns("up", "left") && turns("down", "right") && turns("left", "up"));
  assert.ok(!turns("up", "up") && !turns("up", "down") && !turns("left", "right"));
});

test("swipes go where they go most", () => {
  assert.deepEqual([towards(30, 5), towards(-30, 5), towards(5, 30), towards(5, -30)], ["right", "left", "down", "up"]);
});

test("thirty snakes look different", () => {
  const coats = new Set(Array.from({ length: 30 }, (_, i) => JSON.stringify(coat(String(i + 1)))));
  assert.equal(coats.size, 30);
});

test("the camera fits the field, or follows in a small one without showing much beyond", () => {
  const camera = new Camera();
  camera.aim({ width: 1304, height: 824 }, 64, 40, [1, 1]);
  assert.ok(!camera.follows && Math.abs(camera.cell - 20) < 1);
  camera.aim({ width: 360, height: 340 }, 64, 40, [32, 20]);
  assert.ok(camera.follows && camera.cell >= legible && Math.abs(camera.x(32) - 180) < 1 && Math.abs(camera.y(20) - 170) < 1);
  camera.aim({ width: 360, height: 340 }, 64, 40, [0, 39]);
  assert.ok(camera.left > 0 && camera.left < camera.cell && camera.y(39) > 320 && camera.y(39) < 340);
});

test("standings go by rank, then by points", () => {
  const p = (player: string, points: number, rank?: number) => ({ player, name: player, seat: 0, online: true, points, before: 0, kills: 0, ...(rank && { rank }) });
  assert.deepEqual(standings(view({ players: { 1: p("a", 3), 2: p("b", 9), 10: p("c", 3) } })).map(([k]) => k), ["2", "1", "10"]);
  assert.deepEqual(standings(view({ players: { 1: p("a", 9, 2), 2: p("b", 3, 1) } })).map(([k]) => k), ["2", "1"]);
  assert.equal(numberOf(view({ players: { 4: p("me", 0) } }), "me"), "4");
});

test("only options that differ from the usual are sent", () => {
  assert.deepEqual(unlike({ a: 1, b: true }, { a: 1, b: false, c: 3 } as Record<string, unknown>), { b: false, c: 3 });
});
