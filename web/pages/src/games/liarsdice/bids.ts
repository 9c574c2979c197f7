import type { DiceView } from "./view.ts";

export interface Choice {
  count: number;
  face: number;
}

/** The faces that can be bid: wild ones count as every face, and are none of their own. */
export function faces(v: DiceView): number[] {
  return v.options.wild_ones ? [2, 3, 4, 5, 6] : [1, 2, 3, 4, 5, 6];
}

/** The fewest dice of a face that are more than the standing bid. It may be more than there are. */
export function fewest(v: DiceView, face: number): number {
  if (!v.bid) return 1;
  return face > v.bid.face ? v.bid.count : v.bid.count + 1;
}

/** Whether a bid is allowed now. */
export function legal(v: DiceView, { count, face }: Choice): boolean {
  return Number.isInteger(count) && faces(v).includes(face) && count >= fewest(v, face) && count <= v.total;
}

/** The allowed bid of a face that is nearest to a wish; nothing if the face cannot be bid any more. */
export function nearest(v: DiceView, wish: Choice): Choice | undefined {
  const count = Math.min(v.total, Math.max(fewest(v, wish.face), wish.count || 0));
  return legal(v, { count, face: wish.face }) ? { count, face: wish.face } : undefined;
}

/** A bid to begin with: the face one holds most of, as low as it goes. */
export function suggest(v: DiceView): Choice | undefined {
  const held = (face: number) => (v.mine ?? []).filter((d) => d === face).length;
  const best = faces(v).filter((face) => fewest(v, face) <= v.total).sort((a, b) => held(b) - held(a) || fewest(v, a) - fewest(v, b) || a - b)[0];
  return best === undefined ? undefined : { count: fewest(v, best), face: best };
}

/** Whether a die counts for a bid's face. */
export function counts(v: DiceView, die: number, face: number): boolean {
  return die === face || (die === 1 && v.options.wild_ones);
}
