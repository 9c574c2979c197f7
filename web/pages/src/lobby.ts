import { fillBar } from "./kit/bar.ts";
import { failed } from "./kit/load.ts";
import { server } from "./kit/me.ts";
import { showGames } from "./lobby/games.ts";
import { showJoin } from "./lobby/join.ts";
import { followRooms } from "./lobby/rooms.ts";
import { showYou } from "./lobby/you.ts";

fillBar();
showJoin(document.getElementById("join")!);
showYou(document.getElementById("you")!);
void open();

async function open(): Promise<void> {
  const el = document.getElementById("games")!;
  try {
    const games = await server.games();
    showGames(el, games);
    followRooms(document.getElementById("rooms")!, games);
  } catch (err) {
    el.replaceChildren(failed(err, () => void open()));
  } finally {
    el.removeAttribute("aria-busy");
  }
}
