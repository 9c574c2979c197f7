import { HTTPError } from "roomring";
import { h, text } from "./games/dom.ts";
import { fillBar } from "./kit/bar.ts";
import { count, duration, since } from "./kit/format.ts";
import { link, notice, sleep } from "./kit/load.ts";
import { failed } from "./kit/load.ts";
import { me, server } from "./kit/me.ts";
import { words } from "./kit/problem.ts";
import { ratedWords, resultCard } from "./kit/resultcard.ts";
import { Player } from "./results/player.ts";
import { fetchReplay, saveLog } from "./results/fetch.ts";
import { base, pathID } from "./kit/base.ts";

const id = pathID();
const slot = document.getElementById("result")!;
const replay = document.getElementById("replay")!;

fillBar();
void open();

async function open(): Promise<void> {
  try {
    if (await showResult()) await showReplay();
  } catch (err) {
    replay.hidden = true;
    slot.replaceChildren(err instanceof HTTPError && (err.status === 404 || err.status === 400)
      ? notice("missing", "There is no such game", "The link may be mistyped, or its result is not kept any more.", link("To the lobby", base + "/", "primary"))
      : failed(err, () => void open()));
  } finally {
    slot.removeAttribute("aria-busy");
  }
}

// Shows the result, and waits for it where the game has only just ended. It reports whether there is one.
async function showResult(): Promise<boolean> {
  for (;;) {
    const result = await server.result(id);
    if (result.status === "stored") {
      const title = (await server.games()).find((g) => g.name === result.game)?.title ?? result.game;
      text(document.getElementById("title")!, `${title}: result`);
      document.title = `${result.result.summary || "Result"} · ${title} · Roomring`;
      slot.replaceChildren(
        h("p", { class: "kicker" }, `${title} · ${since(result.stored)} · ${duration(result.duration_ms)}${result.rated ? ` · ${ratedWords(result)}` : ""}`),
        resultCard({ end: result.end, result: result.result }, { ...result, duration_ms: result.duration_ms }),
        h("p", { class: "actions" }, link("New game", base + "/", "primary"), result.rated ? link(`${title} leaderboard`, `${base}/leaderboards/${result.game}`) : h("span", {}),
          logLink()));
      return true;
    }
    if (result.phase !== "over") {
      replay.hidden = true;
      slot.replaceChildren(notice("live", "This game is still on", "Its result and replay will be here when it is over.", link("Watch it", `${base}/play/${id}?watch`, "primary"), link("To the lobby", base + "/")));
      return false;
    }
    text(slot, "The result is being stored…");
    await sleep(1000);
  }
}

// A plain link could not say who asks.
function logLink(): HTMLElement {
  const link = h("a", { class: "quiet-link", href: `${base}/v1/replays/${id}`, download: `${id}.replay` }, "Download the log");
  link.addEventListener("click", (e) => {
    if (!me.guest) return;
    e.preventDefault();
    saveLog(id).catch((err: unknown) => text(link, words(err)));
  });
  return link;
}

async function showReplay(): Promise<void> {
  const place = h("div", { class: "replay-slot", "aria-busy": "true" });
  replay.append(place);
  try {
    const recording = await fetchReplay(id, (turns) => text(place, `Loading the replay… ${count(turns, "turn")}`));
    place.replaceChildren();
    const [{ game: name }, games] = await Promise.all([server.result(id) as Promise<{ game: string }>, server.games()]);
    await new Player(place, recording, games.find((g) => g.name === name) ?? { name }).show();
  } catch (err) {
    place.replaceChildren(h("p", { class: "empty", "data-testid": "no-replay" }, words(err)));
  } finally {
    place.removeAttribute("aria-busy");
  }
}
