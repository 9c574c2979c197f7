/** What the server shows of a game of chess. */
export interface ChessView {
  status: "waiting" | "playing" | "over";
  fen: string;
  turn: Side;
  check?: boolean;
  /** The score sheet by move number: {"1": "e4 e5", "2": "Nf3"}; where Black began it starts with "…". */
  moves: Record<string, string>;
  /** The last move in UCI notation. */
  last?: string;
  white?: Contender;
  black?: Contender;
  clock?: Clock;
  draw_offer?: Side;
  takeback_offer?: Side;
  /** The half-move, from 1, that they would be before. */
  takeback_ply?: number;
  /** When the side to move loses by being away, in room time. */
  away_until_ms?: number;
  claim?: "repetition" | "fifty_moves";
  takeback?: boolean;
  result?: { score: string; winner?: Side; reason: string; summary: string };
}

export type Side = "white" | "black";

export interface Contender {
  player: string;
  name: string;
  seat: number;
  online: boolean;
  bot?: boolean;
}

/** Both sides' milliseconds. The side to move has been thinking since since_ms of room time. */
export interface Clock {
  white_ms: number;
  black_ms: number;
  since_ms: number;
  initial_ms: number;
  increment_ms: number;
}

export type ChessAction =
  | { move: string }
  | { resign: true }
  | { draw: "offer" | "accept" | "decline" | "claim" }
  | { takeback: "offer" | "accept" | "decline" };

export const other = (side: Side): Side => (side === "white" ? "black" : "white");
export const title = (side: Side): string => (side === "white" ? "White" : "Black");
