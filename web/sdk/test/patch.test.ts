import assert from "node:assert/strict";
import { test } from "node:test";
import { canonical, crc32 } from "../src/check.js";
import { changes, patch, share } from "../src/patch.js";

const parse = JSON.parse;

test("the cases of RFC 7396, appendix A", () => {
  for (const [target, p, result] of [
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', "{}"],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['["a","b"]', '["c","d"]', '["c","d"]'],
    ['{"a":"b"}', '["c"]', '["c"]'],
    ['{"a":"foo"}', "null", "null"],
    ['{"a":"foo"}', '"bar"', '"bar"'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ["[1,2]", '{"a":"b","c":null}', '{"a":"b"}'],
    ["{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ] as const) {
    const before = parse(target);
    assert.deepEqual(patch(before, parse(p)), parse(result), `${target} + ${p}`);
    assert.deepEqual(before, parse(target), "the target was changed");
  }
});

test("a patch shares what stays, and changes nothing when nothing changes", () => {
  const before = { a: { x: 1 }, b: { y: [1, { z: 2 }] }, c: 3 };
  const after = patch(before, { a: { x: 2 }, b: { y: [0, { z: 2 }] } });
  assert.notEqual(after, before);
  assert.notEqual(after.a, before.a);
  assert.equal(after.b.y[1], before.b.y[1]);
  assert.equal(patch(before, { a: { x: 1, q: null }, b: { y: [1, { z: 2 }] }, c: 3 }), before);
  assert.equal(patch(before, {}), before);
});

test("members with the names of Object.prototype are members like any other", () => {
  const evil = parse('{"__proto__":{"polluted":1},"toString":{"a":1},"constructor":null}');
  const after = patch({}, evil) as any;
  assert.equal(Object.getPrototypeOf(after), Object.prototype);
  assert.deepEqual(Object.keys(after), ["__proto__", "toString"]);
  assert.equal(({} as any).polluted, undefined);
  assert.deepEqual(Object.keys(patch(after, parse('{"__proto__":null}'))), ["toString"]);
  assert.equal(canonical(share({}, evil)), canonical(evil));
});

test("share takes equal parts from the old value", () => {
  const old = { a: [{ x: 1 }, { x: 2 }], b: { c: "d" } };
  assert.equal(share(old, structuredClone(old)), old);
  const v = share(old, { a: [{ x: 1 }, { x: 3 }], b: { c: "d" } }) as typeof old;
  assert.equal(v.a[0], old.a[0]);
  assert.equal(v.b, old.b);
  assert.deepEqual(v, { a: [{ x: 1 }, { x: 3 }], b: { c: "d" } });
  assert.deepEqual(share([1, 2], [1]), [1]);
  assert.deepEqual(share({ a: 1, b: 2 }, { a: 1, c: 2 }), { a: 1, c: 2 });
});

test("paths match names, indexes and *", () => {
  const seen: [string, unknown][] = [];
  const see = (path: string, a: unknown, b: unknown) => {
    seen.length = 0;
    changes(path ? path.split(".") : [], a, b, (v, p) => seen.push([p.join("."), v]));
    return seen;
  };
  const before = { players: { ann: { score: 1 }, bob: { score: 2 } }, list: [1, 2] };
  const after = patch(before, { players: { ann: { score: 3 }, bob: null, eve: { score: 4 } }, list: [1, 5, 6] });
  assert.deepEqual(see("players.*.score", before, after), [["players.ann.score", 3], ["players.bob.score", undefined], ["players.eve.score", 4]]);
  assert.deepEqual(see("list.*", before, after), [["list.1", 5], ["list.2", 6]]);
  assert.deepEqual(see("players.ann.score", before, after), [["players.ann.score", 3]]);
  assert.deepEqual(see("players.ann.toString", before, after), []);
  assert.deepEqual(see("list.length", before, after), [["list.length", 3]]);
  assert.deepEqual(see("", before, after), [["", after]]);
  assert.deepEqual(see("*", before, before), []);
});

test("canonical JSON and its checksum", () => {
  // RFC 8785, section 3.2.2 and 3.2.3.
  const sample = parse(String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`);
  assert.equal(canonical(sample),
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`);
  const names = parse(String.raw`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`);
  assert.deepEqual([...canonical(names).matchAll(/:"([^"]*)"/g)].map((m) => m[1]), ["Carriage Return", "One", "Control",
    "Latin Small Letter O With Diaeresis", "Euro Sign", "Emoji: Grinning Face", "Hebrew Letter Dalet With Dagesh"]);
  assert.equal(canonical([-0, 1e21, 1e-7, 9007199254740992]), "[0,1e+21,1e-7,9007199254740992]");
  assert.equal(crc32("123456789"), 0xcbf43926);
  assert.equal(crc32(""), 0);
  assert.equal(crc32("€"), crc32("\u20ac"));
  assert.equal(crc32("The quick brown fox jumps over the lazy dog"), 0x414fa339);
});
