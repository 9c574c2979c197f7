import { decodeFirst, encode } from "cborg";
import type { Codec, Message } from "./codec.js";

export const cbor: Codec = {
  subprotocol: "roomring.v1.cbor",
  encode: (m) => encode(m) as Uint8Array<ArrayBuffer>,
  decode(data) {
    const messages: Message[] = [];
    for (let rest = new Uint8Array(data as ArrayBuffer); rest.length > 0; ) {
      const [m, after] = decodeFirst(rest, { allowBigInt: false });
      messages.push(m);
      rest = after as Uint8Array<ArrayBuffer>;
    }
    return messages;
  },
};
