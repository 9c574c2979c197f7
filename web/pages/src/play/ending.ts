import type { Over, SeatInfo, StoredResult } from "roomring";
import { h, text } from "../games/dom.ts";
import { busy, button, link, sleep } from "../kit/load.ts";
import { me, server } from "../kit/me.ts";
import { Sheet } from "../kit/sheet.ts";
import { headline, outcomesOf } from "../kit/resultcard.ts";
import { say } from "../kit/toast.ts";
import { base } from "../kit/base.ts";

/** The card over a finished game: how it ended, and what can be done now. Who came where can be folded away. */
export class Ending {
  private readonly head = h("div", {});
  private readonly all = h("div", { "data-testid": "result-card" });
  private readonly agreed = h("p", { class: "hint", role: "status", "data-testid": "rematch-agreed" });
  private readonly again: HTMLButtonElement = button("Rematch", () => void this.agree(), "primary");
  private readonly sheet: Sheet;
  private over: Over | undefined;
  private seats: SeatInfo[] = [];
  private mayAgree = false;
  private mine = false;

  constructor(private readonly id: string, private readonly act: (action: unknown) => Promise<void>) {
    this.again.dataset["testid"] = "rematch";
    const replay = link("Replay", `${base}/results/${id}`);
    replay.dataset["testid"] = "replay-link";
    const lobby = link("New game", base + "/");
    lobby.dataset["testid"] = "new-game";
    this.sheet = new Sheet("Result", "ending", this.head, [this.all], [h("p", { class: "actions" }, this.again, replay, lobby), this.agreed]);
  }

  /** Shows how it ended, once. Players may agree to a rematch while the room is there. */
  show(over: Over, mayAgree: boolean): void {
    if (this.over) return;
    this.over = over;
    this.mayAgree = mayAgree;
    this.again.hidden = !mayAgree;
    this.draw();
    this.sheet.shown = true;
    say(`The game is over. ${over.result?.summary ?? over.reason ?? ""}`);
    void this.follow();
  }

  seated(seats: SeatInfo[]): void {
    this.seats = seats;
  }

  /** The room has been cleared away: nobody can agree any more. */
  closed(): void {
    this.again.hidden = true;
    if (this.mayAgree) text(this.agreed, "The table has been cleared. A new game can be made in the lobby.");
    this.mayAgree = false;
  }

  /** Who has agreed to a rematch; with its room, goes there. */
  rematch(e: { agreed?: string[]; room?: string } | undefined): void {
    if (e?.room) {
      text(this.agreed, "Everybody agrees. Off to the next game…");
      const query = new URLSearchParams(location.search);
      const watch = query.has("watch") ? "?watch" : "";
      location.assign(`${base}/play/${e.room}${watch}`);
      return;
    }
    const agreed = e?.agreed ?? [];
    this.mine = agreed.includes(me.player ?? "");
    text(this.again, this.mine ? "Take back" : agreed.length > 0 ? "Accept" : "Rematch");
    const names = agreed.filter((p) => p !== me.player).map((p) => this.seats.find((s) => s.player === p)?.name ?? p);
    const words = [this.mine ? "You want a rematch." : "", names.length > 0 ? `${names.join(", ")} ${names.length === 1 ? "wants" : "want"} a rematch.` : ""].filter(Boolean).join(" ");
    text(this.agreed, words + (this.mine && names.length === 0 ? " Waiting for the others." : ""));
  }

  private async agree(): Promise<void> {
    await busy(this.again, () => this.act({ rematch: !this.mine }).catch(() => undefined));
  }

  // Asks for the stored result, with its rating changes, until it is there.
  private async follow(): Promise<void> {
    for (let wait = 300; wait < 60_000; wait *= 1.6) {
      await sleep(wait);
      const result = await server.result(this.id).catch(() => undefined);
      if (result?.status === "stored") return this.draw(result);
    }
  }

  private draw(stored?: StoredResult): void {
    const end = stored ?? this.over!;
    this.head.replaceChildren(headline(end));
    this.all.dataset["end"] = end.end;
    this.all.replaceChildren(outcomesOf(end, stored));
  }
}
