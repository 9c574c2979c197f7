import "./window.ts";
import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldOf } from "../src/plain/fields.ts";
import { optionsForm } from "../src/plain/form.ts";
import { labelOf } from "../src/plain/legal.ts";
import { same, shapeOf, type Schema } from "../src/plain/schema.ts";
import { Tree } from "../src/plain/tree.ts";

const find = <E extends HTMLElement = HTMLInputElement>(el: HTMLElement, label: string): E => {
  const found = el.querySelector<E>(`[data-field="${label}"]`);
  assert.ok(found, `no field ${label} in ${el.outerHTML}`);
  return found;
};
const form = (schema: Schema) => fieldOf(schema, { document: schema, label: "Action", needed: true, depth: 0 });
const tick = (box: HTMLInputElement, on = true): void => {
  box.checked = on;
  box.dispatchEvent(new Event("change"));
};

const action: Schema = {
  type: "object",
  required: ["n", "word", "sure", "cards"],
  properties: {
    n: { type: "integer", minimum: 1, maximum: 3 },
    word: { type: "string", pattern: "^[a-z]*$" },
    sure: { type: "boolean" },
    cards: { type: "array", items: { type: "integer" } },
    colour: { enum: ["red", "black"] },
    ratio: { type: ["number", "null"] },
    target: { anyOf: [{ $ref: "#/$defs/Point" }, { type: "null" }] },
    bag: { type: "object", additionalProperties: { type: "integer" } },
    maybe: { type: "boolean" },
  },
  $defs: { Point: { type: "object", required: ["x", "y"], properties: { x: { type: "integer" }, y: { type: "integer" }, next: { $ref: "#/$defs/Point" } } } },
};

test("an untouched form leaves out what need not be said", () => {
  const f = form(action);
  find(f.el, "n").value = "2";
  assert.deepEqual(f.read(), { n: 2, word: "", sure: false, cards: [] });
});

test("a form reads what was entered", () => {
  const f = form(action);
  find(f.el, "n").value = "3";
  find(f.el, "word").value = "abc";
  find(f.el, "sure").checked = true;
  find(f.el, "ratio").value = "0.5";
  find<HTMLSelectElement>(f.el, "colour").value = "1";
  find<HTMLTextAreaElement>(f.el, "bag").value = `{"a":1}`;
  const add = [...f.el.querySelectorAll("button")].find((b) => b.textContent === "Add")!;
  add.click();
  add.click();
  find(f.el, "cards 1").value = "7";
  find(f.el, "cards 2").value = "9";
  tick(find(f.el, "target"));
  find(f.el, "x").value = "4";
  find(f.el, "y").value = "-4";
  tick(find(f.el, "next")); // a type that holds itself opens as far as it is wanted
  assert.throws(() => { find(f.el, "bag").value = "{"; f.read(); }, /bag: that is no JSON/);
  find<HTMLTextAreaElement>(f.el, "bag").value = `{"a":1}`;
  f.el.querySelectorAll<HTMLInputElement>(`[data-field="x"], [data-field="y"]`).forEach((i) => (i.value ||= "0"));
  assert.deepEqual(f.read(), { n: 3, word: "abc", sure: true, cards: [7, 9], colour: "black", ratio: 0.5, target: { x: 4, y: -4, next: { x: 0, y: 0 } }, bag: { a: 1 } });
  f.el.querySelector<HTMLElement>(`[aria-label="Remove cards"]`)!.click();
  tick(find(f.el, "target"), false);
  assert.deepEqual((f.read() as { cards: number[] }).cards, [9]);
  assert.equal("target" in (f.read() as object), false);
});

test("a form holds the browser to the bounds of a type", () => {
  const f = form(action);
  const n = find(f.el, "n");
  assert.deepEqual([n.type, n.min, n.max, n.step, n.required], ["number", "1", "3", "1", true]);
  assert.deepEqual([find(f.el, "word").pattern, find(f.el, "ratio").step, find(f.el, "ratio").required], ["^[a-z]*$", "any", false]);
});

test("whatever a schema says, there is a field", () => {
  const value = (schema: Schema, enter?: string): unknown => {
    const f = form(schema);
    if (enter !== undefined) f.el.querySelector<HTMLInputElement>("input, textarea")!.value = enter;
    return f.read();
  };
  assert.equal(value({ type: "string" }, "pass"), "pass");
  assert.equal(value({ type: "integer" }, "5"), 5);
  assert.deepEqual(value({}, `[1]`), [1]);
  assert.equal(value({ type: "null" }), null);
  assert.equal(value({ const: "go" }), "go");
  assert.deepEqual(value({ anyOf: [{ type: "string" }, { type: "integer" }] }, "5"), 5);
  assert.deepEqual(value({ $ref: "#/$defs/nowhere" }, "{}"), {});
  assert.deepEqual(value({ $ref: "#" }, "7"), 7); // it leads to itself
  assert.deepEqual(value({ type: "array", items: { type: "integer" }, minItems: 2, maxItems: 2 }), [null, null]);
  assert.throws(() => value({ type: "integer" }, "9007199254740993"), /whole numbers/);
});

