/** A game that the server runs. */
export interface GameInfo {
  name: string;
  version: number;
  title: string;
  about: string;
  min_players: number;
  max_players: number;
  /** Ticks a second; 0: the game moves only when somebody does. */
  tick_rate: number;
  rated: boolean;
  /** Seconds that a disconnected player's seat is kept. */
  grace: number;
  /** The module of the game's own table, relative to the server's address; absent: the server has none beside its built-in pages. */
  ui?: string;
  /** The style sheet of that. */
  style?: string;
}

export type Phase = "waiting" | "playing" | "over";

export interface SeatInfo {
  seat: number;
  player: string;
  name: string;
  online: boolean;
}

/** A room as HTTP tells of it. */
export interface RoomInfo {
  id: string;
  game: string;
  version: number;
  name?: string;
  options?: Record<string, unknown>;
  private: boolean;
  /** The join code of a private room; only in the answer to creating it. */
  code?: string;
  phase: Phase;
  /** Whether it takes new players. */
  open: boolean;
  /** The taken seats. */
  seats: SeatInfo[];
  players: number;
  /** The room's own seats, which may be fewer than the game's. */
  max_players: number;
  spectators: number;
  epoch: number;
  seq: number;
  node: string;
  created?: string;
  ws_url?: string;
  final?: Final;
  guest?: Guest;
}

export interface Guest {
  token: string;
  player: string;
  name: string;
}

export interface Outcome {
  player: string;
  name: string;
  seat: number;
  /** 1 is best; equal ranks drew. */
  rank: number;
  score?: number;
  bot?: boolean;
}

export interface GameResult {
  outcomes: Outcome[];
  /** For programs, such as "checkmate". */
  reason: string;
  /** For people. */
  summary: string;
  /** The game's own. */
  data?: unknown;
}

export type End = "finished" | "aborted" | "closed";

export interface Final {
  end: End;
  rated: boolean;
  result: GameResult;
  point: { epoch: number; seq: number };
  /** Milliseconds of room time. */
  duration_ms: number;
}

/** Glicko-2. */
export interface Rating {
  rating: number;
  deviation: number;
  volatility: number;
}

/** How a room ended, or that it has not been stored yet. */
export type Result = StoredResult | { status: "pending"; phase: Phase };

export interface StoredResult extends Final {
  status: "stored";
  room: string;
  game: string;
  version: number;
  hash: string;
  stored: string;
  ratings: { player: string; before: Rating; after: Rating }[];
  /** Why a game that could have changed ratings did not: a guest played, it was over too soon, or two of its players have had as many rated games together in 24 hours as count. */
  unrated?: "guest" | "brief" | "repeat";
}

export interface Profile {
  player: string;
  name: string;
  games: { game: string; rating?: Rating; rated: number; listed: boolean; games: number; wins: number; draws: number; losses: number }[];
  recent: { room: string; game: string; end: End; rank: number; players: number; stored: string }[];
}

export interface Standing extends Rating {
  place: number;
  player: string;
  name: string;
  games: number;
  wins: number;
  draws: number;
  losses: number;
}

/** A page of a leaderboard. */
export interface LeaderboardPage {
  game: string;
  rules: RatingRules;
  players: Standing[];
  /** Leads to the page behind it; absent on the last. */
  next?: string;
}

/** What games must be to change ratings, and whom the leaderboard shows. */
export interface RatingRules {
  /** Rated games of who is shown, at least. */
  games: number;
  /** Guests are rated. */
  guests: boolean;
  /** Acts of each player, at least. */
  acts: number;
  /** From the first act to the end, at least. */
  seconds: number;
  /** Games of two players with each other in 24 hours that count; 0: all. */
  per_opponent: number;
}

/** An error of the HTTP API (RFC 9457). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  /** For people: what to do. */
  detail?: string;
  /** What in the request is at fault, such as options.clock. */
  field?: string;
}

export interface Signalled {
  signal?: AbortSignal | undefined;
}

/** The end of a room's life. */
export interface Over {
  seq: number;
  end: End;
  result?: GameResult;
  reason?: string;
  /** The room was gone: turns before its end may be missing, and the view may not be the last. The replay has them. */
  alone?: boolean;
}

/** Something that happened in a room, as opposed to something that is. */
export interface GameEvent {
  name: string;
  data?: any;
  seq: number;
}

/** The types of a game, as `roomring types` writes them: of a view, an action, the options of a room, and the data of each event. */
export interface GameTypes {
  view: any;
  action: any;
  options: any;
  events: object;
}

