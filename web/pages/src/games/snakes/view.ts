/** What the server shows of a game of snakes. Cells are y × width + x; y grows downwards. */
export interface SnakesView {
  /** "ready" counts down with the snakes at their start, "pause" comes after a round. */
  phase: "waiting" | "ready" | "playing" | "pause" | "over";
  /** Whole seconds until the phase ends. */
  left_s: number;
  round: number;
  rounds: number;
  width: number;
  height: number;
  /** Without walls the edges wrap round. */
  walls: boolean;
  /** Ticks of this round, 15 a second. */
  tick: number;
  players: Record<string, Player>;
  /** The living, under their players' numbers. */
  snakes: Record<string, Snake>;
  /** What lies in which cell, and its value. */
  food: Record<string, number>;
}

export interface Player {
  player: string;
  name: string;
  seat: number;
  online: boolean;
  points: number;
  /** Points before this round. */
  before: number;
  kills: number;
  bot?: boolean;
  gone?: boolean;
  rank?: number;
}

export interface Snake {
  /** Cells of its body, the head included. */
  n: number;
  /** Its path as straight legs by sequence number. */
  p: Record<string, Leg>;
}

/** The head was in the cell at the tick and goes straight from there, a cell in two ticks at speed 1, in one at speed 2. */
export type Leg = readonly [cell: number, direction: number, tick: number, speed: number];

export const directions = ["up", "right", "down", "left"] as const;
export type Direction = (typeof directions)[number];

export type SnakesAction = { turn: Direction } | { boost: boolean };

export const ticksPerSecond = 15;
/** Boosting needs this many cells. */
export const boostCells = 6;

/** The number that a player has in the game. */
export function numberOf(v: SnakesView, player: string | undefined): string | undefined {
  return Object.keys(v.players).find((key) => v.players[key]!.player === player);
}

/** A snake's newest leg. */
export function lastLeg(s: Snake): Leg {
  const last = Object.keys(s.p).reduce((a, b) => (Number(b) > Number(a) ? b : a));
  return s.p[last]!;
}

/** The players, best first. */
export function standings(v: SnakesView): [string, Player][] {
  return Object.entries(v.players).sort(([a, p], [b, q]) => (p.rank ?? 0) - (q.rank ?? 0) || q.points - p.points || Number(a) - Number(b));
}
