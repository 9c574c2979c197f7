import type { Dispose, Table } from "roomring";
import { h } from "../games/dom.ts";
import { mount } from "../kit/mount.ts";
import type { Inspection } from "./api.ts";

/** A room through somebody's eyes, on the game's own table. What is whole is nobody's view, and no table can show it. */
export class Seen {
  readonly el = h("div", { class: "room-table", hidden: true, "data-testid": "room-table" });
  private eyes: string | undefined; // whose they are; undefined: there is no table
  private latest: Inspection | undefined;
  private lookedAt = 0; // performance.now()
  private readonly views = new Set<(view: unknown, previous?: unknown) => void>();
  private dispose: Dispose | undefined;

  /** Shows what has been looked at, as a player or, without one, as a spectator. */
  show(r: Inspection, player: string): void {
    const seen = r.as !== "whole" && !r.unavailable && r.state !== undefined;
    this.el.hidden = !seen;
    if (!seen) return this.end();
    const was = this.latest?.state;
    this.latest = r;
    this.lookedAt = performance.now();
    if (this.eyes !== player) void this.open(r, player);
    else if (JSON.stringify(was) !== JSON.stringify(r.state)) [...this.views].forEach((f) => f(r.state, was));
  }

  end(): void {
    this.eyes = undefined;
    this.views.clear();
    this.dispose?.();
    this.dispose = undefined;
  }

  private async open(r: Inspection, player: string): Promise<void> {
    this.end();
    this.eyes = player;
    const slot = h("div");
    this.el.replaceChildren(slot);
    const dispose = await mount(slot, { name: r.game, ...(r.ui !== undefined && { ui: r.ui }), ...(r.style !== undefined && { style: r.style }) }, this.table(r, player));
    if (this.el.contains(slot) && this.eyes === player) this.dispose = dispose;
    else dispose(); // other eyes were chosen meanwhile
  }

  private table(r: Inspection, player: string): Table {
    return {
      view: () => this.latest?.state,
      onView: (f) => (this.views.add(f), () => void this.views.delete(f)),
      onEvent: () => () => undefined,
      me: { ...(player && { player }), seat: r.seats.find((s) => s.player === player)?.seat ?? -1 },
      roomTime: () => this.latest!.time_ms + (performance.now() - this.lookedAt),
      live: true,
      say: () => undefined,
    };
  }
}
