import type { GameInfo, GameUI } from "roomring";
import { h } from "../games/dom.ts";
import { base } from "./base.ts";

/** What must be known of a game to show it: its name, and where the server has a table that is not built in. */
export type Shown = Pick<GameInfo, "name" | "ui" | "style">;

// A game's code is loaded when its table is.
const uis: Record<string, () => Promise<{ default: GameUI }>> = {
  chess: () => import("../games/chess.ts"),
  liarsdice: () => import("../games/liarsdice.ts"),
  snakes: () => import("../games/snakes.ts"),
};

/** A game's way to show itself, or undefined for one that has none here. It rejects when the server's own one cannot be used. */
export async function uiOf(game: Shown): Promise<GameUI | undefined> {
  if (game.ui !== undefined) return ownUI(game.ui, game.style);
  const load = Object.hasOwn(uis, game.name) ? uis[game.name] : undefined;
  return load && (await load()).default;
}

async function ownUI(module: string, style: string | undefined): Promise<GameUI> {
  const path = `${base}/${module}`;
  const [found] = await Promise.all([import(path) as Promise<{ default?: Partial<GameUI> }>, style === undefined ? undefined : wear(`${base}/${style}`)]);
  if (typeof found.default?.mount !== "function") throw new Error("its default export is no table: export default { mount(el, table) { … } }");
  return found.default as GameUI;
}

const worn = new Map<string, Promise<void>>();

/** Loads a style sheet, once. A table without its style is better than none. */
function wear(path: string): Promise<void> {
  let loading = worn.get(path);
  if (!loading) {
    loading = new Promise((resolve) => document.head.append(h("link", { rel: "stylesheet", href: path, load: () => resolve(), error: () => resolve() })));
    worn.set(path, loading);
  }
  return loading;
}

/** The file that a game's table is in, for messages. */
export function fileOf(game: Shown): string {
  return game.ui ?? `The table of ${game.name}`;
}
