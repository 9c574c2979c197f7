// What the compiler must say of what roomring types writes; nothing here runs.
import type { Chess } from "../../../internal/typegen/testdata/chess.js";
import type { Liarsdice } from "../../../internal/typegen/testdata/liarsdice.js";
import type { Odd, Phase } from "../../../internal/typegen/testdata/odd.js";
import type { Snakes } from "../../../internal/typegen/testdata/snakes.js";
import type { GameTypes, Roomring, RoomOf } from "../src/roomring.js";

export async function play(ring: Roomring): Promise<void> {
  const chess = await ring.join<Chess>(await ring.create<Chess>({ game: "chess", options: { clock: { initial_ms: 60_000 }, takeback: true } }));
  const move: string | undefined = chess.view.moves["1"];
  await chess.act({ move: move ?? "e4" });
  // @ts-expect-error: it is called move
  await chess.act({ mov: "e4" });
  chess.on("event", (e) => e.name === "declined" && e.data.offer.length);

  const dice = await ring.join<Liarsdice>("r1");
  await dice.act({ bid: { count: 2, face: 6 } });
  // @ts-expect-error: a bid has a face
  await dice.act({ bid: { count: 2 } });
  // @ts-expect-error: a view has all options
  dice.view.options.dice = undefined;

  const snakes = await ring.join<Snakes>("r1");
  // @ts-expect-error: there is no such phase
  if (snakes.view.phase === "lunch") return;
}

export function odd(room: RoomOf<Odd>): void {
  const phases: Phase[] = ["waiting", "playing", "it's \"over\"", room.view.phase];
  const x: number | undefined = room.view.lists[0]?.n?.[0]?.X;
  const grid: [number, number, number] = room.view.tree.grid[1];
  room.on("event", (e) => {
    if (e.name === "ranks") return e.data?.length;
    if (e.name === "score") return e.data.toFixed();
    if (e.name === "ship-sunk") return e.data.Y;
    return [phases, x, grid];
  });
}

/** game is any of them. */
export const game = (g: Chess | Liarsdice | Odd | Snakes): GameTypes => g;
