import { HTTPError } from "roomring";
import { h, refill } from "../games/dom.ts";

/** What a seat may do now, as far as the game says. */
export interface LegalActions {
  advises: boolean;
  actions: unknown[];
}

const settle = 250; // ms after a view before it asks
const pause = 600; // ms between two questions
const recover = 5_000; // ms after a question that was refused
const most = 200; // buttons

/** A button for each action that the game calls legal, asked for anew after each view. */
export class Legal {
  readonly el: HTMLElement;
  private readonly buttons = h("div", { class: "plain-buttons", tabindex: -1 });
  private readonly rest = h("p", { class: "hint", hidden: true });
  private timer: ReturnType<typeof setTimeout> | undefined;
  private next = 0; // performance.now() before which it does not ask
  private asking = false;
  private again = false;
  private ended = false;
  private acting = false;

  constructor(private readonly ask: () => Promise<LegalActions>, private readonly act: (action: unknown) => Promise<void>) {
    this.el = h("section", { class: "plain-legal", "aria-label": "What you may do", hidden: true, "data-testid": "legal" }, h("h3", {}, "What you may do"), this.buttons, this.rest);
    this.changed();
  }

  /** The view has changed: what is legal may have, too. */
  changed(): void {
    this.again = true;
    if (this.asking || this.timer !== undefined || this.ended) return;
    this.timer = setTimeout(() => void this.look(), Math.max(settle, this.next - performance.now()));
  }

  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
  }

  private async look(): Promise<void> {
    this.timer = undefined;
    this.asking = true;
    this.again = false;
    let wait = pause;
    try {
      this.show(await this.ask());
    } catch (err) {
      this.again = !(err instanceof HTTPError) || err.status === 429 || err.status === 503;
      wait = recover;
    }
    this.asking = false;
    this.next = performance.now() + wait;
    if (this.again) this.changed();
  }

  private show({ advises, actions }: LegalActions): void {
    if (!advises) this.end(); // it never will
    this.el.hidden = !advises;
    const focused = this.buttons.contains(document.activeElement);
    refill(this.buttons, actions.length > 0 ? actions.slice(0, most).map((action) => this.button(action)) : [h("p", { class: "hint" }, "Nothing just now.")]);
    if (focused && !this.buttons.contains(document.activeElement)) this.buttons.focus();
    this.rest.hidden = actions.length <= most;
    this.rest.textContent = `And ${actions.length - most} more.`;
  }

  private button(action: unknown): HTMLElement {
    const click = (): void => {
      if (this.acting) return; // a double click is one action
      this.acting = true;
      this.act(action).catch(() => undefined).finally(() => (this.acting = false)); // the shell says why it was refused
    };
    return h("button", { type: "button", class: "button small", "data-action": JSON.stringify(action), click }, labelOf(action));
  }
}

/** An action in short: {"move":"e2e4"} is "move e2e4", {"resign":true} is "resign". */
export function labelOf(action: unknown): string {
  if (typeof action !== "object" || action === null) return typeof action === "string" ? action : JSON.stringify(action);
  if (Array.isArray(action)) return action.map(labelOf).join(", ") || "[]";
  return Object.entries(action).map(([name, v]) => (v === true ? name : `${name} ${inner(v)}`)).join(", ") || "act";
}

function inner(v: unknown): string {
  return typeof v === "object" && v !== null ? JSON.stringify(v) : typeof v === "string" && v !== "" ? v : JSON.stringify(v);
}