test("options that nobody has changed are not sent", () => {
  const schema: Schema = {
    type: "object",
    properties: { goal: { type: "integer", default: 20 }, quick: { type: "boolean", default: true }, name: { type: "string" }, pair: { type: "array", items: { type: "integer" }, default: [1, 2] } },
  };
  const el = document.createElement("div");
  const read = optionsForm(el, schema);
  assert.equal(find(el, "goal").value, "20");
  assert.equal(read(), undefined);
  find(el, "goal").value = "30";
  find(el, "quick").checked = false;
  find(el, "pair 2").value = "5";
  assert.deepEqual(read(), { goal: 30, quick: false, pair: [1, 5] });
});

test("a schema's references and nulls are seen through", () => {
  const { schema, nullable } = shapeOf({ $ref: "#/$defs/A", default: 3 }, { $defs: { A: { anyOf: [{ $ref: "#/$defs/B" }, { type: "null" }] }, B: { type: "integer", minimum: 1 } } });
  assert.deepEqual([schema, nullable], [{ type: "integer", minimum: 1, default: 3 }, true]);
  assert.ok(same({ a: [1, { b: null }] }, { a: [1, { b: null }] }));
  assert.ok(!same({ a: 1 }, { a: 1, b: 2 }) && !same([], {}) && !same(null, {}));
});

test("an action is told in short", () => {
  assert.deepEqual([{ move: "e2e4" }, { resign: true }, "pass", 5, { n: 2, to: { x: 1 } }, [1, 2], {}, { say: "" }].map(labelOf),
    ["move e2e4", "resign", "pass", "5", `n 2, to {"x":1}`, "1, 2", "act", `say ""`]);
});

const marked = (tree: Tree): string[] => [...tree.el.querySelectorAll<HTMLElement>(".tree-leaf[data-changed]")].map((e) => e.textContent!);
const leaves = (tree: Tree): string[] => [...tree.el.querySelectorAll<HTMLElement>(".tree-leaf")].map((e) => e.textContent!);

test("a tree marks what the newest change has touched, and nothing else", () => {
  const tree = new Tree("view");
  document.body.append(tree.el);
  tree.show(undefined);
  assert.deepEqual(leaves(tree), ["nothing yet"]);
  const seats = { ann: { score: 1 }, bob: { score: 2 } };
  tree.show({ turn: 0, seats, pile: [1, 2] });
  tree.show({ turn: 1, seats, pile: [1, 2, 3] });
  assert.deepEqual(marked(tree), ["turn1", "23"]);
  const kept = tree.el.querySelector(`[data-key="ann"]`);
  tree.show({ turn: 1, seats: { ...seats, bob: { score: 3 } }, pile: [2] });
  assert.deepEqual(marked(tree), ["score3", "02"]);
  assert.deepEqual(leaves(tree), ["turn1", "score1", "score3", "02"]);
  assert.equal(tree.el.querySelector(`[data-key="ann"]`), kept);
  const name = tree.el.querySelector(`[data-key="bob"] [data-key="score"]`)!.getAttribute("data-changed");
  tree.show({ turn: 1, seats: { ...seats, bob: { score: 4 } }, pile: [2] });
  assert.notEqual(tree.el.querySelector(`[data-key="bob"] [data-key="score"]`)!.getAttribute("data-changed"), name);
  tree.show({ seats: "gone", fresh: true });
  assert.deepEqual(leaves(tree), [`seats"gone"`, "freshtrue"]);
  tree.show([1]);
  assert.deepEqual(leaves(tree), ["01"]);
});

test("a branch that is folded is drawn when it is unfolded", () => {
  const tree = new Tree("view");
  document.body.append(tree.el);
  const long = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, i]));
  tree.show({ long });
  assert.equal(leaves(tree).length, 0);
  tree.show({ long: { ...long, k0: 7 } });
  const details = tree.el.querySelector("details")!;
  assert.equal(details.parentElement!.hasAttribute("data-changed"), true);
  details.open = true;
  details.dispatchEvent(new Event("toggle"));
  assert.deepEqual([leaves(tree).length, leaves(tree)[0], marked(tree).length], [200, "k07", 0]);
  const more = tree.el.querySelector<HTMLElement>("button:not([hidden])")!;
  assert.equal(more.textContent, "300 more");
  more.click();
  assert.equal(leaves(tree).length, 400);
});
