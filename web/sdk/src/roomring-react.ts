import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import type { Roomring } from "./client.js";
import type { AnyGame, ConnectionState, GameTypes, Room, RoomInfo, RoomOf, Why } from "./types.js";

/** What room to be in: one by its id or as HTTP tells of it, or whichever matchmaking finds. */
export type Target<G extends GameTypes = AnyGame> = string | RoomInfo | { game: string; options?: G["options"] };

/** How to be in it. */
export interface RoomOptions {
  /** The join code of a private room. */
  code?: string | undefined;
  /** Watches instead of taking a seat. */
  spectate?: boolean | undefined;
}

/** A room as a component sees it. */
export interface RoomStatus<G extends GameTypes = AnyGame> {
  /** There once its first view is; it stays when the connection closes. */
  room?: RoomOf<G>;
  state: ConnectionState;
  /** Why the connection is not open. */
  why?: Why;
  /** Why there is no room, or none any more: a ClosedError or HTTPError as a rule. The state is closed. */
  error?: unknown;
}

const connecting: RoomStatus = { state: "connecting" };

/**
 * Joins a room while the component is mounted, and closes the connection afterwards, which keeps the seat for as long as the game does. Under
 * StrictMode it joins once. Without a target it waits for one; on a server it is connecting. Give the same ring each time.
 */
export function useRoom<G extends GameTypes = AnyGame>(ring: Roomring, target: Target<G> | undefined, o: RoomOptions = {}): RoomStatus<G> {
  const id = typeof target === "string" ? target : target && "id" in target ? target.id : undefined;
  const key = target && JSON.stringify([id ?? target, o.code, o.spectate]);
  const stay = useRef<Stay>(undefined);
  const [seen, see] = useState<{ of?: Stay; status: RoomStatus }>({ status: connecting });
  useEffect(() => {
    if (!target || key === undefined) return;
    if (!stay.current?.return(ring, key)) stay.current = new Stay(ring, key, target, o, (of, status) => see({ of, status }));
    const mine = stay.current;
    return () => mine.leaveSoon();
  }, [ring, key]);
  const status: RoomStatus<any> = seen.of?.is(ring, key) ? seen.status : connecting; // join believes its caller about the types, too
  return status;
}

/** Stay is one component's time in one room. */
class Stay {
  #leaving: ReturnType<typeof setTimeout> | undefined;
  readonly #left = new AbortController();

  constructor(readonly ring: Roomring, readonly key: string, target: Target, o: RoomOptions, see: (of: Stay, status: RoomStatus) => void) {
    void this.#enter(target, o, (status) => this.#left.signal.aborted || see(this, status));
  }

  is(ring: Roomring, key: string | undefined): boolean {
    return this.ring === ring && this.key === key && !this.#left.signal.aborted;
  }

  /** return takes back a leaveSoon, if this is the stay that is meant. */
  return(ring: Roomring, key: string): boolean {
    if (!this.is(ring, key)) return false;
    clearTimeout(this.#leaving);
    return true;
  }

  /** leaveSoon ends the stay, unless the component returns at once: StrictMode unmounts and mounts each to find what it leaves behind. */
  leaveSoon(): void {
    this.#leaving = setTimeout(() => this.#left.abort());
  }

  async #enter(target: Target, o: RoomOptions, see: (status: RoomStatus) => void): Promise<void> {
    const { signal } = this.#left;
    try {
      const found = typeof target === "object" && !("id" in target) ? await this.ring.matchmake(target, { signal }) : target;
      const join = { code: o.code, signal };
      const room: Room = await (o.spectate ? this.ring.spectate(found, join) : this.ring.join(found, join));
      signal.addEventListener("abort", () => room.close());
      if (signal.aborted) return room.close();
      const show = (state: ConnectionState, why?: Why, error?: unknown) =>
        see({ room, state, ...(why && { why }), ...(error !== undefined && { error }) });
      room.on("state", (state, why) => state === "closed" || show(state, why));
      room.on("closed", (error) => show("closed", undefined, error));
      show(room.state);
    } catch (error) {
      see({ state: "closed", error });
    }
  }
}

/**
 * What a room shows, or what select picks of it, anew whenever that changes; undefined without a room. Parts of a view that have not
 * changed stay the same value, so a part can be picked as it is; a value that select makes each time needs an equal.
 */
export function useView<V>(room: Room<V, any, any> | undefined): V | undefined;
export function useView<V, S>(room: Room<V, any, any> | undefined, select: (view: V) => S, equal?: (a: S, b: S) => boolean): S | undefined;
export function useView(room: Room<any, any, any> | undefined, select: (view: any) => unknown = whole, equal: (a: any, b: any) => boolean = Object.is): unknown {
  const last = useRef<{ room: Room; view: unknown; select: unknown; value: unknown }>(undefined);
  const subscribe = useCallback((changed: () => void) => room?.on("view", changed) ?? (() => {}), [room]);
  const snapshot = () => {
    if (!room) return undefined;
    const { view } = room;
    const was = last.current?.room === room ? last.current : undefined;
    if (was && was.view === view && was.select === select) return was.value;
    const value = select(view);
    const same = was !== undefined && equal(was.value, value);
    last.current = { room, view, select, value: same ? was.value : value };
    return last.current.value;
  };
  return useSyncExternalStore(subscribe, snapshot, snapshot);
}

const whole = (view: unknown) => view;
