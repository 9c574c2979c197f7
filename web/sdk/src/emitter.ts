/** Emitter calls listeners by event type. A listener that throws harms nobody else; its error is the page's, uncaught. */
export class Emitter {
  readonly #listeners = new Map<string, Set<(...args: any[]) => void>>();

  on(type: string, f: (...args: any[]) => void, signal?: AbortSignal): () => void {
    if (signal?.aborted) return () => {};
    const g = (...args: unknown[]) => f(...args); // the same function may listen twice
    let set = this.#listeners.get(type);
    if (!set) this.#listeners.set(type, (set = new Set()));
    set.add(g);
    const off = () => {
      set.delete(g);
      signal?.removeEventListener("abort", off);
    };
    signal?.addEventListener("abort", off);
    return off;
  }

  emit(type: string, ...args: unknown[]): void {
    for (const f of [...(this.#listeners.get(type) ?? [])]) {
      try {
        f(...args);
      } catch (err) {
        queueMicrotask(() => {
          throw err;
        });
      }
    }
  }
}

/** Queue is an async iterator over what is pushed. At most max wait unread; more push out the oldest. */
export class Queue<T> implements AsyncIterableIterator<T> {
  readonly #items: T[] = [];
  readonly #readers: ((r: IteratorResult<T>) => void)[] = [];
  #ended = false;

  constructor(readonly max: number, readonly cleanup: () => void) {}

  push(item: T): void {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (reader) return reader({ value: item, done: false });
    if (this.#items.push(item) > this.max) this.#items.shift();
  }

  /** end lets what is queued be read. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const reader of this.#readers.splice(0)) reader({ value: undefined, done: true });
    this.cleanup();
  }

  async next(): Promise<IteratorResult<T>> {
    if (this.#items.length) return { value: this.#items.shift()!, done: false };
    if (this.#ended) return { value: undefined, done: true };
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  async return(): Promise<IteratorResult<T>> {
    this.#items.length = 0;
    this.end();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
