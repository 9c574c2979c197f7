import type { Room, Table } from "roomring";
import { words } from "../kit/problem.ts";

/** A live room, as a game's page sees it. */
export function asTable(room: Room, say: (text: string) => void, refused: (why: string) => void): Table {
  const table: Table = {
    view: () => room.view,
    onView: (f) => room.on("view", f),
    onEvent: (f) => room.on("event", f),
    me: { player: room.player, seat: room.seat },
    roomTime: () => room.roomTime(),
    live: true,
    say,
  };
  if (room.spectator) return table;
  table.act = async (action) => {
    try {
      await room.act(action);
    } catch (err) {
      refused(words(err));
      throw err;
    }
  };
  return table;
}
