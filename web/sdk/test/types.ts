// What the compiler must say of a game's types; nothing here runs.
import { Roomring, type Room, type RoomOf } from "../src/roomring.js";
import { useRoom, useView } from "../src/roomring-react.js";

interface View {
  shots: number[];
}

export interface Battleship {
  view: View;
  action: { fire: number };
  options: { size?: number };
  events: { hit: { at: number }; started: undefined };
}

export async function aGame(ring: Roomring): Promise<void> {
  const room = await ring.join<Battleship>(await ring.create<Battleship>({ game: "battleship", options: { size: 3 } }));
  const n: number | undefined = room.view.shots[0];
  await room.act({ fire: n ?? 1 });
  await room.act({ rematch: true });
  // @ts-expect-error: fire is a number
  await room.act({ fire: "1" });
  // @ts-expect-error: size is a number
  await ring.create<Battleship>({ game: "battleship", options: { size: "3" } });
  // @ts-expect-error: there is no such option
  await ring.matchmake<Battleship>({ game: "battleship", options: { depth: 3 } });
  room.on("event", (e) => {
    if (e.name === "hit") return e.data.at.toFixed();
    if (e.name === "rematch") return e.data.agreed.join();
    const none: undefined = e.data;
    // @ts-expect-error: there is no such event
    if (e.name === "missed") return e;
    return none;
  });
  for await (const e of room.events()) {
    if (e.name === "hit") e.data.at.toFixed();
  }
  const same: RoomOf<Battleship> = room;
  const any: Room = same;
  any.view.whatever;
}

export async function watching(ring: Roomring): Promise<void> {
  const room = await ring.spectate<Battleship>("r1");
  room.view.shots.length;
  // @ts-expect-error: who watches cannot act
  await room.act({ fire: 1 });
}

export async function viewsAndActions(ring: Roomring): Promise<void> {
  const both = await ring.join<View, "add">("r1");
  both.view.shots.length;
  // @ts-expect-error: that is no action
  await both.act("subtract");
  const one: Room<View> = await ring.join<View>("r1");
  await one.act("anything");
  (await ring.join("r1")).view.anything.goes;
}

/** whatever is a join in a function that knows no more than its caller. */
export function whatever<V>(ring: Roomring): Promise<Room<V>> {
  return ring.join<V>("r1");
}

export function Component(ring: Roomring): string {
  const { room } = useRoom<Battleship>(ring, { game: "battleship", options: { size: 3 } });
  const shots: number[] | undefined = useView(room)?.shots;
  const first: number | undefined = useView(room, (v) => v.shots[0]);
  // @ts-expect-error: size is a number
  useRoom<Battleship>(ring, { game: "battleship", options: { size: "3" } });
  // @ts-expect-error: there is no such part
  useView(room, (v) => v.ships);
  // @ts-expect-error: fire is a number
  void room?.act({ fire: "1" });
  return `${shots?.length} ${first}`;
}
