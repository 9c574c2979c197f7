import { Chess } from "chess.js";
import type { Side } from "./view.ts";

export type Kind = "p" | "n" | "b" | "r" | "q" | "k";
export interface Piece {
  kind: Kind;
  side: Side;
}
/** "a1" to "h8". */
export type Square = string;
export type Position = ReadonlyMap<Square, Piece>;

export const names: Record<Kind, string> = { p: "pawn", n: "knight", b: "bishop", r: "rook", q: "queen", k: "king" };
export const promotions: readonly Kind[] = ["q", "n", "r", "b"];

/** All squares in reading order, as they lie before the given side. */
export function squares(bottom: Side): Square[] {
  const all: Square[] = [];
  for (let rank = 8; rank >= 1; rank--) for (const file of "abcdefgh") all.push(file + rank);
  return bottom === "white" ? all : all.reverse();
}

/** The pieces of a position. What is not a FEN has none. */
export function pieces(fen: string): Position {
  const found = new Map<Square, Piece>();
  fen.split(" ", 1)[0]!.split("/").forEach((row, i) => {
    let file = 0;
    for (const c of row) {
      if (c >= "1" && c <= "8") file += Number(c);
      else found.set("abcdefgh"[file++]! + (8 - i), pieceOf(c));
    }
  });
  return found;
}

function pieceOf(letter: string): Piece {
  const kind = letter.toLowerCase() as Kind;
  return { kind, side: letter === kind ? "black" : "white" };
}

/** Where each piece of the side to move can go. */
export type Targets = ReadonlyMap<Square, ReadonlySet<Square>>;

export function targets(fen: string): Targets {
  const found = new Map<Square, Set<Square>>();
  for (const m of attempt(fen, (game) => game.moves({ verbose: true })) ?? []) {
    found.set(m.from, (found.get(m.from) ?? new Set()).add(m.to));
  }
  return found;
}

/** The position after a legal move in UCI notation, else nothing. */
export function after(fen: string, uci: string): string | undefined {
  return attempt(fen, (game) => {
    game.move({ from: uci.slice(0, 2), to: uci.slice(2, 4), promotion: uci[4] });
    return game.fen();
  });
}

// The library throws at illegal moves and at what is no position. Positions that the server takes for legal are not judged again.
function attempt<T>(fen: string, f: (game: Chess) => T): T | undefined {
  try {
    return f(new Chess(fen, { skipValidation: true }));
  } catch {
    return undefined;
  }
}

/** Whether a move of this position makes a pawn something else. */
export function promotes(at: Position, from: Square, to: Square): boolean {
  return at.get(from)?.kind === "p" && (to[1] === "8" || to[1] === "1");
}

export function king(at: Position, side: Side): Square | undefined {
  for (const [square, p] of at) if (p.kind === "k" && p.side === side) return square;
  return undefined;
}

const full: [Kind, number, number][] = [["q", 1, 9], ["r", 2, 5], ["b", 2, 3], ["n", 2, 3], ["p", 8, 1]];

/** What each side has taken, best first, and how many pawns' worth it is ahead (never below zero). */
export function captured(at: Position): Record<Side, { kinds: Kind[]; ahead: number }> {
  const worth = (side: Side) => full.reduce((sum, [kind, , value]) => sum + value * count(at, side, kind), 0);
  const lead = worth("white") - worth("black");
  return {
    white: { kinds: missing(at, "black"), ahead: Math.max(0, lead) },
    black: { kinds: missing(at, "white"), ahead: Math.max(0, -lead) },
  };
}

function missing(at: Position, side: Side): Kind[] {
  const promoted = full.slice(0, 4).reduce((n, [kind, start]) => n + Math.max(0, count(at, side, kind) - start), 0);
  return full.flatMap(([kind, start]) =>
    Array<Kind>(Math.max(0, start - count(at, side, kind) - (kind === "p" ? promoted : 0))).fill(kind));
}

function count(at: Position, side: Side, kind: Kind): number {
  let n = 0;
  for (const p of at.values()) if (p.side === side && p.kind === kind) n++;
  return n;
}

/** A line of the score sheet. */
export interface Row {
  number: number;
  white: string;
  black: string;
}

