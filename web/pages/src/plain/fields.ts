import { h, text, uniqueID } from "../games/dom.ts";
import { button } from "../kit/load.ts";
import { shapeOf, type Schema } from "./schema.ts";

/** A part of a form. */
export interface Field {
  el: HTMLElement;
  /** The value that was entered; undefined leaves it out. It throws where the browser itself could not tell that the entry is wrong. */
  read(): unknown;
}

/** Where a field is in its form. */
interface Place {
  document: Schema;
  label: string;
  /** It cannot be left out. */
  needed: boolean;
  depth: number;
}

const deepest = 6; // objects in objects; what lies deeper is written as JSON

/** A field for values of a schema of a document. */
export function fieldOf(schema: Schema, at: Place): Field {
  const shape = shapeOf(schema, at.document);
  const s = shape.schema;
  const values = s.const !== undefined ? [s.const] : s.enum;
  if (values) return choice(s, at, values, shape.nullable);
  switch (s.type) {
    case "boolean":
      return shape.nullable ? choice(s, at, [true, false], true) : check(s, at);
    case "integer":
    case "number":
      return number(s, at, shape.nullable);
    case "string":
      return line(s, at, shape.nullable);
    case "array":
      if (s.items && at.depth < deepest) return optional(s, at, shape.nullable, () => list(s, at));
      break;
    case "object":
      if (s.properties && at.depth < deepest) return optional(s, at, shape.nullable, () => group(s, at));
      break;
    case "null":
      return { el: h("p", { class: "hint" }, `${at.label}: null`), read: () => (at.needed ? null : undefined) };
  }
  return raw(s, at, shape.nullable);
}

/** What an empty entry means. */
function nothing(at: Place, nullable: boolean): null | undefined {
  return at.needed && nullable ? null : undefined;
}

function labelled(input: HTMLElement, s: Schema, at: Place, kind = ""): HTMLElement {
  const id = uniqueID("field");
  input.id = id;
  input.dataset["field"] = at.label;
  const hint = s.description ? h("span", { class: "hint", id: `${id}-hint` }, s.description) : undefined;
  if (hint) input.setAttribute("aria-describedby", hint.id);
  const label = h("label", { for: id }, at.label);
  return h("p", { class: `field ${kind}` }, ...(kind ? [input, label] : [label, input]), hint);
}

function choice(s: Schema, at: Place, values: unknown[], nullable: boolean): Field {
  const blank = nullable || !at.needed;
  const input = h("select", {}, blank ? h("option", { value: "" }, "–") : undefined,
    ...values.map((v, i) => h("option", { value: i, selected: v === s.default }, typeof v === "string" ? v : JSON.stringify(v))));
  return { el: labelled(input, s, at), read: () => (input.value === "" ? nothing(at, nullable) : values[Number(input.value)]) };
}

// An unticked box is false, or not said.
function check(s: Schema, at: Place): Field {
  const input = h("input", { type: "checkbox", checked: s.default === true });
  return { el: labelled(input, s, at, "field-check"), read: () => input.checked || (at.needed || s.default === true ? false : undefined) };
}

function number(s: Schema, at: Place, nullable: boolean): Field {
  const whole = s.type === "integer";
  const given = typeof s.default === "number" ? s.default : undefined;
  const input = h("input", { type: "number", inputmode: whole ? "numeric" : "decimal", step: whole ? 1 : "any", min: s.minimum, max: s.maximum, value: given, required: at.needed && !nullable, autocomplete: "off" });
  return {
    el: labelled(input, s, at),
    read: () => {
      if (input.value === "") return nothing(at, nullable);
      const n = Number(input.value);
      if (whole && !Number.isSafeInteger(n)) throw new Error(`${at.label}: whole numbers go to ±9007199254740991 here.`);
      return n;
    },
  };
}

const samples: Record<string, string> = { "date-time": "2030-01-31T12:00:00Z" };

function line(s: Schema, at: Place, nullable: boolean): Field {
  const sample = samples[s.format ?? ""] ?? (s.contentEncoding === "base64" ? "base64" : undefined);
  const given = typeof s.default === "string" ? s.default : undefined;
  const input = h("input", { type: "text", value: given, pattern: s.pattern, minlength: s.minLength, maxlength: s.maxLength, placeholder: sample, autocomplete: "off", spellcheck: "false" });
  const blank = at.needed && !nullable ? "" : nothing(at, nullable);
  return { el: labelled(input, s, at), read: () => (input.value === "" ? (given ? "" : blank) : input.value) };
}

