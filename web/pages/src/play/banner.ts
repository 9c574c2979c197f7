import type { ConnectionState, Why } from "roomring";
import { h, text } from "../games/dom.ts";

const patience = 700; // ms: shorter losses are not worth a word

/** Says that the connection is lost, what becomes of one's moves, and when it is tried again. */
export class Banner {
  private readonly words = h("span", { class: "banner-words" });
  private readonly when = h("span", { class: "banner-when", "aria-hidden": "true" });
  private readonly bar = h("div", { class: "banner", role: "status", "data-testid": "banner", hidden: true }, h("span", { class: "spinner" }), h("p", {}, this.words, " ", this.when));
  private timer: ReturnType<typeof setTimeout> | undefined;
  private tick: ReturnType<typeof setInterval> | undefined;
  private due = 0;

  constructor(el: HTMLElement) {
    el.append(this.bar);
  }

  show(state: ConnectionState, why: Why | undefined, spectator: boolean): void {
    if (state !== "reconnecting") return this.hide();
    this.due = performance.now() + (why?.retryIn ?? 0);
    if (this.timer !== undefined || !this.bar.hidden) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      text(this.words, "Connection lost. " + (spectator ? "You will see what you have missed when it is back." : "Your seat is kept, and what you do now is sent when it is back."));
      this.bar.hidden = false;
      this.count();
      this.tick = setInterval(() => this.count(), 500);
    }, patience);
  }

  hide(): void {
    clearTimeout(this.timer);
    clearInterval(this.tick);
    this.timer = undefined;
    this.bar.hidden = true;
  }

  private count(): void {
    const s = Math.ceil((this.due - performance.now()) / 1000);
    text(this.when, !navigator.onLine ? "Waiting for the network." : s > 0 ? `Trying again in ${s} s.` : "Trying…");
  }
}
