import { h } from "../games/dom.ts";
import { words } from "./problem.ts";
import { base } from "./base.ts";

/** Waits, or stops waiting when the signal says so. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.aborted ? stop() : signal?.addEventListener("abort", stop, { once: true });
  });
}

/** A card that says what is wrong, and leads on. */
export function notice(kind: string, title: string, detail: string, ...actions: Node[]): HTMLElement {
  return h("section", { class: "notice", "data-testid": "notice", "data-kind": kind, role: "alert" },
    h("h2", {}, title), h("p", {}, detail), actions.length > 0 ? h("p", { class: "actions" }, ...actions) : undefined);
}

/** What stands where something could not be loaded. */
export function failed(err: unknown, again?: () => void): HTMLElement {
  return notice("failed", "That did not work", words(err),
    ...(again ? [button("Try again", again, "primary")] : []), link("To the lobby", base + "/"));
}

export function button(label: string, click: () => void, kind = ""): HTMLButtonElement {
  return h("button", { type: "button", class: `button ${kind}`, click }, label);
}

export function link(label: string, href: string, kind = ""): HTMLAnchorElement {
  return h("a", { class: `button ${kind}`, href }, label);
}

/** Runs what a button started, with the button at rest meanwhile. */
export async function busy<T>(button: HTMLButtonElement, work: () => Promise<T>): Promise<T | undefined> {
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  try {
    return await work();
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
}
