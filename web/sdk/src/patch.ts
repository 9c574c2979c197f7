type Obj = Record<string, unknown>;

const isObject = (v: unknown): v is Obj => typeof v === "object" && v !== null && !Array.isArray(v);

/** @internal own is a member of an object or array, and undefined of what has none of that name. */
export const own = (v: unknown, name: string): unknown =>
  typeof v === "object" && v !== null && Object.hasOwn(v, name) ? (v as Obj)[name] : undefined;

// A plain assignment to __proto__ would change the prototype.
const set = (o: Obj, name: string, value: unknown) =>
  Object.defineProperty(o, name, { value, configurable: true, enumerable: true, writable: true });

/**
 * Applies a JSON Merge Patch (RFC 7396). Nothing is changed in place: the result is a new value that shares
 * with the target whatever stayed, and is the target itself when nothing changed.
 */
export function patch<V = any>(target: V, patch: unknown): V {
  return merge(target, patch) as V;
}

function merge(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return share(target, patch);
  const old = isObject(target) ? target : undefined;
  let out: Obj | undefined;
  for (const name of Object.keys(patch)) {
    const had = old !== undefined && Object.hasOwn(old, name);
    if (patch[name] === null) {
      if (had) delete (out ??= { ...old })[name];
      continue;
    }
    const before = own(old, name);
    const after = merge(before, patch[name]);
    if (!had || after !== before) set((out ??= { ...old }), name, after);
  }
  return out ?? old ?? {};
}

/** @internal share is v, made of parts of old wherever they are equal. */
export function share(old: unknown, v: unknown): unknown {
  if (Array.isArray(v) && Array.isArray(old)) {
    const out = v.map((x, i) => share(old[i], x));
    return out.length === old.length && out.every((x, i) => x === old[i]) ? old : out;
  }
  if (isObject(v) && isObject(old)) {
    const names = Object.keys(v);
    let same = names.length === Object.keys(old).length;
    const out: Obj = {};
    for (const name of names) {
      set(out, name, share(own(old, name), v[name]));
      same &&= Object.hasOwn(old, name) && out[name] === old[name];
    }
    return same ? old : out;
  }
  return v;
}

/** @internal changes calls f for each place that matches path and differs between two views. */
export function changes(
  path: readonly string[], before: unknown, after: unknown, f: (value: unknown, path: string[]) => void, at: string[] = [],
): void {
  if (before === after) return;
  if (at.length === path.length) return f(after, at);
  const name = path[at.length]!;
  const names = name === "*" ? new Set([...members(before), ...members(after)]) : [name];
  for (const n of names) changes(path, own(before, n), own(after, n), f, [...at, n]);
}

const members = (v: unknown) => (typeof v === "object" && v !== null ? Object.keys(v) : []);
