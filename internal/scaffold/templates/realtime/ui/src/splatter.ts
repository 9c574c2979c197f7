import type { GameUI, Table } from "roomring";
import type { SplatterAction, SplatterView } from "../../pages/types/splatter.ts";
import { choose, h, text } from "./dom.ts";

const paints = ["#d9542b", "#2b7fd9", "#3a9d4e", "#9a4fc4"];
const steps: Record<string, readonly [number, number]> = { up: [0, -1], down: [0, 1], left: [-1, 0], right: [1, 0] };
const keys: Record<string, "up" | "down" | "left" | "right"> = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right", w: "up", s: "down", a: "left", d: "right" };

export default {
  title: "Splatter",

  mount(el, table) {
    const status = h("p", { class: "splat-status", role: "status" });
    const clock = h("span", { class: "splat-clock" });
    const scores = h("ul", { class: "splat-scores" });
    const canvas = h("canvas", { class: "splat-field", tabindex: 0, role: "img", "aria-label": "The field" });
    const mine = h("button", { class: "splat-button", click: () => act({ mine: true }) });
    const pad = h("div", { class: "splat-pad" },
      ...((["up", "left", "right", "down"] as const)).map((way) => h("button", { class: `splat-button splat-${way}`, "aria-label": way, pointerdown: () => act({ turn: way }) }, { up: "↑", left: "←", right: "→", down: "↓" }[way])),
      mine);
    pad.hidden = table.act === undefined;
    el.replaceChildren(h("div", { class: "splat" }, h("div", { class: "splat-head" }, status, clock), scores, canvas, pad));

    const act = (action: SplatterAction) => void table.act?.(action).catch(() => undefined); // the page says why

    let booms: {x: number, y: number, by: number, at: number}[] = [];
    let came = performance.now(); // when the newest view came
    let frame = 0;
    const draw = () => {
      frame = requestAnimationFrame(draw);
      const view = table.view();
      if (!view) return; // the first view is on its way
      booms = booms.filter((b) => performance.now() - b.at < 600);
      paint(canvas, view, table.live ? Math.min(1, ((performance.now() - came) * view.rate) / 1000) : 0, booms);
    };

    const show = (view: SplatterView | undefined) => {
      if (!view) return;
      came = performance.now();
      text(status, words(view, table));
      text(clock, view.status === "playing" || view.status === "starting" ? `${Math.ceil(view.left / view.rate)} s` : "");
      scores.replaceChildren(...view.runners.flatMap((r, seat) => r.player
        ? [h("li", { class: "splat-score", "data-seat": seat }, `${r.name}${seat === table.me.seat ? " (you)" : ""}`, h("strong", {}, String(r.painted)))] : []));
      text(mine, `Mine (${view.spare})`);
      mine.disabled = view.status !== "playing" || view.spare === 0;
    };

    const press = (e: KeyboardEvent) => {
      const on = (e.target as HTMLElement);
      if (e.ctrlKey || e.altKey || e.metaKey || on.closest("input, textarea, select, dialog")) return;
      const way = keys[e.key];
      const bomb = e.key === " " && !on.closest("button, a");
      if (!way && !bomb) return;
      e.preventDefault();
      if (!e.repeat) act(way ? { turn: way } : { mine: true });
    };
    if (table.act) addEventListener("keydown", press);
    show(table.view());
    draw();
    const stops = [
      table.onView(show),
      table.onEvent((e) => {
        if (e.name !== "boom") return;
        const [x, y] = e.data.at.split(",").map(Number);
        booms.push({ x, y, by: e.data.by, at: performance.now() });
        table.say(`${table.view()?.runners[e.data.by]?.name}'s mine goes off`);
      }),
    ];
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("keydown", press);
      stops.forEach((stop) => stop());
      el.replaceChildren();
    };
  },

  options(el) {
    const computers = choose("Computers", "computers", [["None", 0], ["One", 1], ["Two", 2], ["Three", 3]]);
    const seconds = choose("A round", "seconds", [["30 seconds", 30], ["1 minute", 60], ["3 minutes", 180]], 1);
    el.append(computers.el, seconds.el);
    return () => ({ ...(computers.value() !== 0 && { computers: computers.value() }), ...(seconds.value() !== 60 && { seconds: seconds.value() }) });
  },
} satisfies GameUI<SplatterView, SplatterAction>;

/** Draws the field. `ahead` is how far the next step has come, 0 to 1. */
function paint(canvas: HTMLCanvasElement, view: SplatterView, ahead: number, booms: {x: number, y: number, by: number, at: number}[]) {
  const size = Math.max(4, Math.floor((canvas.clientWidth * devicePixelRatio) / view.width));
  const [width, height] = [size * view.width, size * view.height];
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const c = canvas.getContext("2d");
  if (!c) return;
  const style = getComputedStyle(canvas);
  c.fillStyle = style.getPropertyValue("--field");
  c.fillRect(0, 0, width, height);
  for (const [at, seat] of Object.entries(view.cells)) {
    const [x = 0, y = 0] = at.split(",").map(Number);
    c.fillStyle = paints[seat] ?? "";
    c.globalAlpha = 0.55;
    c.fillRect(x * size, y * size, size, size);
  }
  c.globalAlpha = 1;
  c.fillStyle = style.color;
  for (const at of view.mines) {
    const [x = 0, y = 0] = String(at).split(",").map(Number);
    circle(c, (x + 0.5) * size, (y + 0.5) * size, size * 0.22);
  }
  for (const b of booms) {
    const age = (performance.now() - b.at) / 600;
    c.globalAlpha = 1 - age;
    c.fillStyle = paints[b.by] ?? "";
    circle(c, (b.x + 0.5) * size, (b.y + 0.5) * size, size * (1 + 2.5 * age));
  }
  c.globalAlpha = 1;
  view.runners.forEach((r, seat) => {
    if (!r.player) return;
    const moves = view.status === "playing" && !r.stunned ? ahead : 0;
    const [dx, dy] = steps[r.facing ?? ""] ?? [0, 0];
    const [x, y] = [(r.x + 0.5 + dx * moves) * size, (r.y + 0.5 + dy * moves) * size];
    c.fillStyle = style.color;
    circle(c, x, y, size * 0.62);
    c.fillStyle = r.stunned ? "#8a8a8a" : (paints[seat] ?? "");
    circle(c, x, y, size * 0.5);
  });
}

function circle(c: CanvasRenderingContext2D, x: number, y: number, radius: number) {
  c.beginPath();
  c.arc(x, y, radius, 0, 2 * Math.PI);
  c.fill();
}

/** What goes on, for people. */
function words(view: SplatterView, table: Table<SplatterView, SplatterAction>) {
  switch (view.status) {
    case "waiting":
      return "Waiting for another player";
    case "starting":
      return "Get ready";
    case "playing":
      return table.me.seat < 0 ? "A round is on" : "Paint! Arrows steer, space lays a mine";
    default:
      return view.winner === table.me.seat ? "You have won" : `${view.runners[view.winner]?.name} has won`;
  }
}
