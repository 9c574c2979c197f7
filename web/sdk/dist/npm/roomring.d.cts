// Made by "make generate".
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
    point: {
        epoch: number;
        seq: number;
    };
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
export type Result = StoredResult | {
    status: "pending";
    phase: Phase;
};
export interface StoredResult extends Final {
    status: "stored";
    room: string;
    game: string;
    version: number;
    hash: string;
    stored: string;
    ratings: {
        player: string;
        before: Rating;
        after: Rating;
    }[];
    /** Why a game that could have changed ratings did not: a guest played, it was over too soon, or two of its players have had as many rated games together in 24 hours as count. */
    unrated?: "guest" | "brief" | "repeat";
}
export interface Profile {
    player: string;
    name: string;
    games: {
        game: string;
        rating?: Rating;
        rated: number;
        listed: boolean;
        games: number;
        wins: number;
        draws: number;
        losses: number;
    }[];
    recent: {
        room: string;
        game: string;
        end: End;
        rank: number;
        players: number;
        stored: string;
    }[];
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
export type EventOf<E> = string extends keyof E ? GameEvent : {
    [K in keyof E & string]: {
        name: K;
        data: E[K];
        seq: number;
    };
}[keyof E & string] | {
    name: "rematch";
    data: Rematch;
    seq: number;
};
/** Who has agreed to another game and, once all have, its room. */
export interface Rematch {
    agreed: string[];
    room?: string;
}
/** A room of a game: its action is the game's, or one about a rematch. */
export type RoomOf<G extends GameTypes> = Room<G["view"], G["action"] | {
    rematch: boolean;
}, EventOf<G["events"]>>;
export type ConnectionState = "connecting" | "open" | "reconnecting" | "closed";
/** Why a connection is not open. */
export interface Why {
    /** A close code of docs/PROTOCOL.md, or of RFC 6455. */
    code: number;
    reason: string;
    /** Milliseconds until the next attempt, while reconnecting. */
    retryIn?: number;
    /** What to do about it, once closed. */
    kind?: ClosedKind;
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
    closed: [error: ClosedError];
    /** A new measurement of the round trip, in milliseconds. */
    lag: [milliseconds: number];
    /** The server asks to connect elsewhere, which is under way. */
    move: [move: {
        within: number;
        url?: string;
    }];
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
    act(action: A, o?: Signalled): Promise<{
        seq: number;
    }>;
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
/** A room as a game's table sees it: played, watched, or replayed. */
export interface Table<V = any, A = any> {
    /** What may be seen of the room now; undefined until the first view has come. Never change it. */
    view(): V;
    /** Calls f with every new view and the one before it, until the function that it returns is called. A replay may go back, and leaps. */
    onView(f: (view: V, previous?: V) => void): () => void;
    /** Calls f with every event, until the function that it returns is called. A replay tells only those of steps that it plays. */
    onEvent(f: (event: {
        name: string;
        data?: any;
    }) => void): () => void;
    /**
     * Acts. It resolves when the action has had its effect, and rejects when the game refuses it, or the room is closed; the page has told the
     * player why. Absent where one only watches: then show nothing to press.
     */
    act?: (action: A) => Promise<void>;
    /** Who sits here. The player is absent for a spectator who has never played; the seat is -1 for who has none. */
    me: {
        player?: string;
        seat: number;
    };
    /** The room's time, running, in milliseconds: what times in a view count on. It stands still where a replay does. */
    roomTime(): number;
    /** False in a replay. */
    live: boolean;
    /** Tells people who hear the page instead of seeing it, when they have heard out what is being said. */
    say(words: string): void;
}
/** Takes a table off the page: listeners, timers and what it has put there. */
export type Dispose = () => void;
/**
 * How a game shows itself: the default export of GAME.js among a server's own pages. The lobby, the page of a room, the replay and the
 * operator's page use it. If any of it throws, the page says so and shows the view as data.
 */
export interface GameUI<V = any, A = any> {
    /** What the table is called, for people who hear the page. Default: nothing. */
    title?: string;
    /** Puts the table into an empty element, and returns how to take it off again. It may be called many times, at once too. */
    mount(el: HTMLElement, table: Table<V, A>): Dispose;
    /**
     * Puts fields into the form for a new room, and returns how to read its options. What it reads of fields that nobody has touched is what a
     * quick match asks for. Default: a form made from the Go type of the options.
     */
    options?(el: HTMLElement): () => unknown;
}
/** The game's refusal of an action, which changed nothing. */
export declare class RejectedError extends Error {
    readonly code: string;
    readonly reason: string;
    readonly name = "RejectedError";
    /** code is for programs, reason for people. */
    constructor(code: string, reason: string);
}
/** What a close code asks for: see ClosedError.kind. */
export type ClosedKind = "left" | "token" | "forbidden" | "not-found" | "reload" | "replaced" | "over" | "unreachable" | "refused";
/** A room's connection has ended for good. */
export declare class ClosedError extends Error {
    readonly code: number;
    readonly over?: Over | undefined;
    readonly name = "ClosedError";
    /**
     * left: the seat was given up, or close was called; token: come with another one; forbidden: kicked, full,
     * locked or the wrong code; not-found; reload: this program is too old for the server; replaced: the same
     * player came from elsewhere; over: the game is; unreachable: a first join has failed as often as Options.tries
     * says, for the reason given; refused: a mistake of the program's that reason describes.
     */
    readonly kind: ClosedKind;
    /** For people. */
    readonly reason: string;
    /** code is of docs/PROTOCOL.md, section 10, or of RFC 6455; over is there when the room told how it ended. */
    constructor(code: number, reason: string, over?: Over | undefined);
}
/** An HTTP request that the server refused. */
export declare class HTTPError extends Error {
    readonly status: number;
    readonly problem: Problem;
    readonly name = "HTTPError";
    constructor(status: number, problem: Problem);
}
/**
 * Applies a JSON Merge Patch (RFC 7396). Nothing is changed in place: the result is a new value that shares
 * with the target whatever stayed, and is the target itself when nothing changed.
 */
export declare function patch<V = any>(target: V, patch: unknown): V;
/** Where and as whom to play. */
export interface Options {
    /** The server's address; default: the page's own origin. */
    url?: string | undefined;
    /** A player's token, or what gets one: it is asked before each socket. Without it this is a guest. */
    token?: string | (() => string | Promise<string>) | undefined;
    /** What to call a guest. */
    name?: string | undefined;
    /** The constructor for sockets; default: the runtime's own. */
    WebSocket?: (new (url: string, protocol: string) => any) | undefined;
    /** Default: the runtime's own. */
    fetch?: typeof fetch | undefined;
    /** The client id, 1 to 128 bytes, of every join; default: a new one for each. Give one only to join each room once. */
    client?: string | undefined;
    /** How many sockets join and spectate try for before they reject, 1 or more; default: 10, about half a minute. Infinity: until the signal aborts. */
    tries?: number | undefined;
    /** Where a guest is kept; default: localStorage where there is one. null: nowhere. */
    storage?: GuestStorage | null | undefined;
}
/** The part of a browser's Storage that keeps a guest. */
export interface GuestStorage {
    getItem(key: string): string | null;
    setItem(key: string, value: string): void;
    removeItem(key: string): void;
}
export interface RoomsQuery {
    game?: string | undefined;
    phase?: Phase | undefined;
    /** Only rooms with a free seat that take new players. */
    open?: boolean | undefined;
    /** The next of the page before. */
    after?: string | undefined;
    limit?: number | undefined;
}
/** A Roomring server, seen by one player. */
export declare class Roomring {
    #private;
    constructor(o?: Options);
    /** The player's id, once it is known. */
    get player(): string | undefined;
    /** Becomes a new guest, who plays from now on and is kept in the storage. */
    guest(o?: {
        name?: string | undefined;
    } & Signalled): Promise<Guest>;
    games(o?: Signalled): Promise<GameInfo[]>;
    rooms(q?: RoomsQuery, o?: Signalled): Promise<{
        rooms: RoomInfo[];
        next?: string;
        partial?: true;
    }>;
    room(id: string, o?: Signalled): Promise<RoomInfo>;
    /** The private room with a join code. It rejects with an HTTPError of status 404 when there is none. */
    findRoom(code: string, o?: Signalled): Promise<RoomInfo>;
    create<G extends GameTypes = AnyGame>(c: {
        game: string;
        options?: G["options"];
        name?: string | undefined;
        private?: boolean;
        public?: boolean;
    }, o?: Signalled): Promise<RoomInfo>;
    /**
     * A room in which a seat is held for 15 s: join it. Asking again with the same ticket, of 16 characters or more, gets
     * the same room; without one it is drawn at random.
     */
    matchmake<G extends GameTypes = AnyGame>(m: {
        game: string;
        options?: G["options"];
        ticket?: string | undefined;
    }, o?: Signalled): Promise<RoomInfo>;
    result(room: string, o?: Signalled): Promise<Result>;
    profile(player: string, o?: Signalled): Promise<Profile>;
    leaderboard(game: string, q?: {
        offset?: number | undefined;
        limit?: number | undefined;
    }, o?: Signalled): Promise<Standing[]>;
    /** A page of the leaderboard; next leads to the one behind it, however far down. */
    leaderboardPage(game: string, q?: {
        after?: string | undefined;
        limit?: number | undefined;
    }, o?: Signalled): Promise<LeaderboardPage>;
    /**
     * Takes a seat, or comes back to it. Resolves with the first view; rejects with ClosedError when the room
     * does not let this player in or cannot be reached in Options.tries, HTTPError when there is no guest to be had.
     */
    join<G extends GameTypes = AnyGame>(room: string | RoomInfo, o?: {
        code?: string | undefined;
    } & Signalled): Promise<RoomOf<G>>;
    /** The same where there are types of views and actions alone. */
    join<V = any, A = any>(room: string | RoomInfo, o?: {
        code?: string | undefined;
    } & Signalled): Promise<Room<V, A>>;
    /** Watches. */
    spectate<G extends GameTypes = AnyGame>(room: string | RoomInfo, o?: {
        code?: string | undefined;
    } & Signalled): Promise<Room<G["view"], never, EventOf<G["events"]>>>;
    spectate<V = any>(room: string | RoomInfo, o?: {
        code?: string | undefined;
    } & Signalled): Promise<Room<V, never>>;
}
