import assert from "node:assert/strict";
import { test } from "node:test";
import { counts, faces, fewest, legal, nearest, suggest } from "../src/games/liarsdice/bids.ts";
import { remaining } from "../src/games/liarsdice/timer.ts";
import { bidsOf, seatOf, seatsFrom, type DiceView } from "../src/games/liarsdice/view.ts";
import { amount, bidWords, ordinal, revealWords, statusWords } from "../src/games/liarsdice/words.ts";

const player = (name: string) => ({ player: name.toLowerCase(), name, online: true, dice: 5 });

function view(v: Partial<DiceView> = {}): DiceView {
  return {
    status: "bidding", round: 1, players: { 0: player("Ann"), 2: player("Bob"), 5: player("Cem") }, turn: 0, total: 15, bids: {},
    options: { players: 6, dice: 5, wild_ones: true, spot_on: true, turn_ms: 30_000, reveal_ms: 8000, start_ms: 20_000, bots: 0 }, ...v,
  };
}

const standing = (count: number, face: number) => view({ bid: { seat: 2, count, face } });
const strict = (v: DiceView): DiceView => ({ ...v, options: { ...v.options, wild_ones: false } });

test("wild ones cannot be bid", () => {
  assert.deepEqual(faces(view()), [2, 3, 4, 5, 6]);
  assert.deepEqual(faces(strict(view())), [1, 2, 3, 4, 5, 6]);
  assert.ok(!legal(view(), { count: 1, face: 1 }));
  assert.ok(legal(strict(view()), { count: 1, face: 1 }));
});

test("a bid is more dice, or as many of a higher face", () => {
  const v = standing(4, 4);
  for (const [count, face, ok] of [[4, 4, false], [4, 3, false], [4, 5, true], [5, 2, true], [3, 6, false], [15, 6, true], [16, 6, false], [4.5, 5, false]] as const) {
    assert.equal(legal(v, { count, face }), ok, `${count} × ${face}`);
  }
  assert.deepEqual([fewest(v, 3), fewest(v, 4), fewest(v, 5)], [5, 5, 4]);
});

test("a wish becomes the nearest bid that is allowed", () => {
  assert.deepEqual(nearest(standing(4, 4), { count: 2, face: 3 }), { count: 5, face: 3 });
  assert.deepEqual(nearest(standing(4, 4), { count: 99, face: 6 }), { count: 15, face: 6 });
  assert.deepEqual(nearest(standing(4, 4), { count: NaN, face: 6 }), { count: 4, face: 6 });
  assert.equal(nearest(standing(15, 5), { count: 15, face: 4 }), undefined);
});

test("the suggestion is the lowest bid of what one holds most of", () => {
  assert.deepEqual(suggest({ ...standing(2, 5), mine: [3, 3, 5] }), { count: 3, face: 3 });
  assert.deepEqual(suggest({ ...standing(15, 4), mine: [3, 3, 3] }), { count: 15, face: 5 });
  assert.equal(suggest(standing(15, 6)), undefined);
});

test("wild ones count for every face", () => {
  assert.ok(counts(view(), 1, 5) && counts(view(), 5, 5) && !counts(view(), 4, 5));
  assert.ok(!counts(strict(view()), 1, 5));
});

test("seats go round the table from one's own", () => {
  assert.deepEqual(seatsFrom(view(), 2), [2, 5, 0]);
  assert.deepEqual(seatsFrom(view(), -1), [0, 2, 5]);
  assert.equal(seatOf(view(), "cem"), 5);
  assert.equal(seatOf(view(), undefined), -1);
});

test("bids are in order of their numbers", () => {
  const bid = (count: number) => ({ seat: 0, count, face: 2 });
  assert.deepEqual(bidsOf(view({ bids: { 10: bid(10), 2: bid(2), 1: bid(1) } })).map((b) => b.count), [1, 2, 10]);
});

test("words fit who reads them", () => {
  assert.deepEqual([amount(1, 6), amount(4, 5)], ["1 six", "4 fives"]);
  const bid = { seat: 2, count: 4, face: 5 };
  assert.equal(bidWords(view(), bid, 2), "You bid 4 fives");
  assert.equal(bidWords(view(), { ...bid, auto: true }, 0), "Bob bids 4 fives (time ran out)");
  assert.equal(statusWords(view(), 0), "Your turn");
  assert.equal(statusWords(view({ turn: 2 }), 0), "Bob is thinking");
  assert.deepEqual([1, 2, 3, 4].map(ordinal), ["1st", "2nd", "3rd", "4th"]);
});

test("a reveal says who called, what there was, who lost", () => {
  const r = { call: "liar" as const, by: 0, bid: { seat: 2, count: 4, face: 5 }, counted: 3, right: true, dice: {}, loser: 2, winner: -1, out: true };
  assert.deepEqual(revealWords(view(), r, 0), ["You call Bob a liar.", "The bid was 4 fives; there are 3.", "Bob loses the last die and is out."]);
  assert.deepEqual(revealWords(view(), { ...r, out: false, counted: 1 }, 2), ["Ann calls you a liar.", "The bid was 4 fives; there is 1.", "You lose a die."]);
  const spot = { ...r, call: "spot_on" as const, counted: 4, loser: -1, winner: 0 };
  assert.deepEqual(revealWords(view(), spot, 2), ["Ann says the bid is spot on.", "The bid was 4 fives; there are 4.", "Ann wins a die back."]);
  assert.equal(revealWords(view(), { ...r, counted: 0 }, 2)[1], "The bid was 4 fives; there are none.");
});

test("the wait runs to its deadline", () => {
  assert.equal(remaining(view({ deadline_ms: 5000 }), 2000), 3000);
  assert.equal(remaining(view({ deadline_ms: 5000 }), 9000), 0);
  assert.equal(remaining(view(), 0), undefined);
  assert.equal(remaining(view({ deadline_ms: 5000, status: "over" }), 0), undefined);
});
