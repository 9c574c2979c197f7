import type { ChessView, Side } from "./view.ts";

/** Below this a clock shows tenths and looks urgent, in milliseconds. */
export const low = 20_000;

/** What a side has left at a moment of room time, in milliseconds; nothing without clocks. */
export function remaining(v: ChessView, side: Side, now: number): number | undefined {
  if (!v.clock) return undefined;
  const left = side === "white" ? v.clock.white_ms : v.clock.black_ms;
  return Math.max(0, runs(v, side) ? left - Math.max(0, now - v.clock.since_ms) : left);
}

/** Whether a side's clock is running. */
export function runs(v: ChessView, side: Side): boolean {
  return v.clock !== undefined && v.status === "playing" && v.turn === side;
}

/** "1:02:03", "4:59", or "0:09.8" when little is left. */
export function format(ms: number): string {
  const s = Math.floor(ms / 1000);
  const [hours, minutes, seconds] = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
  const tail = String(seconds).padStart(2, "0");
  if (hours > 0) return `${hours}:${String(minutes).padStart(2, "0")}:${tail}`;
  const tenths = ms < low ? `.${Math.floor(ms / 100) % 10}` : "";
  return `${minutes}:${tail}${tenths}`;
}

/** After how many milliseconds a running clock reads differently. */
export function untilChange(ms: number): number {
  const step = ms <= low ? 100 : 1000;
  return (ms % step) + 1;
}
