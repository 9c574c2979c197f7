// @ts-check
/** @import { GameUI, Table } from "./types/roomring" */
/** @import { SalvoAction, SalvoView } from "./types/salvo" */
import { choose, countdown, h, text } from "./dom.js";

/** @type {GameUI<SalvoView, SalvoAction>} */
export default {
  title: "Salvo",

  mount(el, table) {
    const clock = h("span", { class: "salvo-clock" });
    const status = h("p", { class: "salvo-status", role: "status" });
    const sea = (/** @type {number} */ seat) => new Sea(seat, (cell) => act({ fire: cell }));
    const seas = /** @type {const} */ ([sea(0), sea(1)]);
    const ready = h("button", { class: "salvo-primary", click: () => act({ ready: true }) }, "Ready");
    const shuffle = h("button", { click: () => act({ shuffle: true }) }, "Another fleet");
    const buttons = h("p", { class: "salvo-buttons" }, ready, shuffle);
    const mine = table.me.seat === 1 ? 1 : 0;
    el.replaceChildren(h("div", { class: "salvo" },
      h("div", { class: "salvo-top" }, status, clock),
      h("div", { class: "salvo-seas" }, seas[mine === 1 ? 0 : 1].el, seas[mine].el),
      buttons));

    /** @param {SalvoAction} action */
    const act = (action) => void table.act?.(action).catch(() => undefined); // the page says why

    /** @param {SalvoView | undefined} view */
    const show = (view) => {
      if (!view) return; // the first view is on its way
      const may = table.act !== undefined && view.status === "playing" && view.turn === table.me.seat;
      text(status, words(view, table));
      seas.forEach((sea, seat) => sea.show(view, seat === table.me.seat, may && seat !== table.me.seat));
      buttons.hidden = table.act === undefined || view.status !== "placing" || !!view.seas[table.me.seat]?.ready;
    };
    show(table.view());
    const stops = [
      table.onView(show),
      table.onEvent((e) => {
        if (e.name !== "shot") return;
        seas[1 - e.data.by]?.splash(e.data.cell);
        table.say(`${e.data.cell}: ${e.data.mark}`);
      }),
      countdown(clock, () => {
        const view = table.view();
        return view?.status === "playing" || view?.status === "placing" ? view.ends_ms - table.roomTime() : undefined;
      }),
    ];
    return () => {
      stops.forEach((stop) => stop());
      el.replaceChildren();
    };
  },

  options(el) {
    const other = choose("Against", "computer", [["Another player", false], ["The computer", true]]);
    const seconds = choose("Time for a shot", "seconds", [["15 seconds", 15], ["30 seconds", 30], ["2 minutes", 120]], 1);
    el.append(other.el, seconds.el);
    return () => ({ ...(other.value() && { computer: true }), ...(seconds.value() !== 30 && { seconds: seconds.value() }) });
  },
};

/** One player's sea: a grid of buttons. */
class Sea {
  /** @type {Map<string, HTMLButtonElement>} */
  cells = new Map();
  name = h("h2", { class: "salvo-name" });
  count = h("span", { class: "salvo-count" });
  grid = h("div", { class: "salvo-grid", role: "group", keydown: (e) => this.move(/** @type {KeyboardEvent} */ (e)) });
  el = h("section", { class: "salvo-sea" }, h("div", { class: "salvo-head" }, this.name, this.count), this.grid);

  /** @type {number} */
  seat;
  /** @type {(cell: string) => void} */
  fire;

  /**
   * @param {number} seat
   * @param {(cell: string) => void} fire
   */
  constructor(seat, fire) {
    this.seat = seat;
    this.fire = fire;
  }

  /**
   * @param {SalvoView} view
   * @param {boolean} own
   * @param {boolean} target whether a shot may be fired at it now
   */
  show(view, own, target) {
    const sea = view.seas[this.seat];
    if (this.cells.size === 0) this.draw(view.size);
    const name = own ? "Your sea" : sea?.name ? `${sea.name}'s sea` : "An empty sea";
    text(this.name, name);
    text(this.count, sea?.player ? `${sea.afloat} afloat` : "");
    this.grid.setAttribute("aria-label", name);
    this.el.toggleAttribute("data-target", target);
    this.el.toggleAttribute("data-own", own);
    for (const [cell, button] of this.cells) {
      const mark = sea?.marks[cell] ?? "";
      button.dataset.mark = mark;
      button.setAttribute("aria-label", `${cell} ${mark || "water"}`);
      button.disabled = !target || (mark !== "" && mark !== "ship");
    }
  }

  /** @param {number} size */
  draw(size) {
    for (let y = 1; y <= size; y++) {
      for (let x = 0; x < size; x++) {
        const cell = String.fromCharCode(97 + x) + y;
        const button = h("button", { class: "salvo-cell", "data-cell": cell, click: () => this.fire(cell) });
        this.cells.set(cell, button);
        this.grid.append(button);
      }
    }
  }

  /** @param {string} cell */
  splash(cell) {
    const button = this.cells.get(cell);
    button?.removeAttribute("data-new");
    requestAnimationFrame(() => button?.setAttribute("data-new", ""));
  }

  /**
   * Arrow keys go from cell to cell, past those that cannot be shot at.
   * @param {KeyboardEvent} e
   */
  move(e) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
    const from = /** @type {HTMLElement} */ (e.target).dataset.cell;
    if (!step || !from) return;
    e.preventDefault();
    let [x, y] = [from.charCodeAt(0), Number(from.slice(1))];
    for (;;) {
      x += step[0] ?? 0;
      y += step[1] ?? 0;
      const next = this.cells.get(String.fromCharCode(x) + y);
      if (!next) return;
      if (!next.disabled) return next.focus();
    }
  }
}

/**
 * What goes on, for people.
 * @param {SalvoView} view
 * @param {Table<SalvoView, SalvoAction>} table
 */
function words(view, table) {
  const name = view.seas[view.turn]?.name ?? "";
  const me = view.turn === table.me.seat;
  switch (view.status) {
    case "waiting":
      return "Waiting for another player";
    case "placing":
      return view.seas[table.me.seat]?.ready ? "Waiting until the other is ready" : "Is this fleet to your liking?";
    case "playing":
      return me ? "Your turn: choose a cell of the other sea" : `${name} aims`;
    default:
      return me ? "You have won" : `${name} has won`;
  }
}