/** The score sheet in order. */
export function rows(moves: Record<string, string>): Row[] {
  return Object.entries(moves)
    .map(([number, line]) => {
      const [white = "", black = ""] = line.split(" ");
      return { number: Number(number), white, black };
    })
    .sort((a, b) => a.number - b.number);
}

/** The last move of a score sheet in SAN, empty if none was made. */
export function lastSAN(moves: Record<string, string>): string {
  const row = rows(moves).at(-1);
  return row ? row.black || row.white : "";
}

/** How many half-moves a score sheet has. */
export function plies(moves: Record<string, string>): number {
  return rows(moves).reduce((n, r) => n + (r.white !== "" && r.white !== "…" ? 1 : 0) + (r.black !== "" ? 1 : 0), 0);
}

/** A half-move of a score sheet, from 1: "1. e4", "1… e5"; empty if there is none. */
export function halfMove(moves: Record<string, string>, ply: number): string {
  const all = rows(moves).flatMap((r) => [
    ...(r.white && r.white !== "…" ? [`${r.number}. ${r.white}`] : []),
    ...(r.black ? [`${r.number}… ${r.black}`] : []),
  ]);
  return all[ply - 1] ?? "";
}

/** A move as one says it: "Nxf3+" is "knight takes f3, check". */
export function spoken(san: string): string {
  const end = san.endsWith("#") ? ", checkmate" : san.endsWith("+") ? ", check" : "";
  const bare = san.replace(/[+#]$/, "");
  if (bare === "O-O") return "castles kingside" + end;
  if (bare === "O-O-O") return "castles queenside" + end;
  const m = /^([NBRQK]?)([a-h]?[1-8]?)(x?)([a-h][1-8])(?:=([NBRQ]))?$/.exec(bare);
  if (!m) return san;
  const [, kind = "", from = "", takes, to, promoted] = m;
  const who = kind ? [nameOf(kind), from].filter(Boolean).join(" ") : from && `${from} pawn`;
  const into = promoted ? ` becomes a ${nameOf(promoted)}` : "";
  return [who, takes ? "takes" : "", to].filter(Boolean).join(" ") + into + end;
}

const nameOf = (letter: string): string => names[letter.toLowerCase() as Kind];

/** A square and what stands on it: "e4, white pawn". */
export function label(square: Square, piece: Piece | undefined): string {
  return piece ? `${square}, ${piece.side} ${names[piece.kind]}` : `${square}, empty`;
}

/** How pieces went from one position to another, for showing it: what stays, what moves, what goes, what comes. */
export interface Change {
  moved: [Square, Square][];
  gone: Square[];
  come: Square[];
}

export function change(before: Position, now: Position, last?: string): Change {
  const gone = [...before.keys()].filter((s) => !same(before.get(s), now.get(s)));
  const come = [...now.keys()].filter((s) => !same(before.get(s), now.get(s)));
  const moved: [Square, Square][] = [];
  const pair = (from: Square, to: Square) => {
    moved.push([from, to]);
    gone.splice(gone.indexOf(from), 1);
    come.splice(come.indexOf(to), 1);
  };
  if (last) pairLast(last, gone, come, pair);
  for (const to of [...come]) {
    const from = nearest(gone.filter((s) => same(before.get(s), now.get(to))), to);
    if (from) pair(from, to);
  }
  return { moved, gone, come };
}

// The last move is known, and a promotion changes the piece on its way.
function pairLast(last: string, gone: Square[], come: Square[], pair: (from: Square, to: Square) => void): void {
  const [from, to] = [last.slice(0, 2), last.slice(2, 4)];
  if (last.length === 5 && gone.includes(from) && come.includes(to)) pair(from, to);
}

function nearest(from: Square[], to: Square): Square | undefined {
  const far = (s: Square) => Math.abs(s.charCodeAt(0) - to.charCodeAt(0)) + Math.abs(s.charCodeAt(1) - to.charCodeAt(1));
  return from.sort((a, b) => far(a) - far(b))[0];
}

const same = (a: Piece | undefined, b: Piece | undefined): boolean => a?.kind === b?.kind && a?.side === b?.side;
