import { h, refill } from "../games/dom.ts";
import { since } from "../kit/format.ts";
import { button } from "../kit/load.ts";
import { get, type Node, type Room } from "./api.ts";

interface Page { rooms: Room[]; next?: string; partial?: boolean }

/** The searchable, paged table of rooms. */
export class Rooms {
  private readonly search = h("input", { type: "text", id: "room-search", placeholder: "id, name or player", autocomplete: "off", "data-testid": "room-search", input: () => this.typed() });
  private readonly game = this.select("room-game", "Every game");
  private readonly phase = this.select("room-phase", "Every phase", ["waiting", "playing", "over"]);
  private readonly node = this.select("room-node", "Every node");
  private readonly body = h("tbody");
  private readonly note = h("p", { class: "hint", role: "status", "data-testid": "rooms-note" });
  private readonly back = button("First page", () => this.turn([]));
  private readonly more = button("Next page", () => this.next && this.turn([...this.pages, this.next]));
  private pages: string[] = []; // the after of each page so far
  private next: string | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asked = 0;

  constructor(slot: HTMLElement, private readonly trouble: (err: unknown) => void) {
    const labelled = (label: string, field: HTMLElement): HTMLElement => h("div", { class: "field" }, h("label", { for: field.id }, label), field);
    slot.replaceChildren(
      h("form", { class: "room-filters", submit: (e: Event) => e.preventDefault() },
        labelled("Search", this.search), labelled("Game", this.game), labelled("Phase", this.phase), labelled("Node", this.node)),
      h("div", { class: "table-scroll", tabindex: 0, role: "region", "aria-label": "Rooms" }, h("table", { class: "list" },
        h("thead", {}, h("tr", {}, ...["Room", "Game", "Phase", "Players", "Watching", "Node", "Standby", "Epoch", "Index", "Made", ""].map((w) => (w ? h("th", { scope: "col" }, w) : h("td"))))), this.body)),
      this.note, h("p", { class: "actions" }, this.back, this.more));
  }

  private select(id: string, all: string, values: string[] = []): HTMLSelectElement {
    return h("select", { id, "data-testid": id, change: () => this.turn([]) }, h("option", { value: "" }, all), ...values.map((v) => h("option", {}, v)));
  }

  private typed(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.turn([]), 200);
  }

  private turn(pages: string[]): void {
    this.pages = pages;
    void this.refresh();
  }

  /** Offers the nodes to filter by. */
  knows(nodes: Node[]): void {
    this.offer(this.node, nodes.map((n) => n.name));
  }

  private offer(select: HTMLSelectElement, values: string[]): void {
    const there = new Set([...select.options].map((o) => o.value));
    for (const v of new Set(values)) if (!there.has(v)) select.append(h("option", {}, v));
  }

  async refresh(): Promise<void> {
    const mine = ++this.asked;
    const q = new URLSearchParams({ limit: "50" });
    const fields = { search: this.search.value.trim(), game: this.game.value, phase: this.phase.value, node: this.node.value, after: this.pages.at(-1) ?? "" };
    for (const [name, value] of Object.entries(fields)) if (value) q.set(name, value);
    try {
      const page = await get<Page>(`/admin/v1/rooms?${q}`);
      if (mine === this.asked) this.show(page);
    } catch (err) {
      this.trouble(err);
    }
  }

  private show(page: Page): void {
    this.offer(this.game, page.rooms.map((r) => r.game));
    refill(this.body, page.rooms.map(row));
    this.next = page.next;
    this.more.hidden = !page.next;
    this.back.hidden = this.pages.length === 0;
    this.note.textContent = page.partial ? "A node did not answer in time: rooms may be missing." : page.rooms.length === 0 ? "No such rooms." : "";
  }
}

function row(r: Room): HTMLElement {
  return h("tr", { "data-testid": "room", "data-room": r.id },
    h("th", { scope: "row" }, h("a", { href: `#room=${r.id}` }, r.id), r.name ? ` ${r.name}` : undefined, r.private ? h("span", { class: "tag" }, "private") : undefined),
    ...[r.game, r.phase, `${r.players}/${r.max_players}`, String(r.spectators), r.node, r.standby ?? "", String(r.epoch), String(r.seq), r.created ? since(r.created) : ""].map((w) => h("td", {}, w)),
    h("td", {}, h("a", { href: `inspect/${r.id}`, "aria-label": `Inspect ${r.id}` }, "inspect")));
}
