import { events, file, get, make, post, Refused, type RoomEvent } from "./admin/api.ts";
import { h, set, text } from "./games/dom.ts";
import { ActForm } from "./inspect/act.ts";
import { showDetail } from "./inspect/detail.ts";
import { keepAsTest } from "./inspect/keep.ts";
import { LogList } from "./inspect/loglist.ts";
import { Pane } from "./inspect/pane.ts";
import type { Entry, Log, Moment, View } from "./inspect/types.ts";
import { fillBar } from "./kit/bar.ts";
import { base } from "./kit/base.ts";
import { busy, button, sleep } from "./kit/load.ts";
import { words } from "./kit/problem.ts";
import { toast } from "./kit/toast.ts";

const mostViewers = 8; // in one question
const pace = 250; // ms between two looks at a log that grows
const mostPause = 4000; // ms until the same is asked again

/** The inspector of one room: its log, and what it looked like behind any of its inputs. */
class Inspector {
  private readonly path: string;
  private readonly names = new Map<string, string>(); // of players who have or had a seat
  private readonly facts = h("p", { class: "facts", "data-testid": "facts" });
  private readonly trouble = h("p", { class: "admin-trouble", role: "status", "data-testid": "trouble", hidden: true });
  private readonly scrub = h("input", { type: "range", id: "scrub", min: 1, max: 1, step: 1, "data-testid": "scrub", input: () => this.go(Number(this.scrub.value)) });
  private readonly place = h("output", { for: "scrub", class: "inspect-place", "data-testid": "place" });
  private readonly live = h("input", { type: "checkbox", id: "follow", "data-testid": "follow", change: () => this.followed() });
  private readonly detail = h("section", { class: "panel", "data-testid": "detail" });
  private readonly made = h("p", { role: "status", class: "inspect-made", hidden: true, "data-testid": "made" });
  private readonly forkButton = this.action("Fork here", "fork", () => this.fork());
  private readonly list = new LogList((after, limit) => this.entries(after, limit), (i) => this.go(i, false), (p) => this.names.get(p) ?? p);
  private readonly panes = [
    new Pane("left", "Left", "whole", (seats) => (seats[0] ? `player:${seats[0].player}` : "whole"), () => void this.look()),
    new Pane("right", "Right", "spectator", (seats) => (seats[1] ? `player:${seats[1].player}` : "spectator"), () => void this.look())] as const;
  private readonly form = new ActForm((player, action) => this.act(player, action), () => this.offer());
  private log: Log | undefined;
  private index = 0; // that is shown, or asked for
  private following = true;
  private looking = false; // a question is under way
  private again = false; // and another is wanted after it
  private moment: Moment | undefined;
  private rebound: ReturnType<typeof setTimeout> | undefined;
  private naming: ReturnType<typeof setTimeout> | undefined;

