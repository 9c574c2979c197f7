import { HTTPError } from "roomring";
import { ask } from "../kit/ask.ts";

/** A JSON Schema, as far as forms are made of it. */
export interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  title?: string;
  description?: string;
  type?: string | string[];
  format?: string;
  contentEncoding?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
}

/** What a game's values are. */
export interface GameSchemas {
  view: Schema;
  action: Schema;
  options: Schema | null;
}

/** The schemas of a game; undefined where the server has none, such as of a type that no schema can say. */
export async function schemasOf(game: string): Promise<GameSchemas | undefined> {
  try {
    return await ask<GameSchemas>(`/v1/games/${encodeURIComponent(game)}/schema`);
  } catch (err) {
    if (err instanceof HTTPError) return undefined;
    throw err;
  }
}

/** A schema without references and without "or null". */
export interface Shape {
  schema: Schema;
  nullable: boolean;
}

const longest = 16; // references to references

/** Follows what a schema of a document refers to. What stands beside a reference goes before what it leads to. */
export function shapeOf(schema: Schema, document: Schema): Shape {
  let [at, nullable] = [schema, false];
  for (let i = 0; i < longest; i++) {
    const either = at.anyOf ?? at.oneOf;
    const others = either?.filter((s) => s.type !== "null");
    if (either && others?.length === 1) {
      const { anyOf, oneOf, ...beside } = at;
      nullable ||= others.length < either.length;
      at = { ...others[0], ...beside };
    } else if (at.$ref !== undefined) {
      const { $ref, ...beside } = at;
      at = { ...find($ref, document), ...beside };
    } else break;
  }
  if (Array.isArray(at.type)) {
    nullable ||= at.type.includes("null");
    const types = at.type.filter((t) => t !== "null");
    at = { ...at, type: types.length === 1 ? types[0]! : types };
  }
  return { schema: at, nullable };
}

function find(ref: string, document: Schema): Schema {
  if (ref === "#") return document;
  const name = ref.startsWith("#/$defs/") ? decodeURIComponent(ref.slice("#/$defs/".length)).replaceAll("~1", "/").replaceAll("~0", "~") : "";
  return (Object.hasOwn(document.$defs ?? {}, name) && document.$defs![name]) || {};
}

/** Whether two values are the same JSON. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const [x, y] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const names = Object.keys(x);
  return names.length === Object.keys(y).length && names.every((n) => Object.hasOwn(y, n) && same(x[n], y[n]));
}
