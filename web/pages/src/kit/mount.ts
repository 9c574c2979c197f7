import type { Dispose, Table } from "roomring";
import { h } from "../games/dom.ts";
import type { More } from "../plain/table.ts";
import { fileOf, uiOf, type Shown } from "./catalogue.ts";
import { trouble } from "./trouble.ts";

/** Puts a game into its place on the page: by its table or, if it has none or that fails, by the default one. */
export async function mount(el: HTMLElement, game: Shown, table: Table, more: More = {}): Promise<Dispose> {
  const mounted = new Mounted(el, game, table, more);
  try {
    await mounted.open();
  } finally {
    el.removeAttribute("aria-busy");
  }
  return () => mounted.close();
}

/** A table on the page. Whatever a game's own code throws ends that table, and not the page. */
class Mounted {
  private dispose: Dispose | undefined;
  private readonly stops = new Set<() => void>();
  private ended = false; // the game's own table
  private closed = false;

  constructor(private readonly el: HTMLElement, private readonly game: Shown, private readonly table: Table, private readonly more: More) {}

  async open(): Promise<void> {
    try {
      const ui = await uiOf(this.game);
      if (this.closed) return;
      if (!ui) return await this.plain(this.el);
      if (ui.title) {
        this.el.setAttribute("role", "group");
        this.el.setAttribute("aria-label", ui.title);
      }
      this.dispose = ui.mount(this.el, this.guarded());
    } catch (err) {
      await this.fail(err);
    }
  }

  close(): void {
    this.closed = true;
    this.end();
    this.el.replaceChildren();
  }

  private guarded(): Table {
    return { ...this.table, onView: (f) => this.hear(this.table.onView(this.guard(f))), onEvent: (f) => this.hear(this.table.onEvent(this.guard(f))) };
  }

  private hear(stop: () => void): () => void {
    this.stops.add(stop);
    return () => {
      this.stops.delete(stop);
      stop();
    };
  }

  private guard<A extends unknown[]>(f: (...args: A) => void): (...args: A) => void {
    return (...args) => {
      if (this.ended) return;
      try {
        f(...args);
      } catch (err) {
        void this.fail(err);
      }
    };
  }

  private async fail(err: unknown): Promise<void> {
    if (this.ended) return;
    this.end();
    const slot = h("div");
    this.el.replaceChildren(trouble(fileOf(this.game), err, "Below is what the game shows without it."), slot);
    if (!this.closed) await this.plain(slot);
  }

  private async plain(el: HTMLElement): Promise<void> {
    const { plain } = await import("../plain/table.ts");
    if (!this.closed) this.dispose = plain(el, this.table, this.more);
  }

  private end(): void {
    this.ended = true;
    this.stops.forEach((stop) => stop());
    this.stops.clear();
    try {
      if (typeof this.dispose === "function") this.dispose(); // the code of others may return anything
    } catch (err) {
      console.error(`${fileOf(this.game)} failed while it was taken off the page:`, err);
    }
    this.dispose = undefined;
  }
}
