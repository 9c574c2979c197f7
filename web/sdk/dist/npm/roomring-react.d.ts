// Made by "make generate".
import type { Roomring } from "./roomring.js";
import type { AnyGame, ConnectionState, GameTypes, Room, RoomInfo, RoomOf, Why } from "./roomring.js";
/** What room to be in: one by its id or as HTTP tells of it, or whichever matchmaking finds. */
export type Target<G extends GameTypes = AnyGame> = string | RoomInfo | {
    game: string;
    options?: G["options"];
};
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
/**
 * Joins a room while the component is mounted, and closes the connection afterwards, which keeps the seat for as long as the game does. Under
 * StrictMode it joins once. Without a target it waits for one; on a server it is connecting. Give the same ring each time.
 */
export declare function useRoom<G extends GameTypes = AnyGame>(ring: Roomring, target: Target<G> | undefined, o?: RoomOptions): RoomStatus<G>;
/**
 * What a room shows, or what select picks of it, anew whenever that changes; undefined without a room. Parts of a view that have not
 * changed stay the same value, so a part can be picked as it is; a value that select makes each time needs an equal.
 */
export declare function useView<V>(room: Room<V, any, any> | undefined): V | undefined;
export declare function useView<V, S>(room: Room<V, any, any> | undefined, select: (view: V) => S, equal?: (a: S, b: S) => boolean): S | undefined;
