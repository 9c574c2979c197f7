// Eight hues that colour-blind people tell apart (after Okabe and Ito); further snakes wear them with stripes or dots.
const hues = ["#e69f00", "#56b4e9", "#009e73", "#d55e00", "#cc79a7", "#0072b2", "#f0e442", "#8f8f9c"];

export type Pattern = "plain" | "striped" | "dotted" | "lined";
const patterns: readonly Pattern[] = ["plain", "striped", "dotted", "lined"];

/** What a player's snake looks like. */
export function coat(number: string): { colour: string; pattern: Pattern } {
  const i = Math.max(0, Number(number) - 1) || 0;
  return { colour: hues[i % hues.length]!, pattern: patterns[Math.floor(i / hues.length) % patterns.length]! };
}

/** The colours of the field, taken from the page's style. */
export interface Ground {
  field: string;
  grid: string;
  wall: string;
  ink: string;
  food: string;
  treat: string;
}

export function ground(el: Element): Ground {
  const style = getComputedStyle(el);
  const of = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return { field: of("field"), grid: of("field-grid"), wall: of("field-wall"), ink: of("field-ink"), food: of("field-food"), treat: of("field-treat") };
}
