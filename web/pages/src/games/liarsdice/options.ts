import { check, choose, numbers } from "../form.ts";

const turns = [["15 seconds", 15_000], ["30 seconds", 30_000], ["1 minute", 60_000], ["5 minutes", 300_000]] as const;

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
  return () => ({
    players: players.value(), dice: dice.value(), turn_ms: turn.value(),
    ...(bots.value() && { bots: bots.value() }),
    ...(!wild.value() && { wild_ones: false }),
    ...(!spotOn.value() && { spot_on: false }),
  });
}
