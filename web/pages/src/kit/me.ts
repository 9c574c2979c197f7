import { Roomring, type Guest } from "roomring";
import { lasting, ofTab, type Store } from "./store.ts";
import { base } from "./base.ts";

const key = "roomring.guest" + base;
const secondKey = "roomring.second" + base;
const url = location.origin + base;

/** Who plays on this page: a guest that the browser remembers, or in a tab opened with ?as=new one of the tab's own. */
class Me {
  /** This tab is another guest than the browser's. */
  readonly second: boolean;
  private readonly store: Store;
  private making: Promise<Guest> | undefined;
  private readonly listeners = new Set<() => void>();

  constructor() {
    if (new URLSearchParams(location.search).get("as") === "new") ofTab.set(secondKey, "1");
    this.second = ofTab.get(secondKey) !== undefined;
    this.store = this.second ? ofTab : lasting;
    addEventListener("storage", (e) => e.key === key && this.tell());
  }

  get guest(): Guest | undefined {
    const text = this.store.get(key);
    if (text === undefined) return undefined;
    try {
      const guest = JSON.parse(text) as Guest;
      return guest.token && guest.player ? guest : undefined;
    } catch {
      return undefined;
    }
  }

  get player(): string | undefined {
    return this.guest?.player;
  }

  onChange(f: () => void): void {
    this.listeners.add(f);
  }

  /** The guest, made now if there is none yet. Many calls make one. */
  ensure(name?: string): Promise<Guest> {
    const known = this.guest;
    if (known) return Promise.resolve(known);
    return (this.making ??= this.make(name).finally(() => (this.making = undefined)));
  }

  /** Becomes another guest. */
  async renew(name?: string): Promise<Guest> {
    const was = this.guest?.name;
    this.forget();
    return this.ensure(name ?? was);
  }

  /** Takes over a guest that the server has made in passing. */
  adopt(guest: Guest): void {
    this.store.set(key, JSON.stringify(guest));
    this.tell();
  }

  forget(): void {
    this.store.set(key, undefined);
    this.tell();
  }

  /** Lets the tab be the browser's guest again. */
  beFirst(): void {
    ofTab.set(secondKey, undefined);
    ofTab.set(key, undefined);
  }

  private async make(name?: string): Promise<Guest> {
    const wish = name?.trim();
    const guest = await new Roomring({ url, storage: null }).guest(wish ? { name: wish } : {});
    this.adopt(guest);
    return guest;
  }

  private tell(): void {
    this.listeners.forEach((f) => f());
  }
}

export const me = new Me();

/** The server, as whoever plays on this page. Without a guest yet, asking makes none. */
export const server = new Roomring({ url, storage: null, token: () => me.guest?.token ?? "" });

/** The server with a guest for certain. */
export async function asMe(): Promise<Roomring> {
  await me.ensure();
  return server;
}
