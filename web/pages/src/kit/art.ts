// The games' pictures. They take their colours from the page's style sheet, by class.

const pawn = `<path d="M0-21a7 7 0 0 1 4.6 12.3L10 6h3v5h-26V6h3l5.400-14.700A7 7 0 0 1 0-21z"/>`;
const king = `<path d="M-2-34h4v5h5v4H2v5c10 0 15 7 11 15L9 8h4v5h-26V8h4L-13-5C-17-13-12-20-2-20v-5h-5v-4h5z"/>`;

const chess = `
  <g transform="translate(160 96) scale(1 .5) rotate(45)">
    ${Array.from({ length: 16 }, (_, i) => `<rect x="${(i % 4) * 44 - 88}" y="${Math.floor(i / 4) * 44 - 88}" width="44" height="44" class="${(i + Math.floor(i / 4)) % 2 ? "a-dark" : "a-light"}"/>`).join("")}
  </g>
  <g class="a-piece-light" transform="translate(160 104) scale(1.5)">${king}</g>
  <g class="a-piece-dark" transform="translate(98 88) scale(1.35)">${pawn}</g>
  <g class="a-piece-dark" transform="translate(222 88) scale(1.35)">${pawn}</g>
  <g class="a-piece-light" transform="translate(129 128) scale(1.35)">${pawn}</g>`;

const dots = Array.from({ length: 7 * 14 }, (_, i) => `<circle cx="${(i % 14) * 22 + 17}" cy="${Math.floor(i / 14) * 22 + 24}" r="1.500"/>`).join("");

const snakes = `
  <g class="a-faint">${dots}</g>
  <path class="a-snake a-one" d="M39 134V90a11 11 0 0 1 11-11h33a11 11 0 0 1 11 11v22a11 11 0 0 0 11 11h55"/>
  <path class="a-snake a-two" d="M281 46h-66a11 11 0 0 0-11 11v33a11 11 0 0 0 11 11h22a11 11 0 0 1 11 11v22"/>
  <path class="a-snake a-three" d="M61 35h66a11 11 0 0 1 11 11v11"/>
  <circle class="a-eye" cx="162" cy="120" r="2.600"/><circle class="a-eye" cx="278" cy="43" r="2.600"/><circle class="a-eye" cx="141" cy="59" r="2.600"/>
  <circle class="a-food" cx="193" cy="123" r="7"/><circle class="a-food" cx="292" cy="112" r="5"/><circle class="a-food" cx="105" cy="46" r="5"/>`;

const pips: Record<number, [number, number][]> = {
  2: [[-9, -9], [9, 9]],
  3: [[-10, -10], [0, 0], [10, 10]],
  5: [[-10, -10], [10, -10], [0, 0], [-10, 10], [10, 10]],
};

const die = (x: number, y: number, turn: number, n: number, kind: string): string =>
  `<g transform="translate(${x} ${y}) rotate(${turn})"><rect class="a-die ${kind}" x="-21" y="-21" width="42" height="42" rx="9"/>${pips[n]!.map(([px, py]) => `<circle class="a-pip" cx="${px}" cy="${py}" r="4.200"/>`).join("")}</g>`;

const liarsdice = `
  <ellipse class="a-shade" cx="160" cy="140" rx="120" ry="14"/>
  <g transform="rotate(-14 118 90)"><path class="a-cup" d="M82 36h72l12 96q-48 16-96 0z"/><ellipse class="a-cup-top" cx="118" cy="36" rx="36" ry="9"/><path class="a-cup-band" d="M76 84q42 13 84 0l1.500 12q-43.500 13-87 0z"/></g>
  ${die(206, 118, 12, 5, "")}${die(248, 96, -18, 3, "a-die-two")}${die(168, 128, -24, 2, "")}`;

const ring = `<circle class="a-ring" cx="160" cy="80" r="44"/><circle class="a-food" cx="160" cy="36" r="11"/><circle class="a-knot" cx="198" cy="102" r="11"/><circle class="a-knot" cx="122" cy="102" r="11"/>`;

const pictures: Record<string, string> = { chess, snakes, liarsdice };

/** A game's picture; it says nothing that its title does not. */
export function picture(game: string): SVGElement {
  const text = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 160" class="art" aria-hidden="true" preserveAspectRatio="xMidYMid slice">${pictures[game] ?? ring}</svg>`;
  return document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement as unknown as SVGElement, true);
}
