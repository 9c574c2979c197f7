import type { Bid, DiceView, Reveal } from "./view.ts";

const singular = ["", "one", "two", "three", "four", "five", "six"];
const plural = ["", "ones", "twos", "threes", "fours", "fives", "sixes"];

/** "4 fives", "1 six". */
export function amount(count: number, face: number): string {
  return `${count} ${(count === 1 ? singular : plural)[face] ?? face}`;
}

export function nameOf(v: DiceView, seat: number): string {
  return v.players[seat]?.name ?? `Seat ${seat + 1}`;
}

/** The name as a subject, and the verb that follows it. */
function subject(v: DiceView, seat: number, me: number, verb: [I: string, they: string]): string {
  return seat === me ? `You ${verb[0]}` : `${nameOf(v, seat)} ${verb[1]}`;
}

/** A bid as one hears it. */
export function bidWords(v: DiceView, bid: Bid, me: number): string {
  return `${subject(v, bid.seat, me, ["bid", "bids"])} ${amount(bid.count, bid.face)}${bid.auto ? " (time ran out)" : ""}`;
}

/** What a reveal showed, as sentences. */
export function revealWords(v: DiceView, r: Reveal, me: number): string[] {
  const called = r.call === "liar"
    ? `${subject(v, r.by, me, ["call", "calls"])} ${r.bid.seat === me ? "you" : nameOf(v, r.bid.seat)} a liar.`
    : `${subject(v, r.by, me, ["say", "says"])} the bid is spot on.`;
  const found = `The bid was ${amount(r.bid.count, r.bid.face)}; there ${r.counted === 1 ? "is" : "are"} ${r.counted || "none"}.`;
  return [called, found, outcome(v, r, me)].filter(Boolean);
}

function outcome(v: DiceView, r: Reveal, me: number): string {
  if (r.winner >= 0) return `${subject(v, r.winner, me, ["win", "wins"])} a die back.`;
  if (r.loser < 0) return r.right ? "Nobody loses a die." : "";
  const lost = subject(v, r.loser, me, ["lose", "loses"]);
  return r.out ? `${lost} the last die and ${r.loser === me ? "are" : "is"} out.` : `${lost} a die.`;
}

/** The state of play in one line. */
export function statusWords(v: DiceView, me: number): string {
  switch (v.status) {
    case "waiting": return waiting(v, me);
    case "bidding": return v.turn === me ? "Your turn" : `${nameOf(v, v.turn)} is thinking`;
    case "reveal": return "The cups are up";
    case "over": return v.result?.summary ?? "The game is over";
  }
}

function waiting(v: DiceView, me: number): string {
  const there = Object.keys(v.players).length;
  if (there < 2) return "Waiting for another player";
  return v.players[me] && !v.players[me].ready ? "Ready when you are" : "Waiting for the others to be ready";
}

const ordinals = ["", "1st", "2nd", "3rd"];

export function ordinal(rank: number): string {
  return ordinals[rank] ?? `${rank}th`;
}
