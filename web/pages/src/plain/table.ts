import type { Dispose, Table } from "roomring";
import { h } from "../games/dom.ts";
import { actionForms } from "./form.ts";
import { Legal, type LegalActions } from "./legal.ts";
import type { Schema } from "./schema.ts";
import { Tree } from "./tree.ts";

/** What the default table can ask for beside the room, where one plays. */
export interface More {
  /** What this player may do now. */
  legal?: () => Promise<LegalActions>;
  /** What an action is; undefined: nobody knows. */
  action?: () => Promise<Schema | undefined>;
}

/** The table of a game that has none of its own: the view as data, a button for each legal action, and a form for all others. */
export function plain(el: HTMLElement, table: Table, more: More): Dispose {
  const tree = new Tree("What the game shows");
  const act = table.act;
  const legal = act && more.legal && new Legal(more.legal, act);
  const forms = act && h("section", { class: "plain-forms", "aria-label": "Act" });
  el.replaceChildren(h("div", { class: "plain" },
    h("div", { class: "plain-columns" },
      h("section", { class: "plain-view" }, tree.el),
      act && h("div", { class: "plain-acts" }, legal?.el, forms))));
  if (act) void fillForms(forms!, more, act);

  let drawing = 0; // a game in real time has more views than a screen has pictures
  const draw = (): void => {
    drawing = 0;
    tree.show(table.view());
  };
  draw();
  const stop = table.onView(() => {
    drawing ||= requestAnimationFrame(draw);
    legal?.changed();
  });
  return () => {
    stop();
    cancelAnimationFrame(drawing);
    legal?.end();
    el.replaceChildren();
  };
}

async function fillForms(slot: HTMLElement, more: More, act: (action: unknown) => Promise<void>): Promise<void> {
  const schema = await more.action?.().catch(() => undefined);
  slot.replaceChildren(h("h3", {}, "Act"), actionForms(schema, act));
}
