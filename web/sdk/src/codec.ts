/** A protocol message: its type stands under t. */
export interface Message {
  t: string;
  [field: string]: any;
}

/** Codec is how messages are written into WebSocket messages. */
export interface Codec {
  readonly subprotocol: string;
  encode(m: Message): string | Uint8Array<ArrayBuffer>;
  /** decode reads one WebSocket message: one or more protocol messages. */
  decode(data: string | ArrayBuffer): Message[];
}

export const json: Codec = {
  subprotocol: "roomring.v1.json",
  encode: JSON.stringify,
  decode: (data) => (data as string).split("\n").filter((line) => line.trim()).map((line) => JSON.parse(line)),
};

/** bytes is how long an encoded message is on the wire. */
export const bytes = (encoded: string | Uint8Array): number =>
  typeof encoded === "string" ? new TextEncoder().encode(encoded).length : encoded.length;
