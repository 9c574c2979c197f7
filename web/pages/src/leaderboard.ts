import { HTTPError, type GameInfo, type LeaderboardPage, type Profile, type RatingRules, type Standing } from "roomring";
import { h } from "./games/dom.ts";
import { fillBar } from "./kit/bar.ts";
import { picture } from "./kit/art.ts";
import { count, duration } from "./kit/format.ts";
import { busy, button, failed, link, notice } from "./kit/load.ts";
import { me, server } from "./kit/me.ts";
import { words } from "./kit/problem.ts";
import { toast } from "./kit/toast.ts";
import { base, pathID } from "./kit/base.ts";

const page = 50;
const list = new Intl.ListFormat("en");
const name = pathID();
let after: string | undefined; // the last player shown, while there are more
const slot = document.getElementById("board")!;

fillBar();
void open();

async function open(): Promise<void> {
  try {
    const [games, first, own] = await Promise.all([server.games(), server.leaderboardPage(name, { limit: page }), ownRecord()]);
    after = first.next;
    show(games, first, own);
  } catch (err) {
    slot.replaceChildren(err instanceof HTTPError && err.status === 404
      ? notice("missing", "There is no such game here", "This server does not run it.", link("To the lobby", base + "/", "primary"))
      : failed(err, () => void open()));
  } finally {
    slot.removeAttribute("aria-busy");
  }
}

/** What is known of who looks at the page, in this game. */
async function ownRecord(): Promise<Profile["games"][number] | undefined> {
  if (!me.player) return undefined;
  try {
    return (await server.profile(me.player)).games.find((g) => g.game === name);
  } catch {
    return undefined; // the board is there without it
  }
}

function show(games: GameInfo[], { players: first, rules }: LeaderboardPage, own?: Profile["games"][number]): void {
  const title = games.find((g) => g.name === name)?.title ?? name;
  document.title = `${title} leaderboard · Roomring`;
  const body = h("tbody", {}, ...first.map(row));
  const more: HTMLButtonElement = button("More", () => void busy(more, () => next(body, more)));
  more.hidden = after === undefined;
  slot.replaceChildren(
    h("div", { class: "page-head" }, h("div", { class: `page-art art-${name}` }, picture(name)), h("h1", { class: "page-title" }, `${title} leaderboard`)),
    h("nav", { class: "tabs", "aria-label": "Games" }, ...games.filter((g) => g.rated || g.name === name).map((g) => h("a", { href: `${base}/leaderboards/${g.name}`, "aria-current": g.name === name && "page" }, g.title || g.name))),
    h("div", { class: "hint board-words" },
      h("p", { "data-testid": "board-rules" }, rulesWords(rules)),
      own?.listed ? undefined : h("p", { "data-testid": "board-own" }, ownWords(rules, own?.rated ?? 0))),
    first.length === 0
      ? h("p", { class: "empty panel" }, rules.games === 1 ? "Nobody has a rating yet. The first rated game makes two." : `Nobody has ${rules.games} rated games yet.`)
      : h("div", { class: "panel table-scroll", tabindex: 0, role: "region", "aria-label": "Standings" }, h("table", { class: "list standings" },
        h("thead", {}, h("tr", {}, th("#"), th("Player"), th("Rating", "number"), th("Games", "number"), th("W", "number wide", "Wins"), th("D", "number wide", "Draws"), th("L", "number wide", "Losses"))),
        body)),
    more);
}

function rulesWords(rules: RatingRules): string {
  const asked = [
    rules.acts > 0 ? `each player acts ${count(rules.acts, "time")} or more` : "",
    rules.seconds > 0 ? `it lasts ${duration(1000 * rules.seconds)} or more` : "",
    rules.per_opponent > 0 ? `its players have not had ${count(rules.per_opponent, "rated game")} with each other in the last 24 hours` : "",
    rules.guests ? "" : "no guest plays",
  ].filter(Boolean);
  const shown = rules.games > 1 ? `Here stands who has ${rules.games} rated games. ` : "";
  return shown + (asked.length > 0 ? `A game is rated if ${list.format(asked)}.` : "");
}

/** Why who looks at the page does not stand on it. */
function ownWords(rules: RatingRules, rated: number): string {
  if (!rules.guests) return "You play as a guest here, and games with guests are not rated.";
  return `You have ${Math.min(rated, rules.games)} of ${count(rules.games, "rated game")}.`;
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
