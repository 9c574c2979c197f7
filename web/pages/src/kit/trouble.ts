import { h } from "../games/dom.ts";

/** What stands where something that the server's owner wrote has failed. The console has the error with its place in the code. */
export function trouble(file: string, err: unknown, instead: string): HTMLElement {
  console.error(`${file} failed:`, err);
  return h("section", { class: "trouble", role: "alert", "data-testid": "table-trouble" },
    h("p", {}, h("strong", {}, `${file} does not work: `), err instanceof Error ? `${err.name}: ${err.message}` : String(err)),
    h("p", { class: "hint" }, `The browser's console says where. ${instead}`));
}
