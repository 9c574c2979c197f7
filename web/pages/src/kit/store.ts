/** Storage that forgets with the page where the browser forbids it, and never throws. */
export class Store {
  private readonly memory = new Map<string, string>();

  constructor(private readonly kept: () => Storage) {}

  get(key: string): string | undefined {
    try {
      return this.kept().getItem(key) ?? undefined;
    } catch {
      return this.memory.get(key);
    }
  }

  set(key: string, value: string | undefined): void {
    try {
      if (value === undefined) this.kept().removeItem(key);
      else this.kept().setItem(key, value);
    } catch {
      if (value === undefined) this.memory.delete(key);
      else this.memory.set(key, value);
    }
  }
}

/** Outlives the browser. */
export const lasting = new Store(() => localStorage);
/** Lives with the tab, over reloads. */
export const ofTab = new Store(() => sessionStorage);
