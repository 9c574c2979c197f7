import { h } from "./dom.ts";
import { Controls } from "./snakes/controls.ts";
import { options } from "./snakes/options.ts";
import { Head, Overlay } from "./snakes/overlay.ts";
import { Scores } from "./snakes/scores.ts";
import { Stage } from "./snakes/stage.ts";
import { numberOf, type SnakesAction, type SnakesView } from "./snakes/view.ts";
import type { GameUI, Table } from "roomring";

/** Snakes: a field to steer on in real time, scores and rounds. */
const snakes: GameUI<SnakesView, SnakesAction> = {
  title: "Snakes",
  mount(el, table) {
    const stage = new Stage(table.me.player, () => table.roomTime());
    const [scores, overlay, head] = [new Scores(), new Overlay(), new Head()];
    const controls = table.act && new Controls(table, stage.el);
    stage.el.append(overlay.el);
    const hint = controls && h("p", { class: "snakes-hint" }, "Steer with the arrow keys or WASD, hold space to boost. Five points for who dies on you.");
    const root = h("div", { class: "game snakes" }, h("div", { class: "snakes-main" }, head.el, stage.el, controls?.el, hint), scores.el);
    el.replaceChildren(root);

    const show = (v: SnakesView, before?: SnakesView) => {
      if (!v?.phase) return; // the first view is still on its way
      stage.show(v);
      scores.show(v, table.me.player);
      overlay.show(v);
      head.show(v, table.me.player);
      if (before?.phase && v.phase !== before.phase) announce(table, v);
    };
    const stop = [table.onView(show), table.onEvent((e) => died(table, e))];
    show(table.view());
    return () => {
      stop.forEach((f) => f());
      controls?.dispose();
      stage.dispose();
      root.remove();
    };
  },
  options,
};

export default snakes;

function announce(table: Table<SnakesView>, v: SnakesView): void {
  const mine = numberOf(v, table.me.player);
  const points = mine === undefined ? "" : ` You have ${v.players[mine]!.points} points.`;
  if (v.phase === "ready") table.say(`Round ${v.round} of ${v.rounds} begins in ${v.left_s} seconds.`);
  if (v.phase === "playing") table.say("Go!");
  if (v.phase === "pause") table.say(`Round ${v.round} is over.${points}`);
  if (v.phase === "over") table.say(`The game is over.${points}`);
}

const causes: Record<string, string> = { wall: "hit the wall", self: "bit your own body", head_on: "met another head", left: "left" };

function died(table: Table<SnakesView>, e: { name: string; data?: { snake: number; cause: string; by?: number } }): void {
  const mine = numberOf(table.view(), table.me.player);
  if (e.name !== "died" || mine === undefined || !e.data) return;
  const name = (n: number | undefined) => table.view().players[String(n)]?.name ?? "a snake";
  if (String(e.data.snake) === mine) table.say(`You are out: you ${causes[e.data.cause] ?? `ran into ${name(e.data.by)}`}.`);
  else if (String(e.data.by) === mine) table.say(`${name(e.data.snake)} died on you: five points.`);
}
