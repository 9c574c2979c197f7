import assert from "node:assert/strict";
import { test } from "node:test";
import { goTest } from "../src/inspect/keep.ts";
import { places, same } from "../src/inspect/same.ts";
import { exactly } from "../src/inspect/types.ts";

const marks = (value: unknown, before?: { value: unknown }, other?: { value: unknown }): string =>
  places(value, "", { before, other }).map((p) => `${p.path}${p.gone ? " gone" : p.changed ? " changed" : ""}${p.differs ? " differs" : ""}`).join(", ");

test("values are equal whatever the order of keys", () => {
  assert.ok(same({ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 }));
  for (const [a, b] of [[{ a: 1 }, { a: 1, b: undefined }], [[1], { 0: 1 }], [null, {}], [0, false], [{ a: 1 }, { b: 1 }], ["1", 1], [[], [1]]]) assert.ok(!same(a, b), JSON.stringify([a, b]));
  assert.ok(!same({}, { toString: 1 }));
});

test("what an input changed is marked, and what is gone", () => {
  assert.equal(marks({ a: 1, b: { c: 2 } }, { value: { a: 1, b: { c: 3 }, d: 4 } }), "/a, /b changed, /d gone");
  assert.equal(marks([1, 2], { value: [1] }), "/0, /1 changed");
  assert.equal(marks({ a: 1 }, { value: [1] }), "/a changed"); // it was no object before
  assert.equal(marks({ a: 1 }, { value: undefined }), "/a changed");
  assert.equal(marks({ a: 1 }), "/a"); // nothing is known of before
});

test("what another viewer does not see is marked", () => {
  assert.equal(marks({ mine: [1, 2], sum: 3 }, undefined, { value: { mine: [4, 5], sum: 3 } }), "/mine differs, /sum");
  assert.equal(marks({ mine: [1] }, { value: { mine: [] } }, { value: {} }), "/mine changed differs");
});

test("keys become a JSON pointer", () => {
  assert.equal(marks({ "a/b~": 1, "": 2 }), "/a~1b~0, /");
});

test("time is told to the millisecond", () => {
  assert.deepEqual([0, 59_999, 3_600_001, 90_061_234].map(exactly), ["00:00.000", "00:59.999", "1:00:00.001", "25:01:01.234"]);
});

test("the Go test has a name that Go takes", () => {
  assert.match(goTest("liars-dice 2"), /^func TestLiarsDice2Room\(t \*testing\.T\) \{\n\troomtest\.Replay\(t, Rules\(\), "testdata\/room\.log"\)\n\}\n$/);
});
