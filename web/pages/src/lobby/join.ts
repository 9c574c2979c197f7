import { HTTPError } from "roomring";
import { h, text } from "../games/dom.ts";
import { busy } from "../kit/load.ts";
import { server } from "../kit/me.ts";
import { words } from "../kit/problem.ts";
import { tablePath } from "./go.ts";
import { base } from "../kit/base.ts";

const roomID = /^[0-9a-hjkmnp-tv-z]{16}$/;

/** Joining by what a friend has sent: a link, a room's id, or a private room's code. */
export function showJoin(el: HTMLElement): void {
  const input = h("input", { id: "join-input", type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: "false", placeholder: "Link or code", "aria-describedby": "join-problem", "data-testid": "join-input" });
  const problem = h("p", { id: "join-problem", class: "field-problem", role: "alert", "data-testid": "join-problem" });
  const submit = h("button", { type: "submit", class: "button", "data-testid": "join-button" }, "Join");
  const form = h("form", { class: "inline-form" }, h("label", { for: "join-input", class: "quiet" }, "Link or code"), input, submit);
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    void busy(submit, async () => text(problem, await join(input.value.trim())));
  });
  el.append(form, problem);
}

// Goes to the room that the text means, or says why not.
async function join(what: string): Promise<string> {
  if (what === "") return "Paste the link or the code that your friend has sent you.";
  const path = pathIn(what);
  if (path) {
    location.assign(path);
    return "";
  }
  try {
    const found = await server.findRoom(what);
    location.assign(tablePath({ id: found.id, code: what }));
    return "";
  } catch (err) {
    return err instanceof HTTPError && err.status === 404 ? "No room has this code. It may be over, or a letter may be wrong." : words(err);
  }
}

// The path of a link to a table, whatever server's name stands in it, or of a room's id.
function pathIn(what: string): string | undefined {
  if (roomID.test(what)) return tablePath({ id: what });
  const found = /\/play\/([0-9a-z]{16})(\?[^#\s]*)?/.exec(what);
  return found && roomID.test(found[1]!) ? `${base}/play/${found[1]}${found[2] ?? ""}` : undefined;
}
