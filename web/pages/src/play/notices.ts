import { ClosedError, HTTPError } from "roomring";
import { h } from "../games/dom.ts";
import { busy, button, link, notice } from "../kit/load.ts";
import { isExpired, words } from "../kit/problem.ts";
import { base } from "../kit/base.ts";

/** What a notice may lead on to. */
export interface Ways {
  enter(): Promise<void>;
  renew(): Promise<void>;
  watch(): void;
  code(code: string): void;
}

/** What stands in the table's place when one is not at it: why, and what to do. */
export class Notices {
  constructor(private readonly el: HTMLElement, private readonly ways: Ways) {}

  clear(): void {
    this.el.replaceChildren();
    document.body.classList.remove("has-notice");
  }

  show(err: unknown, watching: boolean): void {
    this.put(this.about(err, watching));
  }

  over(id: string): void {
    this.put(notice("over", "This game is over", "Its result and every move of it are still there.",
      link("Result and replay", `${base}/results/${id}`, "primary"), link("New game", base + "/")));
  }

  private put(card: HTMLElement): void {
    this.el.replaceChildren(card);
    document.body.classList.add("has-notice");
  }

  private about(err: unknown, watching: boolean): HTMLElement {
    const lobby = link("To the lobby", base + "/");
    if (isExpired(err)) {
      return notice("expired", "Your guest pass has run out", "The server does not know you by it any more. You can go on as a new guest, under the same name; a seat you had stays with the old one.",
        this.step("Go on as a new guest", async () => { await this.ways.renew(); await this.ways.enter(); }, "new-guest"), lobby);
    }
    if (err instanceof HTTPError && (err.status === 404 || err.status === 400)) return missing(lobby);
    if (!(err instanceof ClosedError) || err.kind === "unreachable") return notice("failed", "The table cannot be reached", words(err), this.step("Try again", () => this.ways.enter(), "again"), lobby);
    switch (err.code) {
      case 1000:
        return notice("left", "You have left the table", "Your seat is free again.", link("New game", base + "/", "primary"));
      case 4403:
        return this.forbidden(err, watching, lobby);
      case 4404:
        return missing(lobby);
      case 4406:
        return notice("reload", "This page is out of date", "The server has been updated since you opened it. Your seat is kept: load the page again to go on.",
          button("Load it again", () => location.reload(), "primary"));
      case 4409:
        return notice("replaced", "You are playing in another tab", "The game was opened there, so it goes on there. You can take it back at any time.",
          this.step("Play here instead", () => this.ways.enter(), "take-back"), lobby);
    }
    return notice("refused", "The server has closed the connection", words(err), this.step("Try again", () => this.ways.enter(), "again"), lobby);
  }

  private forbidden(err: ClosedError, watching: boolean, lobby: Node): HTMLElement {
    if (/code/.test(err.reason)) return this.private(lobby);
    if (watching) return notice("forbidden", "You cannot watch this table", words(err), lobby);
    const watch = button("Watch the game", () => this.ways.watch(), "primary");
    watch.dataset["testid"] = "watch-instead";
    return notice("forbidden", /full|taken/.test(err.reason) ? "All seats are taken" : "You cannot sit down here", words(err), watch, lobby);
  }

  private private(lobby: Node): HTMLElement {
    const input = h("input", { id: "room-code", type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: "false", "data-testid": "code-input" });
    const form = h("form", { class: "inline-form" }, h("label", { for: "room-code", class: "quiet" }, "Code"), input, h("button", { type: "submit", class: "button primary" }, "Join"));
    form.addEventListener("submit", (e) => {
      e.preventDefault();
      if (input.value.trim()) this.ways.code(input.value.trim());
    });
    const card = notice("code", "This table is private", "Ask who invited you for the code, or for the whole link.");
    card.append(form, h("p", { class: "actions" }, lobby));
    return card;
  }

  // A button for something that takes a while.
  private step(label: string, work: () => Promise<void>, id: string): HTMLElement {
    const b: HTMLButtonElement = button(label, () => void busy(b, work).catch((err) => this.show(err, false)), "primary");
    b.dataset["testid"] = id;
    return b;
  }
}

function missing(lobby: Node): HTMLElement {
  return notice("missing", "There is no such table", "The link may be mistyped, or the game may be long over and forgotten.", lobby);
}
