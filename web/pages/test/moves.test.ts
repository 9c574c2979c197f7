import assert from "node:assert/strict";
import { test } from "node:test";
import { Counted, say } from "../src/admin/moves.ts";

const node = (name: string, boot: string, ...taken: [string, number, number][]) =>
  ({ name, boot, version: "1", taken: taken.map(([from, seized, yielded]) => ({ from, seized, yielded })) });

test("a takeover is told once, and by the process that made it", () => {
  const c = new Counted();
  assert.deepEqual(c.since([node("a", "A", ["c", 7, 0]), node("b", "B")]), []); // that was before the page was opened
  assert.deepEqual(c.since([node("a", "A", ["c", 7, 0]), node("b", "B", ["c", 3, 1])]), [{ from: "c", to: "b", seized: 3, yielded: 1 }]);
  assert.deepEqual(c.since([node("a", "A", ["c", 7, 0]), node("b", "B", ["c", 3, 1])]), []);
  assert.deepEqual(c.since([node("a", "A", ["c", 9, 0], ["b", 1, 0]), { ...node("b", "B"), version: "" }]), [
    { from: "c", to: "a", seized: 2, yielded: 0 }, { from: "b", to: "a", seized: 1, yielded: 0 }]);
  assert.deepEqual(c.since([node("b", "B", ["c", 3, 1])]), []); // it answers again
  assert.deepEqual(c.since([node("b", "B2", ["a", 5, 0])]), []); // a new process counts from nothing, and this look is its first
});

test("moves are said in words", () => {
  assert.equal(say({ from: "a", to: "b", seized: 1, yielded: 0 }), "b took over 1 room of a, which did not answer.");
  assert.equal(say({ from: "a", to: "b", seized: 0, yielded: 4 }), "a handed 4 rooms over to b.");
});
