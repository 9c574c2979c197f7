import type { Seat } from "../admin/api.ts";

/** An input as the log has it. */
export interface Entry {
  index: number; epoch: number; kind: string; at_ms: number; player?: string; seat?: number; name?: string; reason?: string; data?: unknown; bytes?: number;
  outcome?: "accepted" | "refused" | "ended" | "failed"; code?: string; detail?: string; operator?: boolean;
}

export interface Log {
  room: string; game: string; version: number; name?: string; fork_of?: string; first: number; last: number; end?: string; dev_tools: boolean; entries: Entry[];
}

export interface View { viewer: string; view?: unknown; before?: unknown; patch?: unknown; events?: { name: string; data?: unknown }[]; legal?: unknown[]; unavailable?: string }

/** A room right after one input. */
export interface Moment { index: number; first: number; last: number; phase: string; seats: Seat[]; entry: Entry; panic?: string; views: View[] }

/** Room time to the millisecond. */
export function exactly(ms: number): string {
  const two = (n: number): string => String(n).padStart(2, "0");
  const s = Math.floor(ms / 1000);
  const [hours, rest] = [Math.floor(s / 3600), `${two(Math.floor(s / 60) % 60)}:${two(s % 60)}.${String(ms % 1000).padStart(3, "0")}`];
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/** What an input said, in one line. */
export function said(e: Entry): string {
  return [e.operator && "(operator)", e.kind !== "join" && e.name, e.reason, e.data !== undefined && JSON.stringify(e.data), e.bytes && `a state of ${e.bytes} bytes`, e.code && `refused: ${e.code}`,
    e.outcome === "ended" && "ended the game", e.outcome === "failed" && "the game failed"].filter(Boolean).join(" ");
}
