import type { Roomring } from "roomring";
import { h } from "../games/dom.ts";
import { button } from "./load.ts";
import { asMe, me } from "./me.ts";
import { isExpired } from "./problem.ts";

/** Does something as this page's guest. Whom the server does not know any more, it lets go on as a new one. */
export async function asGuest<T>(work: (server: Roomring) => Promise<T>): Promise<T> {
  try {
    return await work(await asMe());
  } catch (err) {
    if (!isExpired(err) || !(await offer())) throw err;
    await me.renew();
    return work(await asMe());
  }
}

function offer(): Promise<boolean> {
  return new Promise((resolve) => {
    const renew = button("Go on as a new guest", () => dialog.close("renew"), "primary");
    renew.dataset["testid"] = "new-guest";
    const dialog = h("dialog", { class: "dialog", "aria-labelledby": "expired-title", "data-testid": "expired" },
      h("h2", { id: "expired-title" }, "Your guest pass has run out"),
      h("p", {}, "The server does not know you by it any more. You can go on as a new guest, under the same name; your ratings and games stay with the old one."),
      h("p", { class: "actions" }, renew, button("Not now", () => dialog.close())));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "renew");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
