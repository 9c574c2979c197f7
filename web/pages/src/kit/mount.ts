import { h, text } from "../games/dom.ts";
import type { Dispose, GameUI, Table } from "../games/table.ts";
import { uiOf } from "./catalogue.ts";

/** Puts a game into its place on the page. */
export async function mount(el: HTMLElement, game: string, table: Table): Promise<Dispose> {
  const ui = (await uiOf(game)) ?? plain;
  const dispose = ui.mount(el, table);
  el.removeAttribute("aria-busy");
  return dispose;
}

// For games that have no pages of their own here: what there is to see, as data.
const plain: GameUI = {
  title: "",
  mount(el, table) {
    const view = h("pre", { class: "plain-view", tabindex: 0, "aria-label": "The game's view" });
    const draw = (): void => text(view, JSON.stringify(table.view(), null, 2) ?? "");
    const act = table.act && plainAct(table.act);
    el.replaceChildren(h("div", { class: "plain" }, h("p", { class: "hint" }, "This game has no table of its own on this server. This is what it shows:"), view, act));
    draw();
    const stop = table.onView(draw);
    return () => {
      stop();
      el.replaceChildren();
    };
  },
};

function plainAct(act: (action: unknown) => Promise<void>): HTMLElement {
  const input = h("input", { id: "plain-act", type: "text", spellcheck: "false", autocomplete: "off", placeholder: "{}", "data-testid": "plain-act" });
  const problem = h("p", { class: "field-problem", role: "alert" });
  const form = h("form", { class: "inline-form" }, h("label", { for: "plain-act", class: "quiet" }, "Action, as JSON"), input, h("button", { type: "submit", class: "button" }, "Act"));
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    text(problem, "");
    try {
      act(JSON.parse(input.value || "{}")).then(() => (input.value = ""), () => undefined);
    } catch {
      text(problem, "That is no JSON.");
    }
  });
  return h("div", {}, form, problem);
}
