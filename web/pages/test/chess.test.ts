import assert from "node:assert/strict";
import { test } from "node:test";
import { format, remaining, runs, untilChange } from "../src/games/chess/clock.ts";
import { statusOf } from "../src/games/chess/panel.ts";
import { after, captured, change, halfMove, king, label, lastSAN, pieces, plies, promotes, rows, spoken, squares, targets } from "../src/games/chess/position.ts";
import type { ChessView } from "../src/games/chess/view.ts";

const start = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1";

const view = (v: Partial<ChessView> = {}): ChessView => ({ status: "playing", fen: start, turn: "white", moves: {}, ...v });

test("a FEN becomes pieces on squares", () => {
  const at = pieces(start);
  assert.equal(at.size, 32);
  assert.deepEqual(at.get("e1"), { kind: "k", side: "white" });
  assert.deepEqual(at.get("d8"), { kind: "q", side: "black" });
  assert.equal(at.get("e4"), undefined);
  assert.equal(king(at, "black"), "e8");
});

test("squares lie in reading order before either side", () => {
  assert.deepEqual([squares("white")[0], squares("white").at(-1)], ["a8", "h1"]);
  assert.deepEqual([squares("black")[0], squares("black").at(-1)], ["h1", "a8"]);
});

test("targets are the legal moves of the side to move", () => {
  const t = targets(start);
  assert.deepEqual([...t.get("e2")!].sort(), ["e3", "e4"]);
  assert.deepEqual([...t.get("g1")!].sort(), ["f3", "h3"]);
  assert.equal(t.get("e7"), undefined);
  assert.equal(t.size, 10);
});

test("targets know castling, en passant, pins and checkmate", () => {
  assert.ok(targets("r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1").get("e1")!.has("g1"));
  assert.ok(targets("4k3/8/8/3pP3/8/8/8/4K3 w - d6 0 2").get("e5")!.has("d6"));
  assert.equal(targets("4r1k1/8/8/8/8/8/4N3/4K3 w - - 0 1").get("e2"), undefined);
  assert.equal(targets("rnb1kbnr/pppp1ppp/8/4p3/6Pq/5P2/PPPPP2P/RNBQKBNR w KQkq - 1 3").size, 0);
  assert.equal(targets("no position").size, 0);
});

test("a legal move leads on, another nowhere", () => {
  assert.equal(after(start, "e2e4")!.split(" ")[0], "rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR");
  assert.equal(after("8/P6k/8/8/8/8/8/K7 w - - 0 1", "a7a8n")!.split(" ")[0], "N7/7k/8/8/8/8/8/K7");
  assert.equal(after(start, "e2e5"), undefined);
});

test("only a pawn on its last rank promotes", () => {
  const at = pieces("8/P6k/8/8/8/8/7p/K7 w - - 0 1");
  assert.ok(promotes(at, "a7", "a8"));
  assert.ok(promotes(at, "h2", "h1"));
  assert.ok(!promotes(at, "a1", "b1"));
});

test("a change pairs pieces that moved", () => {
  const go = (fen: string, uci: string) => change(pieces(fen), pieces(after(fen, uci)!), uci);
  assert.deepEqual(go(start, "e2e4"), { moved: [["e2", "e4"]], gone: [], come: [] });
  const castled = go("r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1", "e1g1");
  assert.deepEqual(castled.moved.sort(), [["e1", "g1"], ["h1", "f1"]]);
  const took = go("4k3/8/8/3pP3/8/8/8/4K3 w - d6 0 2", "e5d6");
  assert.deepEqual(took, { moved: [["e5", "d6"]], gone: ["d5"], come: [] });
  const promoted = go("1r6/P6k/8/8/8/8/8/K7 w - - 0 1", "a7b8q");
  assert.deepEqual(promoted, { moved: [["a7", "b8"]], gone: ["b8"], come: [] });
});

