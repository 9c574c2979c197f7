import { HTTPError, type GameInfo, type Profile } from "roomring";
import { h } from "./games/dom.ts";
import { fillBar } from "./kit/bar.ts";
import { count, ordinal, since } from "./kit/format.ts";
import { failed, link, notice } from "./kit/load.ts";
import { me, server } from "./kit/me.ts";
import { base, pathID } from "./kit/base.ts";

const id = pathID();
const slot = document.getElementById("profile")!;

fillBar();
void open();

async function open(): Promise<void> {
  try {
    const [profile, games] = await Promise.all([find(), server.games()]);
    if (!profile) return slot.replaceChildren(unknown());
    document.title = `${profile.name || profile.player} · Roomring`;
    slot.replaceChildren(...page(profile, new Map(games.map((g) => [g.name, g]))));
  } catch (err) {
    slot.replaceChildren(failed(err, () => void open()));
  } finally {
    slot.removeAttribute("aria-busy");
  }
}

async function find(): Promise<Profile | undefined> {
  try {
    return await server.profile(id);
  } catch (err) {
    if (err instanceof HTTPError && err.status === 404) return undefined;
    throw err;
  }
}

function unknown(): HTMLElement {
  return id === me.player
    ? notice("nothing", me.guest!.name, "You have not finished a game yet. When you have, your ratings and games are here.", link("Play something", base + "/", "primary"))
    : notice("missing", "Nothing is known of this player", "Who has finished a game stands here with it. This player has not, so far.", link("To the lobby", base + "/", "primary"));
}

function page(p: Profile, games: Map<string, GameInfo>): Node[] {
  const title = (name: string): string => games.get(name)?.title ?? name;
  return [
    h("h1", { class: "page-title", "data-testid": "profile-name" }, p.name || p.player, id === me.player ? h("span", { class: "tag" }, "you") : undefined),
    h("div", { class: "figures" }, ...p.games.map((g) => h("section", { class: "panel figure", "data-testid": "rating-row", "data-game": g.game },
      h("h2", {}, title(g.game)),
      h("p", { class: "figure-number" }, g.rating ? String(Math.round(g.rating.rating)) : "–", g.rating ? h("span", { class: "figure-spread", title: "How uncertain the rating is" }, `± ${Math.round(2 * g.rating.deviation)}`) : undefined),
      g.rating && !g.listed ? h("p", { class: "facts" }, `${count(g.rated, "rated game")}, not on the leaderboard yet`) : undefined,
      h("p", { class: "facts" }, `${count(g.games, "game")} · ${count(g.wins, "win")} · ${count(g.draws, "draw")} · ${count(g.losses, "loss", "losses")}`),
      h("p", {}, h("a", { href: `${base}/leaderboards/${g.game}` }, "Leaderboard"))))),
    h("section", { class: "panel", "aria-labelledby": "recent" },
      h("h2", { id: "recent" }, "Latest games"),
      p.recent.length === 0 ? h("p", { class: "empty" }, "None yet.") : h("ul", { class: "rooms" }, ...p.recent.map((g) =>
        h("li", { class: "room-row", "data-testid": "recent-row", "data-room": g.room },
          h("span", { class: "room-words" }, h("strong", {}, title(g.game)), h("span", { class: "room-detail" }, `${outcome(g)} · ${since(g.stored)}`)),
          h("a", { class: "button small", href: `${base}/results/${g.room}`, "aria-label": `Result and replay of ${title(g.game)}, ${since(g.stored)}` }, "Replay"))))),
  ];
}

function outcome(g: Profile["recent"][number]): string {
  if (g.end !== "finished") return g.end === "aborted" ? "broken off" : "closed";
  return `${ordinal(g.rank)} of ${g.players}`;
}
