import { h } from "./dom.ts";
import { Centre, History } from "./liarsdice/centre.ts";
import { options } from "./liarsdice/options.ts";
import { Picker } from "./liarsdice/picker.ts";
import { Seats } from "./liarsdice/seats.ts";
import { Timer } from "./liarsdice/timer.ts";
import { bidsOf, seatOf, type DiceAction, type DiceView } from "./liarsdice/view.ts";
import { bidWords, revealWords } from "./liarsdice/words.ts";
import type { GameUI, Table } from "roomring";

/** Liar's dice: one's own dice, others' cups, bids and what was under the cups. */
const liarsdice: GameUI<DiceView, DiceAction> = {
  title: "Liar's dice",
  mount(el, table) {
    const timer = new Timer(() => table.roomTime());
    const [centre, seats, history] = [new Centre(timer.el), new Seats(), new History()];
    const act = table.act;
    const picker = act && new Picker((action) => act(action));
    const root = h("div", { class: "game dice" }, h("div", { class: "dice-main" }, centre.el, seats.el, picker?.el), history.el);
    el.replaceChildren(root);

    const show = (v: DiceView, before?: DiceView) => {
      if (!v?.status) return; // the first view is still on its way
      const me = seatOf(v, table.me.player);
      for (const part of [centre, seats, history]) part.show(v, me);
      picker?.show(v, me);
      timer.show(v);
      if (before?.status) announce(table, v, before, me);
    };
    const stop = table.onView(show);
    show(table.view());
    return () => {
      stop();
      timer.dispose();
      root.remove();
    };
  },
  options,
};

export default liarsdice;

function announce(table: Table<DiceView>, v: DiceView, before: DiceView, me: number): void {
  const said: string[] = [];
  const bid = bidsOf(v).at(-1);
  if (v.round !== before.round && v.mine) said.push(`Round ${v.round}. You hold ${v.mine.join(", ")}.`);
  if (v.reveal && !before.reveal) said.push(...revealWords(v, v.reveal, me));
  else if (bid && bid.seat !== me && bidsOf(v).length !== bidsOf(before).length) said.push(`${bidWords(v, bid, me)}.`);
  if (v.turn === me && me >= 0 && before.turn !== me) said.push("Your turn.");
  if (v.status === "over" && before.status !== "over" && v.result) said.push(v.result.summary);
  if (said.length > 0) table.say(said.join(" "));
}
