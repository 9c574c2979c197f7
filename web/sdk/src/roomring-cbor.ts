import { Roomring as JSONRoomring } from "./client.js";
import { cbor } from "./codec-cbor.js";

export * from "./types.js";
export type * from "./table.js";
export * from "./errors.js";
export type { GuestStorage, Options, RoomsQuery } from "./client.js";
export { patch } from "./patch.js";

/** A Roomring server, spoken to in CBOR. */
export class Roomring extends JSONRoomring {
  protected override get codec() {
    return cbor;
  }
}
