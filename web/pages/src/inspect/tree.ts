import { h, refill } from "../games/dom.ts";
import { places, type Against, type Place } from "./same.ts";

const openDepth = 4; // levels that stand open at first
const openMembers = 40; // more members than these are folded at first
const mostRows = 400; // members of one value that are shown

/** A JSON value as a tree that folds, with marks where it changed and where it differs from another. */
export class Tree {
  readonly el: HTMLElement;
  private readonly open = new Map<string, boolean>(); // as the person has set it, by path
  private value: unknown;
  private against: Against = {};

  constructor(label: string) {
    this.el = h("div", { class: "tree", tabindex: 0, role: "region", "aria-label": label });
    this.el.addEventListener("toggle", (e) => this.toggled(e.target as HTMLDetailsElement), true); // it does not bubble
  }

  show(value: unknown, against: Against): void {
    this.value = value;
    this.against = against;
    this.draw();
  }

  private draw(): void {
    const root: Place = { key: "", path: "", value: this.value, before: this.against.before?.value, other: this.against.other?.value, gone: false, changed: false, differs: false };
    refill(this.el, isBranch(this.value) ? this.members(root, 0) : [this.leaf({ ...root, ...rootMarks(this.value, this.against) })]);
  }

  private members(of: Place, depth: number): HTMLElement[] {
    const all = places(of.value, of.path, of.gone ? {} : { before: this.against.before && { value: of.before }, other: this.against.other && { value: of.other } });
    const rows = all.slice(0, mostRows).map((p) => (isBranch(p.value) ? this.branch(p, depth) : this.leaf(p)));
    if (all.length > mostRows) rows.push(h("div", { class: "tree-row hint" }, `… and ${all.length - mostRows} more`));
    if (all.length === 0) rows.push(h("div", { class: "tree-row hint" }, Array.isArray(of.value) ? "[]" : "{}"));
    return rows;
  }

  private branch(p: Place, depth: number): HTMLElement {
    const size = Object.keys(p.value as object).length;
    const open = this.open.get(p.path) ?? (depth < openDepth && size <= openMembers);
    return h("details", { open, class: marks(p), "data-path": p.path },
      h("summary", {}, h("span", { class: "tree-key" }, p.key), h("span", { class: "tree-size" }, Array.isArray(p.value) ? ` [${size}]` : ` {${size}}`), ...signs(p)),
      ...(open ? this.members(p, depth + 1) : []));
  }

  private leaf(p: Place): HTMLElement {
    return h("div", { class: `tree-row ${marks(p)}`, "data-path": p.path },
      p.key === "" && p.path === "" ? undefined : h("span", { class: "tree-key" }, p.key), h("span", { class: `tree-${kind(p.value)}` }, JSON.stringify(p.value) ?? "nothing"), ...signs(p),
      p.changed && !p.gone && p.before !== undefined ? h("span", { class: "tree-was" }, ` was ${short(p.before)}`) : undefined);
  }

  private toggled(d: HTMLDetailsElement): void {
    const path = d.dataset["path"]!;
    const drawn = d.childElementCount > 1; // what is folded is not made
    if (d.open === drawn) return;
    this.open.set(path, d.open);
    this.draw();
  }
}

function rootMarks(value: unknown, against: Against): { changed: boolean; differs: boolean } {
  return { changed: against.before !== undefined && against.before.value !== value, differs: against.other !== undefined && against.other.value !== value };
}

function isBranch(v: unknown): boolean {
  return typeof v === "object" && v !== null;
}

function kind(v: unknown): string {
  return v === null ? "null" : typeof v;
}

function short(v: unknown): string {
  const text = JSON.stringify(v);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function marks(p: Place): string {
  return [p.changed && "is-changed", p.differs && "is-different", p.gone && "is-gone"].filter(Boolean).join(" ");
}

/** The marks as signs, because colour alone does not reach everybody. */
function signs(p: Place): HTMLElement[] {
  const sign = (what: string, text: string, words: string): HTMLElement => h("span", { class: `tree-sign sign-${what}`, title: words }, text, h("span", { class: "quiet" }, ` ${words}`));
  return [
    ...(p.gone ? [sign("changed", "−", "gone with this input")] : p.changed ? [sign("changed", p.before === undefined ? "+" : "•", p.before === undefined ? "new with this input" : "changed by this input")] : []),
    ...(p.differs ? [sign("different", "≠", "differs from the other view")] : [])];
}
