import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { publint } from "publint";
import ts from "typescript";

const run = promisify(execFile);
const bin = (name: string) => join("..", "node_modules", ".bin", name); // tests run in web/sdk

let dir: string; // of a program that has installed the package as npm packs it
let tarball: string;
before(async () => {
  dir = mkdtempSync(join(tmpdir(), "roomring-package-"));
  await run("npm", ["pack", "--silent", "--pack-destination", dir]);
  tarball = join(dir, readdirSync(dir)[0]!);
  const into = join(dir, "node_modules", "roomring");
  mkdirSync(into, { recursive: true });
  await run("tar", ["-xzf", tarball, "-C", into, "--strip-components=1"]);
});
after(() => rmSync(dir, { recursive: true, force: true }));

test("the package is as bundlers and runtimes want it", async () => {
  assert.deepEqual((await publint({ pkgDir: join(dir, "node_modules", "roomring"), pack: false, strict: true })).messages, []);
});

test("each way to import the package finds the types of what it gets", async () => {
  const said = await run(bin("attw"), [tarball, "--format", "ascii", "--no-color"]).catch((err) => err);
  assert.equal(said.code, undefined, said.stdout);
  assert.match(said.stdout, /No problems found/);
});

const program = `
import { ClosedError, Roomring, patch, type Options, type Room } from "roomring";
import { Roomring as CBOR, RejectedError } from "roomring/cbor";
import type { RoomStatus } from "roomring/react";

interface View { n: number }
class Closed {
  onclose: ((e: { code: number; reason: string }) => void) | null = null;
  constructor() { setTimeout(() => this.onclose?.({ code: 1006, reason: "" }), 0); }
  send(): void {}
  close(): void {}
}
async function main(): Promise<void> {
  for (const Ring of [Roomring, CBOR]) {
    const options: Options = { url: "http://127.0.0.1:1", token: "t", tries: 1, WebSocket: Closed };
    try {
      const room: Room<View, "add"> = await new Ring(options).join<View, "add">("r1");
      // @ts-expect-error: the types are real ones
      await room.act("subtract");
    } catch (err: any) {
      console.log(err.kind, patch({ n: 1 }, { n: 2 }).n, new RejectedError("a", "b").reason);
    }
  }
  const status: RoomStatus = { state: "connecting" };
  // @ts-expect-error: these types are real ones, too
  status.state = "away";
  console.log(new ClosedError(4404, "") instanceof ClosedError);
}
void main();
`;

const { CommonJS, ESNext, Node16 } = ts.ModuleKind;
const { Node10, Node16: Node16Resolution, Bundler } = ts.ModuleResolutionKind;
const ways: [string, string, ts.ModuleKind, ts.ModuleResolutionKind][] = [
  ["node10", "node10.ts", CommonJS, Node10],
  ["node16 from CommonJS", "node16.cts", Node16, Node16Resolution],
  ["node16 from an ES module", "node16.mts", Node16, Node16Resolution],
  ["bundler", "bundler.mts", ESNext, Bundler],
];

// One parse of the libraries serves all.
const parsed = new Map<string, ts.SourceFile | undefined>();

for (const [name, file, module, moduleResolution] of ways) {
  test(`a TypeScript program compiles and runs: ${name}`, async () => {
    const options: ts.CompilerOptions = {
      module, moduleResolution, target: ts.ScriptTarget.ES2022, lib: ["lib.es2022.d.ts", "lib.dom.d.ts"], types: [],
      strict: true, exactOptionalPropertyTypes: true, skipDefaultLibCheck: true, esModuleInterop: true,
    };
    const source = join(dir, file);
    writeFileSync(source, program);
    const host = ts.createCompilerHost(options);
    const parse = host.getSourceFile;
    host.getSourceFile = (path, ...rest) => {
      if (!/lib\.[a-z0-9.]+\.d\.ts$/.test(path)) return parse(path, ...rest);
      if (!parsed.has(path)) parsed.set(path, parse(path, ...rest));
      return parsed.get(path);
    };
    const compiled = ts.createProgram([source], options, host);
    const found = [...ts.getPreEmitDiagnostics(compiled), ...compiled.emit().diagnostics];
    assert.equal(ts.formatDiagnostics(found, { getCanonicalFileName: (f) => f, getCurrentDirectory: () => dir, getNewLine: () => "\n" }), "");
    const { stdout } = await run(process.execPath, [source.replace(/ts$/, "js")]);
    assert.equal(stdout, "unreachable 2 b\nunreachable 2 b\ntrue\n");
  });
}

test("require finds a CommonJS build where Node cannot require ES modules", async () => {
  const without = (process.features as { require_module?: boolean }).require_module ? ["--no-experimental-require-module"] : [];
  const { stdout } = await run(process.execPath, [...without, "-e",
    `const { Roomring } = require("roomring"); console.log(new Roomring({ url: "http://h/" }) instanceof Roomring, typeof require("roomring/cbor").Roomring)`], { cwd: dir });
  assert.equal(stdout, "true function\n");
});

test("the adapter for React finds its React, by import and by require", async () => {
  symlinkSync(resolve("..", "node_modules", "react"), join(dir, "node_modules", "react"));
  const script = `import { useRoom } from "roomring/react"; import { createRequire } from "node:module";
    console.log(typeof useRoom, typeof createRequire(import.meta.url)("roomring/react").useView)`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], { cwd: dir });
  assert.equal(stdout, "function function\n");
});

test("an error in the SDK shows the line it came from, and not the whole file", async () => {
  copyFileSync("dist/roomring.js", join(dir, "served.mjs"));
  const shown = (args: string[]) => run(process.execPath, args, { cwd: dir }).then(() => "", (err) => String(err.stderr));
  const required = await shown(["-e", `const { Roomring } = require("roomring"); new Roomring()`]);
  assert.match(required, /throw new TypeError\(.There is no page whose server to ask/);
  const mapped = await shown(["--enable-source-maps", "-e", `const { Roomring } = require("roomring"); new Roomring()`]);
  assert.match(mapped, /src\/client\.ts:\d+/);
  const served = await shown(["--input-type=module", "-e", `import { Roomring } from "./served.mjs"; new Roomring()`]);
  for (const said of [required, mapped, served]) {
    assert.match(said, /TypeError: There is no page/);
    assert.ok(said.length < 2000, `the error shows ${said.length} characters`);
  }
});