test("what was taken is counted, promoted pieces aside", () => {
  const none = captured(pieces(start));
  assert.deepEqual(none, { white: { kinds: [], ahead: 0 }, black: { kinds: [], ahead: 0 } });
  const at = captured(pieces("rnb1kbnr/pppppppp/8/8/8/8/PPPPPPP1/RNBQKBNR w KQkq - 0 1"));
  assert.deepEqual(at, { white: { kinds: ["q"], ahead: 8 }, black: { kinds: ["p"], ahead: 0 } });
  const promoted = captured(pieces("rnbqkbnr/pppppppp/8/8/8/8/PPPPPPP1/RNBQKBNQ w - - 0 1"));
  assert.deepEqual(promoted.black, { kinds: ["r"], ahead: 0 });
});

test("the score sheet is in order, whoever began", () => {
  assert.deepEqual(rows({ 10: "a4", 2: "Nf3 Nc6", 1: "e4 e5" }).map((r) => r.number), [1, 2, 10]);
  const black = rows({ 1: "… e5", 2: "Nf3" });
  assert.deepEqual(black[0], { number: 1, white: "…", black: "e5" });
  assert.equal(plies({ 1: "… e5", 2: "Nf3" }), 2);
  assert.equal(lastSAN({ 1: "e4 e5", 2: "Nf3" }), "Nf3");
  assert.equal(lastSAN({}), "");
});

test("moves are said in words", () => {
  for (const [san, words] of [
    ["e4", "e4"], ["Nf3", "knight f3"], ["exd5", "e pawn takes d5"], ["Nbxd7+", "knight b takes d7, check"],
    ["O-O", "castles kingside"], ["O-O-O#", "castles queenside, checkmate"], ["e8=Q#", "e8 becomes a queen, checkmate"],
  ] as const) assert.equal(spoken(san), words);
});

test("a square has a name for people", () => {
  assert.equal(label("e4", { kind: "p", side: "white" }), "e4, white pawn");
  assert.equal(label("e5", undefined), "e5, empty");
});

test("a half-move is said with its number", () => {
  const moves = { 10: "Qe2", 2: "Nf3 Nc6", 1: "… e5" };
  assert.deepEqual([1, 2, 3, 4, 5].map((n) => halfMove(moves, n)), ["1… e5", "2. Nf3", "2… Nc6", "10. Qe2", ""]);
});

test("clocks read as clocks do", () => {
  for (const [ms, words] of [
    [3_723_000, "1:02:03"], [300_000, "5:00"], [299_999, "4:59"], [20_000, "0:20"], [19_999, "0:19.9"], [50, "0:00.0"], [0, "0:00.0"],
  ] as const) assert.equal(format(ms), words);
});

test("only the clock of the side to move runs, and never below zero", () => {
  const clock = { white_ms: 60_000, black_ms: 50_000, since_ms: 1000, initial_ms: 60_000, increment_ms: 0 };
  const v = view({ clock });
  assert.equal(remaining(v, "white", 11_000), 50_000);
  assert.equal(remaining(v, "black", 11_000), 50_000);
  assert.equal(remaining(v, "white", 500), 60_000);
  assert.equal(remaining(v, "white", 100_000), 0);
  assert.equal(remaining(view(), "white", 0), undefined);
  assert.ok(runs(v, "white") && !runs(v, "black") && !runs(view({ clock, status: "over" }), "white"));
});

test("a clock wakes when it reads differently", () => {
  for (const ms of [299_999, 61_234, 20_001, 19_950, 199]) {
    assert.notEqual(format(Math.max(0, ms - untilChange(ms))), format(ms));
    assert.equal(format(ms - untilChange(ms) + 2), format(ms));
  }
});

test("the status says whose turn it is", () => {
  const white = { player: "a", name: "Ann", seat: 0, online: true };
  assert.equal(statusOf(view({ white }), "white"), "Your turn");
  assert.equal(statusOf(view({ white, check: true }), "black"), "Ann is thinking · check");
  assert.equal(statusOf(view({ white })), "White to move");
});
