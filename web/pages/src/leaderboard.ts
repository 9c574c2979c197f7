import { HTTPError, type GameInfo, type Standing } from "roomring";
import { h } from "./games/dom.ts";
import { fillBar } from "./kit/bar.ts";
import { picture } from "./kit/art.ts";
import { busy, button, failed, link, notice } from "./kit/load.ts";
import { me, server } from "./kit/me.ts";
import { words } from "./kit/problem.ts";
import { toast } from "./kit/toast.ts";
import { base, pathID } from "./kit/base.ts";

const page = 50;
const name = pathID();
let after: string | undefined; // the last player shown, while there are more
const slot = document.getElementById("board")!;

fillBar();
void open();

async function open(): Promise<void> {
  try {
    const [games, first] = await Promise.all([server.games(), server.leaderboardPage(name, { limit: page })]);
    after = first.next;
    show(games, first.players);
  } catch (err) {
    slot.replaceChildren(err instanceof HTTPError && err.status === 404
      ? notice("missing", "There is no such game here", "This server does not run it.", link("To the lobby", base + "/", "primary"))
      : failed(err, () => void open()));
  } finally {
    slot.removeAttribute("aria-busy");
  }
}

function show(games: GameInfo[], first: Standing[]): void {
  const title = games.find((g) => g.name === name)?.title ?? name;
  document.title = `${title} leaderboard · Roomring`;
  const body = h("tbody", {}, ...first.map(row));
  const more: HTMLButtonElement = button("More", () => void busy(more, () => next(body, more)));
  more.hidden = after === undefined;
  slot.replaceChildren(
    h("div", { class: "page-head" }, h("div", { class: `page-art art-${name}` }, picture(name)), h("h1", { class: "page-title" }, `${title} leaderboard`)),
    h("nav", { class: "tabs", "aria-label": "Games" }, ...games.filter((g) => g.rated || g.name === name).map((g) => h("a", { href: `${base}/leaderboards/${g.name}`, "aria-current": g.name === name && "page" }, g.title || g.name))),
    first.length === 0
      ? h("p", { class: "empty panel" }, "Nobody has a rating yet. The first rated game makes two.")
      : h("div", { class: "panel table-scroll", tabindex: 0, role: "region", "aria-label": "Standings" }, h("table", { class: "list standings" },
        h("thead", {}, h("tr", {}, th("#"), th("Player"), th("Rating", "number"), th("Games", "number"), th("W", "number wide", "Wins"), th("D", "number wide", "Draws"), th("L", "number wide", "Losses"))),
        body)),
    more);
}

function th(words: string, kind = "", full?: string): HTMLElement {
  return h("th", { scope: "col", class: kind, title: full, "aria-label": full }, words);
}

function row(s: Standing): HTMLElement {
  return h("tr", { "data-testid": "standing-row", "data-player": s.player, "data-me": String(s.player === me.player) },
    h("td", { class: "place" }, String(s.place)),
    h("th", { scope: "row" }, h("a", { href: `${base}/players/${encodeURIComponent(s.player)}` }, s.name || s.player), s.player === me.player ? h("span", { class: "tag" }, "you") : undefined),
    h("td", { class: "number" }, h("strong", {}, String(Math.round(s.rating))), h("span", { class: "spread" }, ` ±${Math.round(2 * s.deviation)}`)),
    ...[s.games].map((n) => h("td", { class: "number" }, String(n))),
    ...[s.wins, s.draws, s.losses].map((n) => h("td", { class: "number wide" }, String(n))));
}

async function next(body: HTMLElement, more: HTMLButtonElement): Promise<void> {
  try {
    const got = await server.leaderboardPage(name, { limit: page, after });
    body.append(...got.players.map(row));
    after = got.next;
    more.hidden = after === undefined;
  } catch (err) {
    toast(words(err), "bad");
  }
}
