// @ts-check
/** @import { GameUI, Table } from "./types/roomring" */
/** @import { FandangoAction, FandangoView } from "./types/fandango" */
import { choose, countdown, h, text } from "./dom.js";

/** @type {Record<string, [string, string]>} */
const suits = { c: ["♣", "clubs"], d: ["♦", "diamonds"], h: ["♥", "hearts"], s: ["♠", "spades"] };
/** @type {Record<string, [string, string]>} */
const ranks = { a: ["A", "ace"], k: ["K", "king"], q: ["Q", "queen"], j: ["J", "jack"], t: ["10", "ten"] };

/** @type {GameUI<FandangoView, FandangoAction>} */
export default {
  title: "Fandango",

  mount(el, table) {
    const status = h("p", { class: "fan-status", role: "status" });
    const clock = h("span", { class: "fan-clock" });
    const places = h("ul", { class: "fan-places" });
    const stock = h("button", { class: "fan-card fan-back", click: () => act({ draw: true }) });
    const top = h("div", { class: "fan-top" });
    const suit = h("p", { class: "fan-suit" });
    const hand = h("div", { class: "fan-hand", role: "group", "aria-label": "Your hand" });
    const pass = h("button", { class: "fan-button", click: () => act({ pass: true }) }, "Pass");
    const wild = h("dialog", { class: "fan-wild", "aria-label": "Which suit?" });
    el.replaceChildren(h("div", { class: "fan" },
      h("div", { class: "fan-head" }, status, clock), places,
      h("div", { class: "fan-middle" }, stock, top, suit), hand, h("p", { class: "fan-buttons" }, pass), wild));

    /** @param {FandangoAction} action */
    const act = (action) => void table.act?.(action).catch(() => undefined); // the page says why

    /** @param {string} card */
    const play = (card) => {
      if (!card.startsWith("8")) return act({ play: card });
      wild.replaceChildren(h("p", {}, "Which suit is to be matched?"), h("p", { class: "fan-suits" },
        ...Object.entries(suits).map(([name, [sign, words]]) => h("button", {
          class: "fan-button", "data-suit": name, "aria-label": words, click: () => (wild.close(), act({ play: card, suit: name })),
        }, sign))));
      wild.showModal();
    };

    /** @param {FandangoView | undefined} view */
    const show = (view) => {
      if (!view) return; // the first view is on its way
      const mine = table.act !== undefined && view.status === "playing" && view.turn === table.me.seat;
      text(status, words(view, table));
      places.replaceChildren(...view.seats.map((seat, i) => place(view, i, i === table.me.seat)));
      stock.disabled = !mine || view.drawn;
      text(stock, view.status === "waiting" ? "" : String(view.stock));
      stock.setAttribute("aria-label", `Draw one of ${view.stock} cards`);
      top.replaceChildren(...(view.top ? [face(view.top)] : []));
      text(suit, view.suit && view.status === "playing" ? `${suits[view.suit]?.[0]} ${suits[view.suit]?.[1]}` : "");
      suit.dataset.suit = view.suit;
      hand.replaceChildren(...view.hand.map((card) => face(card, () => play(card), !mine || !matches(view, card))));
      pass.disabled = !mine || !view.drawn;
      pass.hidden = table.act === undefined || view.status !== "playing";
      if (!mine) wild.close();
    };
    show(table.view());
    const stops = [
      table.onView(show),
      table.onEvent((e) => {
        const who = table.view()?.seats[e.data.seat]?.name ?? "";
        if (e.name === "played") table.say(`${who} plays ${spoken(e.data.card)}`);
        if (e.name === "drew") table.say(`${who} draws`);
        if (e.name === "passed") table.say(`${who} passes`);
      }),
      countdown(clock, () => (table.view()?.status === "playing" ? table.view().ends_ms - table.roomTime() : undefined)),
    ];
    return () => {
      stops.forEach((stop) => stop());
      el.replaceChildren();
    };
  },

  options(el) {
    /** @type {[string, number][]} */
    const upToFour = [["One", 1], ["Two", 2], ["Three", 3], ["Four", 4]];
    const players = choose("People", "players", upToFour, 1);
    const computers = choose("Computers", "computers", [["None", 0], ["One", 1], ["Two", 2], ["Three", 3]]);
    const seconds = choose("Time for a turn", "seconds", [["15 seconds", 15], ["30 seconds", 30], ["2 minutes", 120]], 1);
    el.append(players.el, computers.el, seconds.el);
    return () => ({
      ...(players.value() !== 2 && { players: players.value() }),
      ...(computers.value() !== 0 && { computers: computers.value() }),
      ...(seconds.value() !== 30 && { seconds: seconds.value() }),
    });
  },
};

/**
 * A card face up: a button where it can be played.
 * @param {string} card
 * @param {() => void} [play]
 * @param {boolean} [disabled]
 */
function face(card, play, disabled = false) {
  const [rank, suit] = [card.slice(0, 1), card.slice(1)];
  const parts = [
    h("span", { class: "fan-name" }, spoken(card)),
    h("span", { "aria-hidden": "true" }, ranks[rank]?.[0] ?? rank),
    h("span", { "aria-hidden": "true" }, suits[suit]?.[0] ?? ""),
  ];
  const attributes = { class: "fan-card", "data-card": card, "data-suit": suit };
  return play ? h("button", { ...attributes, disabled, click: play }, ...parts) : h("div", attributes, ...parts);
}

/** @param {string} card */
function spoken(card) {
  const rank = card.slice(0, 1);
  return `${ranks[rank]?.[1] ?? rank} of ${suits[card.slice(1)]?.[1]}`;
}

/**
 * @param {FandangoView} view
 * @param {string} card
 */
function matches(view, card) {
  return card.startsWith("8") || card.slice(1) === view.suit || card.slice(0, 1) === view.top?.slice(0, 1);
}

/**
 * What everybody sees of a player.
 * @param {FandangoView} view
 * @param {number} seat
 * @param {boolean} me
 */
function place(view, seat, me) {
  const p = view.seats[seat];
  const name = p?.name ? p.name + (me ? " (you)" : "") : "A free place";
  return h("li", { class: "fan-place", "data-turn": view.status === "playing" && view.turn === seat },
    h("strong", {}, name),
    h("span", {}, p?.away ? "away, the computer plays on" : p?.cards === 1 ? "1 card" : `${p?.cards ?? 0} cards`),
    h("span", { class: "fan-left" }, ...(p?.hand ?? []).map((card) => face(card))));
}

/**
 * What goes on, for people.
 * @param {FandangoView} view
 * @param {Table<FandangoView, FandangoAction>} table
 */
function words(view, table) {
  const name = view.seats[view.turn]?.name ?? "";
  const me = view.turn === table.me.seat;
  if (view.status === "waiting") return "Waiting for players";
  if (view.status === "over") return me ? "You have won" : `${name} has won`;
  if (!me) return `${name}'s turn`;
  return view.drawn ? "Play a card, or pass" : "Play a card, or draw one";
}
