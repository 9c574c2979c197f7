/** canonical is the canonical JSON (RFC 8785) of a JSON value. */
export function canonical(v: unknown): string {
  if (Array.isArray(v)) return "[" + v.map(canonical).join() + "]";
  if (typeof v !== "object" || v === null) return JSON.stringify(v);
  const o = v as Record<string, unknown>;
  const names = Object.keys(o).sort(); // by UTF-16 code units, as the RFC asks
  return "{" + names.map((name) => JSON.stringify(name) + ":" + canonical(o[name])).join() + "}";
}

let table: Uint32Array | undefined;

function makeTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, n) => {
    for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
    return n;
  });
}

/** crc32 is the CRC-32 of IEEE 802.3 of a text's UTF-8. */
export function crc32(text: string): number {
  table ??= makeTable();
  let crc = -1;
  for (const byte of new TextEncoder().encode(text)) crc = table[(crc ^ byte) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