  constructor(slot: HTMLElement, id: string) {
    this.path = `/admin/v1/rooms/${id}`;
    this.live.checked = true;
    const step = (label: string, words: string, to: () => number): HTMLElement => {
      const b = button(label, () => this.go(to()), "small");
      set(b, "aria-label", words);
      return b;
    };
    slot.replaceChildren(
      h("h1", {}, `Room ${id}`), this.facts, this.trouble,
      h("div", { class: "panel inspect-scrub" },
        h("div", { class: "inspect-steps" }, step("|◀", "First input", () => this.log?.first ?? 1), step("◀", "Input before", () => this.index - 1),
          step("▶", "Next input", () => this.index + 1), step("▶|", "Last input", () => this.log?.last ?? 1)),
        h("label", { for: "scrub", class: "quiet" }, "Index"), this.scrub, this.place,
        h("div", { class: "field-check" }, this.live, h("label", { for: "follow" }, "Follow")),
        h("p", { class: "actions" }, this.forkButton, this.action("Download as a test", "keep", () => this.keep()), h("a", { class: "button small", href: `${base}/admin/#room=${id}` }, "Back to the room"))),
      this.made,
      h("div", { class: "inspect-columns" },
        h("section", { class: "panel inspect-log", "aria-labelledby": "log-title" }, h("h2", { id: "log-title" }, "Log"), this.list.el),
        this.panes[0].el, this.panes[1].el),
      h("p", { class: "hint" }, "• changed by this input, + new, − gone, ≠ differs between the two views. The whole state is compared with no view."),
      h("div", { class: "inspect-below" }, this.detail, this.form.el));
    this.form.el.hidden = true;
    const asked = Number(/^#at=([0-9]+)$/.exec(location.hash)?.[1]);
    if (asked) [this.index, this.following, this.live.checked] = [asked, false, false];
    void this.follow();
  }

  private action(label: string, id: string, work: () => Promise<void>): HTMLButtonElement {
    const b = button(label, () => void busy(b, async () => {
      try {
        await work();
      } catch (err) {
        toast(words(err), "bad");
      }
    }), "small");
    b.dataset["testid"] = id;
    return b;
  }

  private async entries(after: number, limit: number): Promise<Entry[]> {
    return (await get<Log>(`${this.path}/log?after=${after}&limit=${limit}`)).entries;
  }

  /** Reads how far the log goes, again whenever the room tells of an input. */
  private async follow(): Promise<void> {
    const stop = new AbortController();
    for (;; await sleep(2000)) {
      try {
        await this.grow();
        if (this.log?.end) return;
        await events(`${this.path}/events`, (e) => this.heard(e), stop.signal);
      } catch (err) {
        if (!this.log) this.complain(err);
      }
    }
  }

  private heard(e: RoomEvent): void {
    if (e.type === "watching") return;
    this.rebound ??= setTimeout(() => {
      this.rebound = undefined;
      void this.grow().catch((err: unknown) => this.complain(err));
    }, pace);
  }

  private async grow(): Promise<void> {
    const log = await get<Log>(`${this.path}/log?limit=0`);
    this.log = log;
    text(this.facts, [log.game, `version ${log.version}`, log.name, log.fork_of && !log.name?.endsWith(log.fork_of) && `fork of ${log.fork_of}`, log.end ? `over: ${log.end}` : "live", `inputs ${log.first} to ${log.last}`].filter(Boolean).join(" · "));
    set(this.facts, "data-end", log.end ?? "");
    set(this.scrub, "min", log.first);
    set(this.scrub, "max", log.last);
    this.form.el.hidden = !log.dev_tools || log.end !== undefined;
    this.list.bounds(log.first, log.last);
    if (this.following || this.index > log.last) this.set(log.last);
    else if (this.index < log.first) this.set(log.first);
    else if (this.index !== this.moment?.index) this.set(this.index);
    this.placed();
  }

  /** Goes to an index, and follows the log no more unless that is its end. Who chooses an entry wants to see that one, even if it is the last. */
  private go(i: number, mayFollow = true): void {
    if (!this.log) return;
    const to = Math.min(this.log.last, Math.max(this.log.first, i));
    this.following = this.live.checked = mayFollow && to === this.log.last && this.log.end === undefined;
    this.set(to);
  }

  private followed(): void {
    this.following = this.live.checked;
    if (this.following && this.log) this.set(this.log.last);
  }

  private set(i: number): void {
    this.index = i;
    this.scrub.value = String(i);
    this.placed();
    this.list.mark(i);
    clearTimeout(this.naming);
    this.naming = setTimeout(() => this.address(), pace); // browsers bound how often an address may change
    void this.look();
  }

  /** Names the index in the page's address, so that it can be passed on. */
  private address(): void {
    const hash = this.following ? "" : `#at=${this.index}`;
    if (location.hash !== hash) history.replaceState(null, "", location.pathname + hash);
  }

  private placed(): void {
    text(this.place, `${this.index} of ${this.log?.last ?? this.index}`);
    set(this.scrub, "aria-valuetext", `input ${this.index} of ${this.log?.last ?? this.index}`);
  }

  /** Asks for the index that is wanted. While an answer is under way, only the newest wish is kept. */
  private async look(): Promise<void> {
    this.again = true;
    if (this.looking) return;
    this.looking = true;
    let pause = pace;
    while (this.again && this.index > 0) {
      this.again = false;
      const index = this.index;
      try {
        this.show(await get<Moment>(`${this.path}/at/${index}?${this.question()}`));
        this.trouble.hidden = true;
        pause = pace;
      } catch (err) {
        this.complain(err);
        if (err instanceof Refused && err.status === 503) { // the game has not been run that far yet, or the room is on its way
          await sleep(pause);
          pause = Math.min(2 * pause, mostPause);
          this.again = true;
        }
      }
    }
    this.looking = false;
  }

  private question(): string {
    const seats = (this.moment?.seats ?? []).map((s) => `player:${s.player}`);
    const all = new Set([...this.panes.map((p) => p.viewer), ...(this.form.player ? [`player:${this.form.player}`] : []), "spectator", ...seats]);
    return new URLSearchParams([["before", "true"], ...[...all].slice(0, mostViewers).map((v) => ["viewer", v])]).toString();
  }

  private show(m: Moment): void {
    const unknown = m.seats.some((s) => !this.names.has(s.player));
    for (const s of m.seats) this.names.set(s.player, s.name || s.player);
    if (unknown) this.list.renamed();
    this.moment = m;
    const view = (of: string): View | undefined => m.views.find((v) => v.viewer === of);
    const [left, right] = this.panes;
    for (const p of this.panes) p.seats(m.seats);
    this.form.seats(m.seats);
    if (unknown || this.panes.some((p) => !view(p.viewer))) {
      void this.look(); // now that it is known who has a seat
      return;
    }
    left.show(view(left.viewer), view(right.viewer));
    right.show(view(right.viewer), view(left.viewer));
    showDetail(this.detail, m);
    set(this.detail, "data-index", m.index);
    this.offer();
    this.forkButton.disabled = m.phase === "over";
  }

  private offer(): void {
    const m = this.moment;
    if (m) this.form.offer(m.index === this.log?.last ? m.views.find((v) => v.viewer === `player:${this.form.player}`)?.legal : undefined);
  }

  private async act(player: string, action: unknown): Promise<void> {
    await post(`${this.path}/act`, { player, action });
    await this.grow();
  }

  private async fork(): Promise<void> {
    const index = this.index;
    const room = await make<{ id: string; code: string; name: string }>(`${this.path}/fork`, { index });
    this.made.replaceChildren(h("a", { href: `${base}/admin/inspect/${room.id}`, "data-testid": "fork-link" }, `Room ${room.id}`),
      ` goes on from input ${index} of this one. Its players join by the code ${room.code}.`);
    this.made.hidden = false;
  }

  private async keep(): Promise<void> {
    keepAsTest(this.log?.game ?? "", await file(`${this.path}/log.replay?checked=true`));
  }

  private complain(err: unknown): void {
    text(this.trouble, words(err));
    this.trouble.hidden = false;
  }
}

fillBar();
new Inspector(document.getElementById("main")!, location.pathname.split("/").pop()!);
