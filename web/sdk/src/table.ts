/** A room as a game's table sees it: played, watched, or replayed. */
export interface Table<V = any, A = any> {
  /** What may be seen of the room now; undefined until the first view has come. Never change it. */
  view(): V;
  /** Calls f with every new view and the one before it, until the function that it returns is called. A replay may go back, and leaps. */
  onView(f: (view: V, previous?: V) => void): () => void;
  /** Calls f with every event, until the function that it returns is called. A replay tells only those of steps that it plays. */
  onEvent(f: (event: { name: string; data?: any }) => void): () => void;
  /**
   * Acts. It resolves when the action has had its effect, and rejects when the game refuses it, or the room is closed; the page has told the
   * player why. Absent where one only watches: then show nothing to press.
   */
  act?: (action: A) => Promise<void>;
  /** Who sits here. The player is absent for a spectator who has never played; the seat is -1 for who has none. */
  me: { player?: string; seat: number };
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
