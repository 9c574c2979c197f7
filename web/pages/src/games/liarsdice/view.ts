/** What the server shows of a game of liar's dice to one viewer. Seats are 0 to 5, -1 is nobody. */
export interface DiceView {
  status: "waiting" | "bidding" | "reveal" | "over";
  /** 0 while waiting. */
  round: number;
  /** By seat. */
  players: Record<string, DicePlayer>;
  /** The seat to act, -1 unless bidding. */
  turn: number;
  /** Room time when the present wait ends by itself. */
  deadline_ms?: number;
  /** Dice on the table. */
  total: number;
  /** One's own dice, while bidding. */
  mine?: number[];
  bid?: Bid;
  /** The round's bids by number. */
  bids: Record<string, Bid>;
  /** The lowest bid that is allowed now. */
  least?: { count: number; face: number };
  reveal?: Reveal;
  options: DiceOptions;
  result?: { winner: number; reason: string; summary: string };
}

export interface DicePlayer {
  player: string;
  name: string;
  online: boolean;
  bot?: boolean;
  ready?: boolean;
  /** How many dice they hold; after the loss in a reveal. */
  dice: number;
  rank?: number;
  left?: boolean;
  /** Turns let run out in a row. */
  missed?: number;
}

export interface Bid {
  seat: number;
  count: number;
  face: number;
  /** The turn had run out. */
  auto?: boolean;
}

export interface Reveal {
  call: "liar" | "spot_on";
  by: number;
  bid: Bid;
  counted: number;
  /** Whether the caller was right. */
  right: boolean;
  dice: Record<string, number[]>;
  loser: number;
  winner: number;
  out: boolean;
}

export interface DiceOptions {
  players: number;
  dice: number;
  wild_ones: boolean;
  spot_on: boolean;
  turn_ms: number;
  reveal_ms: number;
  start_ms: number;
  bots: number;
}

export type DiceAction = { bid: { count: number; face: number } } | { liar: true } | { spot_on: true } | { ready: boolean };

/** A player's seat, -1 for one who has none. */
export function seatOf(v: DiceView, player: string | undefined): number {
  const seat = Object.keys(v.players).find((s) => v.players[s]!.player === player);
  return seat === undefined ? -1 : Number(seat);
}

/** The taken seats as they sit round the table, beginning with the given one. */
export function seatsFrom(v: DiceView, first: number): number[] {
  const seats = Object.keys(v.players).map(Number).sort((a, b) => a - b);
  const i = Math.max(0, seats.indexOf(first));
  return [...seats.slice(i), ...seats.slice(0, i)];
}

/** The round's bids in order. */
export function bidsOf(v: DiceView): Bid[] {
  return Object.keys(v.bids ?? {}).map(Number).sort((a, b) => a - b).map((key) => v.bids[key]!);
}
