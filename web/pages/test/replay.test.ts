import assert from "node:assert/strict";
import { test } from "node:test";
import { Recording } from "../src/results/replay.ts";

type Lines = ConstructorParameters<typeof Recording>[0];

const whole: Lines = [
  { t: "state", seq: 2, at: 0, kind: "open", view: { sum: 0 } },
  { t: "turn", seq: 3, at: 10, kind: "join", patch: { players: 1 } },
  { t: "turn", seq: 5, at: 1000, kind: "act", patch: { sum: 1 } },
];

test("a replay starts at the last turn before anything was done", () => {
  const r = new Recording(whole);
  assert.equal(r.cut, undefined);
  assert.deepEqual(r.steps.map((i) => r.view(i)), [{ sum: 0, players: 1 }, { sum: 1, players: 1 }]);
});

test("a replay whose beginning is not kept starts where its log does", () => {
  const r = new Recording([
    { t: "state", seq: 212, at: 90_000, kind: "cut", view: { sum: 7 } },
    { t: "turn", seq: 214, at: 91_500, kind: "act", patch: { sum: 8 } },
    { t: "turn", seq: 215, at: 92_000, kind: "act", patch: { sum: 9 }, events: [{ name: "end" }] },
  ]);
  assert.equal(r.cut?.seq, 212);
  assert.equal(r.cut?.at, 90_000);
  assert.deepEqual(r.steps.map((i) => [r.time(i), r.roomTime(i), r.view(i)]),
    [[0, 90_000, { sum: 7 }], [1500, 91_500, { sum: 8 }], [2000, 92_000, { sum: 9 }]]);
  assert.deepEqual(r.view(0), { sum: 7 });
  assert.deepEqual(r.events(2), [{ name: "end" }]);
});
