import { HTTPError, type GameInfo } from "roomring";
import { h, text } from "../games/dom.ts";
import { fileOf, uiOf } from "../kit/catalogue.ts";
import { asGuest } from "../kit/expired.ts";
import { busy, button } from "../kit/load.ts";
import { words } from "../kit/problem.ts";
import { trouble } from "../kit/trouble.ts";
import { optionsForm } from "../plain/form.ts";
import { schemasOf } from "../plain/schema.ts";
import { go } from "./go.ts";

/** Fills the form for a game's options by its table or, if it has none or that fails, from their type. It returns how to read them. */
async function optionsOf(game: GameInfo, el: HTMLElement): Promise<(() => unknown) | undefined> {
  let failed: HTMLElement | undefined;
  try {
    const read = (await uiOf(game))?.options?.(el);
    if (read) return read;
  } catch (err) {
    failed = trouble(fileOf(game), err, "Below are the options by their types.");
  }
  el.replaceChildren(...(failed ? [failed] : []));
  const schema = (await schemasOf(game.name).catch(() => undefined))?.options;
  return schema ? optionsForm(el, schema) : undefined;
}

/** Asks for a new room's name and options in a dialog, and goes there. */
export async function openCreate(game: GameInfo): Promise<void> {
  const own = h("div", { class: "fields" });
  const read = await optionsOf(game, own);
  const name = h("input", { id: "create-name", type: "text", maxlength: 40, autocomplete: "off", placeholder: `A game of ${game.title}`, "data-testid": "create-name" });
  const hidden = h("input", { id: "create-private", type: "checkbox", "data-testid": "create-private" });
  const problem = h("p", { class: "field-problem", role: "alert", "data-testid": "create-problem" });
  const submit = h("button", { type: "submit", class: "button primary", "data-testid": "create-submit" }, "Create the room");
  const form = h("form", { class: "fields" },
    h("h2", { id: "create-title" }, `New room: ${game.title}`),
    own,
    h("p", { class: "field" }, h("label", { for: "create-name" }, "Name of the room"), name),
    h("p", { class: "field field-check" }, hidden, h("label", { for: "create-private" }, "Private: not listed, joined by link or code")),
    problem,
    h("p", { class: "actions" }, submit, button("Cancel", () => dialog.close())));
  const dialog = h("dialog", { class: "dialog", "aria-labelledby": "create-title", "data-testid": "create-dialog" }, form);
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    void busy(submit, async () => {
      text(problem, "");
      try {
        const options = read?.() as Record<string, unknown> | undefined;
        go(await asGuest((server) => server.create({
          game: game.name, private: hidden.checked,
          ...(name.value.trim() && { name: name.value.trim() }), ...(options && { options }),
        })));
      } catch (err) {
        text(problem, words(err));
        if (err instanceof HTTPError && err.problem.field === "name") name.focus();
      }
    });
  });
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (e) => e.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
}
