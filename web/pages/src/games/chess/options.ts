import { check, choose, numbers } from "../form.ts";

const minutes = (initial: number, increment: number) => ({ initial_ms: initial * 60_000, increment_ms: increment * 1000 });

const times = [
  ["No clock", undefined],
  ["1 min · bullet", minutes(1, 0)],
  ["3 min + 2 s · blitz", minutes(3, 2)],
  ["5 min + 3 s · blitz", minutes(5, 3)],
  ["10 min + 5 s · rapid", minutes(10, 5)],
  ["30 min + 20 s · classical", minutes(30, 20)],
  ["3 days · by correspondence", minutes(3 * 24 * 60, 0)],
] as const;

const opponents: [string, number][] = [["A friend or anyone", 0], ...numbers(1, 3, (n) => `Computer · ${["easy", "medium", "hard"][n - 1]}`)];

const colours = [["By lot", undefined], ["White for who comes first", "first"], ["Black for who comes first", "second"]] as const;

const graces = [["After a minute", undefined], ["After an hour", 3_600_000], ["After a day", 86_400_000], ["After three days", 3 * 86_400_000]] as const;

/** The form for a new game of chess. */
export function options(el: HTMLElement): () => unknown {
  const opponent = choose("Opponent", "bot", opponents);
  const clock = choose<(typeof times)[number][1]>("Time", "clock", times, 4);
  const white = choose<(typeof colours)[number][1]>("Colours", "white", colours);
  const takeback = check("Moves may be taken back", "takeback", false);
  const grace = choose<(typeof graces)[number][1]>("Without a clock, who is away loses", "grace", graces);
  el.append(opponent.el, clock.el, grace.el, white.el, takeback.el);
  return () => ({
    ...(opponent.value() && { bot: opponent.value() }),
    ...(clock.value() ? { clock: clock.value() } : grace.value() && { grace_ms: grace.value() }),
    ...(white.value() && { white: white.value() }),
    ...(takeback.value() && { takeback: true }),
  });
}