/** Anything, as JSON. */
function raw(s: Schema, at: Place, nullable: boolean): Field {
  const input = h("textarea", { rows: 2, spellcheck: "false", autocomplete: "off", placeholder: "JSON", required: at.needed && !nullable });
  if (s.default !== undefined) input.value = JSON.stringify(s.default);
  return {
    el: labelled(input, s, at),
    read: () => {
      if (input.value.trim() === "") return nothing(at, nullable);
      try {
        return JSON.parse(input.value);
      } catch {
        throw new Error(`${at.label}: that is no JSON.`);
      }
    },
  };
}

/** What may be left out is made when it is wanted: types may hold themselves. */
function optional(s: Schema, at: Place, nullable: boolean, make: () => Field): Field {
  if (at.depth === 0 || (at.needed && !nullable) || s.default !== undefined) return make();
  let made: Field | undefined;
  const input = h("input", {
    type: "checkbox", change: () => {
      if (!made) {
        made = make();
        made.el.querySelector("legend")?.classList.add("quiet"); // the tick's label has said it
      }
      if (input.checked) el.append(made.el);
      else made.el.remove();
    },
  });
  const el = h("div", { class: "fields" }, labelled(input, s, at, "field-check"));
  return { el, read: () => (input.checked && made ? made.read() : nothing(at, nullable)) };
}

function group(s: Schema, at: Place): Field {
  const fields = Object.entries(s.properties!).map(([name, inner]) =>
    [name, fieldOf(withDefault(inner, s.default, name), { document: at.document, label: name, needed: s.required?.includes(name) ?? false, depth: at.depth + 1 })] as const);
  const els = fields.map(([, f]) => f.el);
  const el = at.depth === 0 ? h("div", { class: "fields" }, ...els)
    : h("fieldset", { class: "fields field-group" }, h("legend", {}, at.label), s.description ? h("p", { class: "hint" }, s.description) : undefined, ...els);
  return { el, read: () => Object.fromEntries(fields.map(([name, f]) => [name, f.read()] as const).filter(([, v]) => v !== undefined)) };
}

/** An object's default holds those of its members. */
function withDefault(inner: Schema, given: unknown, name: string): Schema {
  const of = given as Record<string, unknown> | undefined | null;
  return inner.default === undefined && typeof of === "object" && of && Object.hasOwn(of, name) ? { ...inner, default: of[name] } : inner;
}

const most = 100; // members of an array in a form

function list(s: Schema, at: Place): Field {
  const [least, limit] = [s.minItems ?? 0, Math.min(s.maxItems ?? most, most)];
  const items: { field: Field; row: HTMLElement }[] = [];
  const rows = h("div", { class: "fields" });
  const add = button("Add", () => put(), "small");
  const put = (given?: unknown): void => {
    const inner = given === undefined ? s.items! : { ...s.items!, default: given };
    const field = fieldOf(inner, { document: at.document, label: `${at.label} ${items.length + 1}`, needed: true, depth: at.depth + 1 });
    const row = h("div", { class: "field-item" }, field.el);
    const item = { field, row };
    if (least < limit) row.append(remover(`Remove ${at.label}`, () => {
      items.splice(items.indexOf(item), 1);
      row.remove();
      add.disabled = items.length >= limit;
      add.focus();
    }));
    items.push(item);
    rows.append(row);
    add.disabled = items.length >= limit;
  };
  const given = Array.isArray(s.default) ? s.default.slice(0, limit) : [];
  given.forEach((v) => put(v));
  while (items.length < Math.min(least, limit)) put();
  const el = h("fieldset", { class: "fields field-group" }, h("legend", {}, at.label), rows, least < limit ? h("p", {}, add) : undefined);
  return {
    el,
    read: () => {
      if (items.length < least) throw new Error(`${at.label}: give at least ${least}.`);
      return items.length === 0 && !at.needed && given.length === 0 ? undefined : items.map((i) => i.field.read() ?? null);
    },
  };
}

function remover(label: string, click: () => void): HTMLElement {
  const b = button("", click, "small");
  b.setAttribute("aria-label", label);
  text(b, "Remove");
  return b;
}
