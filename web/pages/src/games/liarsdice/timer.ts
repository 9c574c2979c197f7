import { h, set, svg, text } from "../dom.ts";
import type { DiceView } from "./view.ts";

const radius = 16;
const round = 2 * Math.PI * radius;
const low = 5_000;

/** A ring that runs out with the present wait, and the seconds in it. */
export class Timer {
  private readonly left = h("span", { class: "dice-seconds" });
  private readonly arc = svg("circle", { cx: 20, cy: 20, r: radius, class: "dice-arc" });
  readonly el = h("span", { class: "dice-timer", role: "timer", "aria-label": "Seconds left", hidden: true, "data-testid": "timer" },
    svg("svg", { viewBox: "0 0 40 40", "aria-hidden": "true" }, svg("circle", { cx: 20, cy: 20, r: radius, class: "dice-ring" }), this.arc), this.left);
  private view?: DiceView;
  private timer?: ReturnType<typeof setTimeout>;

  constructor(private readonly now: () => number) {
    this.arc.style.setProperty("stroke-dasharray", String(round));
  }

  show(v: DiceView): void {
    this.view = v;
    this.tick();
  }

  // Wakes once a second while there is something to wait for.
  private tick(): void {
    clearTimeout(this.timer);
    const left = remaining(this.view!, this.now());
    set(this.el, "hidden", left === undefined);
    if (left === undefined) return;
    text(this.left, String(Math.ceil(left / 1000)));
    set(this.el, "data-low", left <= low);
    this.arc.style.setProperty("stroke-dashoffset", String(round * (1 - Math.min(1, left / whole(this.view!)))));
    if (left > 0) this.timer = setTimeout(() => this.tick(), (left % 1000) + 5);
  }

  dispose(): void {
    clearTimeout(this.timer);
  }
}

/** The milliseconds until the present wait ends by itself; nothing where it does not. */
export function remaining(v: DiceView, now: number): number | undefined {
  return v.deadline_ms === undefined || v.status === "over" ? undefined : Math.max(0, v.deadline_ms - now);
}

function whole(v: DiceView): number {
  return { waiting: v.options.start_ms, bidding: v.options.turn_ms, reveal: v.options.reveal_ms, over: 1 }[v.status];
}
