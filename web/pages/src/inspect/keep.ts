import { h } from "../games/dom.ts";
import { button } from "../kit/load.ts";
import { toast } from "../kit/toast.ts";

/** Hands the browser a file, and shows the Go test that reads it. */
export function keepAsTest(game: string, log: Blob): void {
  const url = URL.createObjectURL(log);
  const a = h("a", { href: url, download: "room.log" });
  document.body.append(a);
  a.click();
  a.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);

  const code = goTest(game);
  const dialog = h("dialog", { class: "dialog inspect-test", "aria-labelledby": "test-title", "data-testid": "go-test" },
    h("h2", { id: "test-title" }, "A test of this room"),
    h("p", {}, "Put room.log into the game's testdata, and this into a test. It fails where the rules come to something else than was played. The file holds the seed and all that is hidden."),
    h("pre", { class: "inspect-json", tabindex: 0, "aria-label": "Go test" }, code),
    h("p", { class: "actions" }, button("Copy", () => void copy(code), "primary"), button("Done", () => dialog.close())));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** The test in Go. */
export function goTest(game: string): string {
  const name = game.split(/[^A-Za-z0-9]+/).filter(Boolean).map((w) => w[0]!.toUpperCase() + w.slice(1)).join("");
  return `func Test${name}Room(t *testing.T) {\n\troomtest.Replay(t, Rules(), "testdata/room.log")\n}\n`;
}

async function copy(code: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(code);
    toast("Copied.", "good");
  } catch {
    toast("The browser does not let this page copy: select the lines.", "bad");
  }
}
