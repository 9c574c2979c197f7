import type { GameUI } from "../games/table.ts";

// A game's code is loaded when its table is.
const uis: Record<string, () => Promise<{ default: GameUI }>> = {
  chess: () => import("../games/chess.ts"),
  liarsdice: () => import("../games/liarsdice.ts"),
  snakes: () => import("../games/snakes.ts"),
};

/** A game's way to show itself, or undefined for one that has none here. */
export async function uiOf(game: string): Promise<GameUI | undefined> {
  const load = Object.hasOwn(uis, game) ? uis[game] : undefined;
  return load && (await load()).default;
}
