import type { Final, GameResult, Outcome, StoredResult } from "roomring";
import { h } from "../games/dom.ts";
import { duration, ordinal, signed } from "./format.ts";
import { me } from "./me.ts";
import { sentence } from "./problem.ts";
import { base } from "./base.ts";

interface Ended {
  end: Final["end"];
  result?: GameResult | undefined;
  reason?: string | undefined;
}

/** How a game ended, as a headline over a table of its players. Rating changes are filled in when the store has them. */
export function resultCard(end: Ended, stored?: StoredResult): HTMLElement {
  return h("div", { class: "result", "data-testid": "result-card", "data-end": end.end }, headline(end), outcomesOf(end, stored));
}

/** How a game ended, in a sentence, and what that is for whoever looks at it. */
export function headline(end: Ended): HTMLElement {
  return h("div", { class: "result-head" }, h("h2", { class: "result-title", "data-testid": "result-summary" }, summary(end)), h("p", { class: "result-mine" }, mine(end.result?.outcomes ?? [])));
}

const unrated: Record<NonNullable<StoredResult["unrated"]>, string> = {
  guest: "a guest played",
  brief: "it was over too soon",
  repeat: "these players have had as many rated games with each other today as count",
};

/** Whether a game changed ratings, and why not. */
export function ratedWords(stored: StoredResult): string {
  if (stored.unrated) return `not rated: ${unrated[stored.unrated]}`;
  return stored.rated ? "rated" : "not rated";
}

/** Who came where in a game. */
export function outcomesOf(end: Ended, stored?: StoredResult): HTMLElement {
  const outcomes = end.result?.outcomes ?? [];
  return h("div", { class: "result-all" },
    outcomes.length > 0 ? players(outcomes, stored) : undefined,
    stored ? h("p", { class: "facts" }, [duration(stored.duration_ms), ratedWords(stored)].join(" · ")) : undefined);
}

function summary(end: Ended): string {
  const why = end.reason || end.result?.summary || end.result?.reason || "";
  switch (end.end) {
    case "finished":
      return end.result?.summary || "The game is over";
    case "aborted":
      return sentence(`The game was broken off${why ? `: ${why}` : ""}`);
    case "closed":
      return sentence(`The room was closed${why ? `: ${why}` : ""}`);
  }
}

function mine(outcomes: Outcome[]): string {
  const own = outcomes.find((o) => o.player === me.player);
  if (!own) return "";
  const shared = outcomes.filter((o) => o.rank === own.rank).length > 1;
  if (outcomes.length === 2) return shared ? "A draw." : own.rank === 1 ? "You won." : "You lost.";
  return outcomes.length > 2 ? `You came ${ordinal(own.rank)}${shared ? ", shared" : ""}.` : "";
}

function players(outcomes: Outcome[], stored?: StoredResult): HTMLElement {
  const changes = (stored?.ratings.length ?? 0) > 0;
  const scores = outcomes.some((o) => o.score !== undefined);
  const ranked = [...outcomes].sort((a, b) => a.rank - b.rank || a.seat - b.seat);
  return h("table", { class: "list result-players" },
    h("thead", { class: "quiet" }, h("tr", {}, ...["Place", "Player", ...(scores ? ["Score"] : []), ...(changes ? ["Rating"] : [])].map((t) => h("th", { scope: "col" }, t)))),
    h("tbody", {}, ...ranked.map((o) => h("tr", { "data-testid": "player-row", "data-player": o.player, "data-rank": o.rank },
      h("td", { class: "place" }, ordinal(o.rank)),
      h("th", { scope: "row" }, o.bot ? o.name : h("a", { href: `${base}/players/${encodeURIComponent(o.player)}` }, o.name || o.player), o.player === me.player ? h("span", { class: "tag" }, "you") : undefined, o.bot ? h("span", { class: "tag" }, "computer") : undefined),
      scores ? h("td", { class: "number" }, o.score === undefined ? "" : String(o.score)) : undefined,
      changes ? h("td", { class: "number", "data-testid": "rating-change" }, ...rating(o.player, stored!)) : undefined))));
}

function rating(player: string, stored: StoredResult): Node[] {
  const change = stored.ratings.find((r) => r.player === player);
  if (!change) return [];
  const by = Math.round(change.after.rating) - Math.round(change.before.rating);
  return [document.createTextNode(`${Math.round(change.after.rating)} `), h("span", { class: by > 0 ? "up" : by < 0 ? "down" : "" }, signed(by))];
}
