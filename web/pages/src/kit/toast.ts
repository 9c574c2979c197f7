import { h } from "../games/dom.ts";

let shelf: HTMLElement | undefined;
let quiet: HTMLElement | undefined;

/** Shows words for a while, and reads them out. The same words again only stay longer. */
export function toast(words: string, kind: "info" | "bad" | "good" = "info"): void {
  if (!shelf) {
    shelf = h("div", { class: "toasts", "aria-live": "polite" });
    document.body.append(shelf);
  }
  for (const old of shelf.children) if (old.textContent === words) old.remove();
  const el = h("p", { class: `toast toast-${kind}`, "data-testid": "toast", "data-kind": kind, role: kind === "bad" && "alert" }, words);
  shelf.append(el);
  while (shelf.children.length > 3) shelf.firstElementChild!.remove();
  setTimeout(() => el.remove(), 3000 + 60 * words.length);
}

/** Tells screen readers alone. */
export function say(words: string): void {
  if (!quiet) {
    quiet = h("div", { class: "quiet", "aria-live": "polite", "data-testid": "say" });
    document.body.append(quiet);
  }
  quiet.append(h("p", {}, words));
  while (quiet.children.length > 4) quiet.firstElementChild!.remove();
}
