import { h, text } from "../games/dom.ts";
import { busy } from "../kit/load.ts";
import { sentence } from "../kit/problem.ts";
import { fieldOf } from "./fields.ts";
import { same, shapeOf, type Schema } from "./schema.ts";

type Act = (action: unknown) => Promise<void>;

/** Ways to act in any game: a form made from the type of its actions, if that is known, and the action itself as JSON. */
export function actionForms(schema: Schema | undefined, act: Act): HTMLElement {
  const json = h("details", { class: "plain-json", open: !schema }, h("summary", {}, "Write the action as JSON"), jsonForm(act));
  return h("div", { class: "fields" }, schema && schemaForm(schema, act), json);
}

function schemaForm(schema: Schema, act: Act): HTMLElement {
  const field = fieldOf(schema, { document: schema, label: "Action", needed: true, depth: 0 });
  return form("plain-form", [field.el], "Act", () => field.read(), act);
}

function jsonForm(act: Act): HTMLElement {
  const input = h("input", { type: "text", spellcheck: "false", autocomplete: "off", placeholder: "{}", "aria-label": "Action, as JSON", "data-testid": "plain-act" });
  const read = (): unknown => {
    try {
      return JSON.parse(input.value || "{}");
    } catch {
      throw new Error("That is no JSON.");
    }
  };
  return form("plain-json-form", [input], "Act", read, (action) => act(action).then(() => void (input.value = "")));
}

function form(id: string, fields: HTMLElement[], label: string, read: () => unknown, act: Act): HTMLElement {
  const problem = h("p", { class: "field-problem", role: "alert" });
  const submit = h("button", { type: "submit", class: "button" }, label);
  const el = h("form", { class: "fields", "data-testid": id }, ...fields, problem, h("p", {}, submit));
  el.addEventListener("submit", (e) => {
    e.preventDefault();
    text(problem, "");
    let action: unknown;
    try {
      action = read();
    } catch (err) {
      return text(problem, sentence((err as Error).message));
    }
    void busy(submit, () => act(action).catch(() => undefined)); // the shell says why it was refused
  });
  return el;
}

/** Fills a form for a new room's options, and returns how to read those that are not as they would be anyway. */
export function optionsForm(el: HTMLElement, schema: Schema): () => unknown {
  const field = fieldOf(schema, { document: schema, label: "Options", needed: true, depth: 0 });
  el.append(field.el);
  const properties = shapeOf(schema, schema).schema.properties ?? {};
  return () => {
    const read = field.read();
    if (typeof read !== "object" || read === null) return read;
    const chosen = Object.entries(read).filter(([name, v]) => !same(v, properties[name]?.default));
    return chosen.length > 0 ? Object.fromEntries(chosen) : undefined;
  };
}
