import { h, set } from "../games/dom.ts";
import { exactly, said, type Entry } from "./types.ts";

const row = 30; // px; as in inspect.css
const page = 200; // entries in one question
const spare = 10; // rows drawn beyond what is seen
const mostPages = 50; // kept; then the longest unseen one is asked for again

/** The log as a list. It draws the rows that are seen, and asks for their entries when they come into sight. */
export class LogList {
  readonly el: HTMLElement;
  private readonly room: HTMLElement; // as high as all rows would be
  private readonly pages = new Map<number, Entry[] | undefined>(); // by number; undefined: asked for
  private readonly stale = new Set<number>(); // pages that were not full, and are to be asked for again
  private readonly rows = new Map<number, { el: HTMLElement; epoch: number | undefined; first: number }>(); // that are drawn, by index
  private first = 1;
  private last = 0;
  private chosen = 0;
  private asked = false; // to draw with the next frame

  constructor(private readonly load: (after: number, limit: number) => Promise<Entry[]>, private readonly choose: (index: number) => void, private readonly nameOf: (player: string) => string) {
    this.room = h("div", { class: "log-room" });
    this.el = h("div", { class: "log-list", tabindex: 0, role: "listbox", "aria-label": "Log", "data-testid": "log" }, this.room);
    this.el.addEventListener("scroll", () => this.soon());
    this.el.addEventListener("click", (e) => {
      const index = Number((e.target as Element).closest<HTMLElement>("[data-index]")?.dataset["index"]);
      if (index) this.choose(index);
    });
    this.el.addEventListener("keydown", (e) => this.key(e));
    new ResizeObserver(() => this.soon()).observe(this.el);
  }

  /** The log goes from first to last. */
  bounds(first: number, last: number): void {
    if (first !== this.first) this.pages.clear();
    else if (last < this.last) this.pages.clear(); // a machine has lost its last moments
    else if (last > this.last) this.stale.add(this.pageOf(this.last + 1));
    [this.first, this.last] = [first, last];
    this.room.style.height = `${Math.max(0, last - first + 1) * row}px`;
    this.soon();
  }

  /** Draws all rows anew, with names that have become known. */
  renamed(): void {
    for (const index of [...this.rows.keys()]) this.drop(index);
    this.soon();
  }

  /** Marks an entry, and brings it into sight. */
  mark(index: number): void {
    this.chosen = index;
    const top = (index - this.first) * row;
    if (top < this.el.scrollTop || top + row > this.el.scrollTop + this.el.clientHeight) this.el.scrollTop = top - this.el.clientHeight / 2;
    this.soon();
  }

  private key(e: KeyboardEvent): void {
    const by: Record<string, number> = { ArrowUp: -1, ArrowDown: 1, PageUp: -Math.floor(this.el.clientHeight / row), PageDown: Math.floor(this.el.clientHeight / row), Home: -Infinity, End: Infinity };
    const step = by[e.key];
    if (step === undefined) return;
    e.preventDefault();
    this.choose(Math.min(this.last, Math.max(this.first, this.chosen + step)));
  }

  private soon(): void {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.draw();
    });
  }

  private pageOf(index: number): number {
    return Math.floor((index - this.first) / page);
  }

  private draw(): void {
    const n = Math.max(0, this.last - this.first + 1);
    const from = Math.max(0, Math.floor(this.el.scrollTop / row) - spare);
    const to = Math.min(n, Math.ceil((this.el.scrollTop + this.el.clientHeight) / row) + spare);
    const stale = new Set(this.rows.keys());
    for (let i = from; i < to; i++) {
      const index = this.first + i;
      const p = this.pageOf(index);
      if (!this.pages.has(p) || this.stale.has(p)) void this.ask(p);
      stale.delete(index);
      this.place(index, this.pages.get(p)?.[i - p * page]);
    }
    for (const index of stale) this.drop(index);
    const chosen = this.room.querySelector("[aria-selected=true]");
    if (chosen) this.el.setAttribute("aria-activedescendant", chosen.id);
    else this.el.removeAttribute("aria-activedescendant");
  }

  /** Draws an entry's row, or leaves the one that is there: it can be clicked while the log grows. Epoch and index name an entry. */
  private place(index: number, e: Entry | undefined): void {
    const chosen = index === this.chosen;
    const old = this.rows.get(index);
    if (old && old.epoch === e?.epoch && old.first === this.first) {
      set(old.el, "aria-selected", String(chosen));
      return;
    }
    this.drop(index);
    const el = h("div", {
      id: `log-${index}`, class: "log-row", role: "option", "aria-selected": String(chosen), "data-index": index, "data-testid": "log-row", "data-kind": e?.kind, "data-outcome": e?.outcome, title: e && said(e),
    }, h("span", { class: "log-index" }, String(index)), h("span", { class: "log-at" }, e ? exactly(e.at_ms) : ""), h("span", { class: "log-kind" }, e?.kind ?? "…"),
      h("span", { class: "log-said" }, e ? [e.player && this.nameOf(e.player), said(e)].filter(Boolean).join(" ") : ""));
    el.style.top = `${(index - this.first) * row}px`;
    this.rows.set(index, { el, epoch: e?.epoch, first: this.first });
    this.room.append(el);
  }

  private drop(index: number): void {
    this.rows.get(index)?.el.remove();
    this.rows.delete(index);
  }

  private async ask(p: number): Promise<void> {
    this.stale.delete(p);
    this.pages.set(p, this.pages.get(p));
    for (const old of this.pages.keys()) if (this.pages.size > mostPages && old !== p) this.pages.delete(old);
    try {
      this.pages.set(p, await this.load(this.first + p * page - 1, page));
    } catch {
      setTimeout(() => {
        this.stale.add(p);
        this.soon();
      }, 1000);
    }
    this.soon();
  }
}
