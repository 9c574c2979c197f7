import type { GameInfo } from "roomring";
import { h } from "../games/dom.ts";
import { picture } from "../kit/art.ts";
import { fileOf, uiOf } from "../kit/catalogue.ts";
import { asGuest } from "../kit/expired.ts";
import { seats } from "../kit/format.ts";
import { busy } from "../kit/load.ts";
import { words } from "../kit/problem.ts";
import { toast } from "../kit/toast.ts";
import { openCreate } from "./create.ts";
import { go } from "./go.ts";
import { base } from "../kit/base.ts";

/** A card for each game. */
export function showGames(el: HTMLElement, games: GameInfo[]): void {
  el.replaceChildren(...games.map(card));
  if (games.length === 0) el.append(h("p", { class: "empty" }, "No game is installed on this server."));
}

function card(game: GameInfo): HTMLElement {
  const quick = h("button", { type: "button", class: "button primary", "data-testid": "quick-match", click: () => void match(game, quick) }, "Quick match");
  return h("article", { class: "card", "data-testid": "game-card", "data-game": game.name },
    h("div", { class: `card-art art-${game.name}` }, picture(game.name)),
    h("div", { class: "card-words" },
      h("div", { class: "card-title" }, h("h3", {}, game.title || game.name),
        game.rated ? h("a", { class: "quiet-link", href: `${base}/leaderboards/${game.name}`, "data-testid": "leaderboard-link" }, "Leaderboard") : undefined),
      h("p", { class: "about" }, game.about),
      h("p", { class: "facts" }, [seats(game.min_players, game.max_players), game.tick_rate > 0 ? "real time" : "turn by turn", game.rated ? "rated" : ""].filter(Boolean).join(" · "))),
    h("div", { class: "card-actions" }, quick,
      h("button", { type: "button", class: "button", "data-testid": "create-room", click: () => void openCreate(game) }, "Create a room")));
}

async function match(game: GameInfo, button: HTMLButtonElement): Promise<void> {
  await busy(button, async () => {
    try {
      const options = await usual(game);
      go(await asGuest((server) => server.matchmake({ game: game.name, ...(options && { options }) })));
    } catch (err) {
      toast(words(err), "bad");
    }
  });
}

// What the form for creating a room would say untouched: strangers are matched on that.
async function usual(game: GameInfo): Promise<Record<string, unknown> | undefined> {
  try {
    const ui = await uiOf(game);
    return ui?.options?.(document.createElement("div"))() as Record<string, unknown> | undefined;
  } catch (err) {
    console.error(`${fileOf(game)} failed:`, err); // one can play without its options
    return undefined;
  }
}
