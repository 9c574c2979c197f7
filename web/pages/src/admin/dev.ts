import { h, refill } from "../games/dom.ts";
import { since } from "../kit/format.ts";
import { button } from "../kit/load.ts";
import { get, post } from "./api.ts";

/** How the program stands to its source. */
interface Rules {
  watching?: string;
  state: "running" | "building" | "broken" | "asking" | "restarting";
  message?: string;
  differ?: { room: string; game: string; why: string }[];
  rooms?: number;
}

/** The networks of players. */
interface Network {
  all: string;
  clients: { client: string; browser: string; seen: string; network: string; own: boolean }[];
}

/** Does something and says that it was done. */
type Dare = (work: () => Promise<void>, done: string) => void;

const states = {
  running: "What runs is what is written.", building: "A change is being compiled and tried.", broken: "The program before runs on.",
  asking: "The new rules play some rooms differently.", restarting: "The new program is starting.",
};

/** What `roomring dev` has for the developer: the program's source and the players' networks. */
export class DevPanel {
  private readonly rules = h("div", { class: "stack", "data-testid": "dev-rules" });
  private readonly networks = h("div", { class: "stack", "data-testid": "dev-networks" });
  private readonly form: HTMLFormElement;
  private readonly whose = h("select", { id: "dev-whose", name: "client" });

  constructor(private readonly section: HTMLElement, private readonly dare: Dare) {
    const field = (id: string, label: string, hint: string): HTMLElement =>
      h("div", { class: "field" }, h("label", { for: `dev-${id}` }, label), h("input", { id: `dev-${id}`, name: id, type: "text", placeholder: hint, autocomplete: "off", spellcheck: "false" }));
    this.form = h("form", { class: "dev-network", submit: (e: Event) => this.slow(e) },
      h("div", { class: "field" }, h("label", { for: "dev-whose" }, "Players"), this.whose),
      field("lag", "Lag of a round trip", "120ms±40"), field("loss", "Lost segments", "2%"), field("slow", "Bandwidth", "256kbit"),
      h("p", { class: "actions" }, h("button", { type: "submit", class: "button", "data-testid": "dev-slow" }, "Slow down"),
        button("As it is", () => this.usual())));
    section.append(h("div", { class: "dev-columns" }, h("div", { class: "stack" }, h("h3", {}, "Program"), this.rules), h("div", { class: "stack" }, h("h3", {}, "Network"), this.networks, this.form)));
  }

  /** Asks anew. Where no `roomring dev` runs the nodes, the panel is hidden. */
  async refresh(runs: boolean): Promise<void> {
    this.section.hidden = !runs;
    if (!runs) return;
    const [rules, network] = await Promise.all([get<Rules>("/admin/v1/dev/rules"), get<Network>("/admin/v1/dev/network")]);
    this.showRules(rules);
    this.showNetwork(network);
  }

  private showRules(r: Rules): void {
    const choose = (label: string, choice: string, done: string): HTMLElement => {
      const b = button(label, () => this.dare(() => post("/admin/v1/dev/rules", { choice }), done));
      b.dataset["testid"] = `dev-${choice}`;
      return b;
    };
    this.rules.dataset["state"] = r.state;
    refill(this.rules, [
      h("p", {}, r.watching ? `${states[r.state]} Source: ${r.watching}` : "Its source is not watched: run it by go run . dev."),
      ...(r.message ? [h("pre", { class: "room-state", tabindex: 0, "aria-label": "What the compiler says" }, r.message)] : []),
      ...(r.state !== "asking" ? [] : [
        h("p", {}, `${r.differ?.length ?? 0} of ${r.rooms ?? 0} rooms would be played differently:`),
        h("ul", { class: "facts" }, ...(r.differ ?? []).slice(0, 10).map((d) => h("li", {}, h("a", { href: `#room=${d.room}` }, d.room), ` (${d.game}): ${d.why}`))),
        h("p", { class: "actions" }, choose("Keep their state", "keep", "They go on from their present state."),
          choose("Start them over", "over", "They end, and others like them begin."), choose("Mend the rules", "mend", "The program before runs until the source changes.")),
      ]),
    ]);
  }

  private showNetwork(n: Network): void {
    refill(this.networks, [
      h("p", {}, `All players: ${n.all}.`),
      h("ul", { class: "facts" }, ...n.clients.map((c) => h("li", {}, `${name(c)}: ${c.network}${c.own ? ", of its own" : ""}; heard of ${since(c.seen)}`))),
    ]);
    const chosen = this.whose.value;
    refill(this.whose, [h("option", { value: "" }, "All"), ...n.clients.map((c) => h("option", { value: c.client }, name(c)))]);
    this.whose.value = n.clients.some((c) => c.client === chosen) ? chosen : "";
  }

  private slow(e: Event): void {
    e.preventDefault();
    const set = Object.fromEntries(new FormData(this.form));
    this.dare(() => post("/admin/v1/dev/network", set), "The network is slower.");
  }

  private usual(): void {
    this.form.querySelectorAll("input").forEach((input) => (input.value = ""));
    const client = this.whose.value;
    this.dare(() => post("/admin/v1/dev/network", { client, usual: client !== "" }), "The network is as it is.");
  }
}

const name = (c: Network["clients"][number]): string => `${c.browser} ${c.client.slice(0, 4).toLowerCase()}`;
