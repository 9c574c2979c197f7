import { check, choose, numbers, unlike } from "../form.ts";

const fields = [["Small · 40 × 26", [40, 26]], ["Medium · 64 × 40", [64, 40]], ["Large · 96 × 60", [96, 60]]] as const;
const lengths = [["1 minute", 60], ["2 minutes", 120], ["5 minutes", 300]] as const;
const counts = [1, 3, 5, 10].map((n): [string, number] => [n === 1 ? "1 round" : `${n} rounds`, n]);

const usual = { bots: 0, walls: true, width: 64, height: 40, rounds: 3, round_s: 120 };

/** The form for a new game of snakes. */
export function options(el: HTMLElement): () => unknown {
  const bots = choose("Computer snakes", "bots", numbers(0, 12, (n) => (n === 0 ? "None" : String(n))));
  const field = choose<readonly [number, number]>("Field", "field", fields, 1);
  const rounds = choose("Rounds", "rounds", counts, 1);
  const length = choose<number>("A round lasts", "round_s", lengths, 1);
  const walls = check("Walls around the field", "walls", true);
  el.append(bots.el, field.el, rounds.el, length.el, walls.el);
  return () => unlike(usual, {
    bots: bots.value(), walls: walls.value(), width: field.value()[0], height: field.value()[1], rounds: rounds.value(), round_s: length.value(),
  });
}
