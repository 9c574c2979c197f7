import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";

const require = createRequire(import.meta.url); // the grammar is a CommonJS package of native code
const Parser = require("tree-sitter");

interface Node {
  type: string;
  isMissing: boolean;
  startPosition: { row: number };
  text: string;
  children: Node[];
}

/** wrong lists what a parser of GDScript does not understand, by its line. */
function wrong(source: string): string[] {
  const parser = new Parser();
  parser.setLanguage(require("tree-sitter-gdscript"));
  const walk = (n: Node): string[] =>
    n.type === "ERROR" || n.isMissing ? [`line ${n.startPosition.row + 1}: ${n.text.slice(0, 60)}`] : n.children.flatMap(walk);
  // The parser takes a text of 32 KiB at most, and any length in pieces.
  return walk(parser.parse((at: number) => source.slice(at, at + 4096)).rootNode);
}

test("the GDScript of roomring types can be parsed", () => {
  const source = readFileSync("../../internal/typegen/testdata/odd.gd", "utf8");
  assert.deepEqual(wrong(source), []);
  assert.match(source, /^class View extends RefCounted:$/m);
  assert.notDeepEqual(wrong(source.replace("class View extends", "class extends")), [], "the parser takes anything");
});
