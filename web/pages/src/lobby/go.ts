import type { RoomInfo } from "roomring";
import { base } from "../kit/base.ts";

/** The path of a room's table. */
export function tablePath(room: { id: string; code?: string | undefined }, watch = false): string {
  const query = new URLSearchParams();
  if (room.code) query.set("code", room.code);
  if (watch) query.set("watch", "");
  const text = query.toString().replace(/watch=(?=&|$)/, "watch");
  return `${base}/play/${room.id}${text ? "?" + text : ""}`;
}

/** Goes to a room's table. */
export function go(room: RoomInfo): void {
  location.assign(tablePath(room));
}