/** The types of a game of which nothing is known. */
export interface AnyGame extends GameTypes {
  events: Record<string, any>;
}

/** The events of a room, by the types of their data: `e.name` tells what `e.data` is. */
export type EventOf<E> = string extends keyof E
  ? GameEvent
  : { [K in keyof E & string]: { name: K; data: E[K]; seq: number } }[keyof E & string] | { name: "rematch"; data: Rematch; seq: number };

/** Who has agreed to another game and, once all have, its room. */
export interface Rematch {
  agreed: string[];
  room?: string;
}

/** A room of a game: its action is the game's, or one about a rematch. */
export type RoomOf<G extends GameTypes> = Room<G["view"], G["action"] | { rematch: boolean }, EventOf<G["events"]>>;

export type ConnectionState = "connecting" | "open" | "reconnecting" | "closed";

/** Why a connection is not open. */
export interface Why {
  /** A close code of docs/PROTOCOL.md, or of RFC 6455. */
  code: number;
  reason: string;
  /** Milliseconds until the next attempt, while reconnecting. */
  retryIn?: number;
  /** What to do about it, once closed. */
  kind?: import("./errors.js").ClosedKind;
}

/** What a room's connection went through. */
export interface Stats {
  /** Sockets that were welcomed, */
  sockets: number;
  /** and of these, without a whole view. */
  recovered: number;
  /** Whole views. */
  states: number;
  turns: number;
  /** Checksums that agreed, */
  checks: number;
  /** and that did not; each asks for the whole view. */
  mismatches: number;
  /** Events that the server dropped because this client read too slowly. */
  lost: number;
  /** Actions sent more than once; each has its effect once. */
  resent: number;
}

export interface RoomEvents<V, E = GameEvent> {
  /** The view has changed. */
  view: [view: V, previous: V | undefined];
  event: [event: E];
  state: [state: ConnectionState, why?: Why];
  over: [over: Over];
  /** It is closed for good: nothing follows. */
  closed: [error: import("./errors.js").ClosedError];
  /** A new measurement of the round trip, in milliseconds. */
  lag: [milliseconds: number];
  /** The server asks to connect elsewhere, which is under way. */
  move: [move: { within: number; url?: string }];
}

/** One player's or spectator's place in one room. It comes back by itself after every loss of its socket. */
export interface Room<V = any, A = any, E = GameEvent> {
  readonly id: string;
  readonly game: string;
  /** Empty for a spectator without a token. */
  readonly player: string;
  /** −1 for a spectator. */
  readonly seat: number;
  readonly spectator: boolean;
  /** What may be seen of the room: a new value after each change, that shares with the last one whatever stayed. Never change it. */
  readonly view: V;
  readonly state: ConnectionState;
  /** Milliseconds of the last round trip; NaN before the first. */
  readonly lag: number;
  /** Milliseconds to add to Date.now() to get the server's clock. */
  readonly clockOffset: number;
  readonly over?: Over;
  readonly stats: Readonly<Stats>;
  /** Milliseconds of room time, running: what times in a view count on. */
  roomTime(): number;
  /**
   * Does something in the game, exactly once whatever happens to the network. Resolves when it has had its
   * effect; rejects with RejectedError when the game refuses, with ClosedError when the room is closed before
   * an answer. Up to 32 actions are under way; more wait. Aborting takes back an action that still waits; of
   * one that is under way it only ends the waiting for the answer.
   */
  act(action: A, o?: Signalled): Promise<{ seq: number }>;
  /** Calls f at each event until the function it returns is called, or the signal aborts. */
  on<K extends keyof RoomEvents<V, E>>(type: K, f: (...args: RoomEvents<V, E>[K]) => void, o?: Signalled): () => void;
  /**
   * Calls f for each place in the view that matches the path and has changed, with its new value (undefined:
   * it is gone). A path is names and indexes joined by dots, or a list of them; * is any: "players.*.score".
   */
  watch(path: string | readonly string[], f: (value: any, path: string[]) => void, o?: Signalled): () => void;
  /** The events from now on. It ends when the room closes; more than 1024 unread push out the oldest. */
  events(o?: Signalled): AsyncIterableIterator<E>;
  /** The view now and after changes. A slow reader gets only the newest. It ends when the room closes. */
  views(o?: Signalled): AsyncIterableIterator<V>;
  /** Asks for the whole view. There is seldom need: a view that is wrong by its checksum is asked for anew. */
  resync(): void;
  /** Gives up the seat, and resolves when that is done. */
  leave(): Promise<void>;
  /** Ends the connection and keeps the seat for as long as the game does. */
  close(): void;
}
