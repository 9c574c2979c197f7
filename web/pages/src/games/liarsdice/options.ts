import { check, choose, numbers, unlike } from "../form.ts";

const turns = [["15 seconds", 15_000], ["30 seconds", 30_000], ["1 minute", 60_000], ["5 minutes", 300_000]] as const;

const usual = { players: 6, bots: 0, dice: 5, turn_ms: 30_000, wild_ones: true, spot_on: true };

/** The form for a new game of liar's dice. */
export function options(el: HTMLElement): () => unknown {
  const players = choose("Seats at the table", "players", numbers(2, 6), 4);
  const bots = choose("Of these, computers", "bots", numbers(0, 5, (n) => (n === 0 ? "None" : String(n))));
  const dice = choose("Dice for each", "dice", numbers(1, 10), 4);
  const turn = choose<number>("Time for a turn", "turn_ms", turns, 1);
  const wild = check("Ones are wild", "wild_ones", true);
  const spotOn = check("An exact bid may be called", "spot_on", true);
  const limit = () => {
    for (const [i, option] of [...bots.input.options].entries()) option.disabled = i >= players.value();
    bots.input.selectedIndex = Math.min(bots.input.selectedIndex, players.value() - 1);
  };
  players.input.addEventListener("change", limit);
  el.append(players.el, bots.el, dice.el, turn.el, wild.el, spotOn.el);
  return () => unlike(usual, {
    players: players.value(), bots: bots.value(), dice: dice.value(), turn_ms: turn.value(), wild_ones: wild.value(), spot_on: spotOn.value(),
  });
}
