/** A game's table, as its page sees it: live, watched or replayed. */
export interface Table<V = any, A = any> {
  view(): V;
  /** Hears of every new view. It returns how to stop. */
  onView(f: (view: V, previous?: V) => void): () => void;
  onEvent(f: (e: { name: string; data?: any }) => void): () => void;
  /** Acts, and rejects with the reason when refused. Absent where one only watches. */
  act?: (action: A) => Promise<void>;
  me: { player?: string; seat: number };
  /** The room's time in milliseconds, running. */
  roomTime(): number;
  /** False in a replay. */
  live: boolean;
  /** Tells screen readers, politely. */
  say(text: string): void;
}

export type Dispose = () => void;

/** How a game shows itself. */
export interface GameUI<V = any, A = any> {
  title: string;
  mount(el: HTMLElement, table: Table<V, A>): Dispose;
  /** Fills a form for creating a room, and returns how to read its options. */
  options?(el: HTMLElement): () => unknown;
}
