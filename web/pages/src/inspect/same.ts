/** Whether two JSON values are equal. The order of an object's keys does not count. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const [x, y] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const keys = Object.keys(x);
  return keys.length === Object.keys(y).length && keys.every((k) => Object.hasOwn(y, k) && same(x[k], y[k]));
}

/** The value of a key, or undefined where there is none or nothing that could have one. */
export function member(of: unknown, key: string): unknown {
  return typeof of === "object" && of !== null && Object.hasOwn(of, key) ? (of as Record<string, unknown>)[key] : undefined;
}

/** One place in a value, with what is to be marked there. */
export interface Place {
  key: string;
  path: string; // keys as a JSON pointer (RFC 6901)
  value: unknown; // what it was, where it is gone
  before: unknown; // undefined: it is new, or nothing is known of before
  other: unknown; // at the same place of the other value
  gone: boolean; // it was there before, and is not now
  changed: boolean; // by the input, here or below
  differs: boolean; // from the other value, here or below
}

/** What to compare a value with. Undefined: with nothing. */
export interface Against { before?: { value: unknown } | undefined; other?: { value: unknown } | undefined }

/** The places directly below a value, in order; those that are gone come last. */
export function places(value: unknown, path: string, against: Against): Place[] {
  if (typeof value !== "object" || value === null) return [];
  const { before, other } = against;
  const was = typeof before?.value === "object" && before.value !== null && Array.isArray(before.value) === Array.isArray(value) ? before.value : {};
  const place = (key: string, gone: boolean): Place => {
    const [now, then, there] = [gone ? undefined : member(value, key), member(before?.value, key), member(other?.value, key)];
    return {
      key, path: `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`, value: gone ? then : now, before: then, other: there, gone,
      changed: before !== undefined && (gone || !same(now, then)),
      differs: other !== undefined && !gone && !same(now, there),
    };
  };
  return [...Object.keys(value).map((key) => place(key, false)),
    ...(before ? Object.keys(was).filter((key) => !Object.hasOwn(value, key)).map((key) => place(key, true)) : [])];
}
