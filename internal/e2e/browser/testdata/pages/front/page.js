import { Roomring } from "../sdk/roomring.js";

const ring = new Roomring();
for (const game of await ring.games()) {
  const item = document.createElement("li");
  item.textContent = game.title;
  document.getElementById("games").append(item);
}
