import { h, set, text } from "../games/dom.ts";

const page = 200; // members that are shown at once
const openDepth = 3; // and how deep, at first
const openMembers = 40; // of what is open at first

/** Data as a tree whose branches fold, and that marks what the newest change has touched. */
export class Tree {
  readonly el: HTMLElement;
  private root: Row | undefined;
  private shown: unknown;
  private readonly marks = new Marks();

  constructor(label: string) {
    this.el = h("div", { class: "tree", role: "region", "aria-label": label, tabindex: 0, "data-testid": "tree" });
  }

  show(value: unknown): void {
    if (this.root && value === this.shown) return;
    this.shown = value;
    this.marks.begin(this.root !== undefined);
    if (this.root?.fits(value)) this.root.show(value);
    else {
      this.root = rowOf(undefined, value, 0, this.marks);
      this.el.replaceChildren(this.root.el);
    }
    this.marks.end();
  }
}

/** The elements that the newest change has touched. Two names take turns, so that a mark on the same element begins anew. */
class Marks {
  private old = new Set<Element>();
  private fresh = new Set<Element>();
  private on = false;
  private name = "a";

  begin(on: boolean): void {
    this.on = on;
    this.fresh = new Set();
    this.name = this.name === "a" ? "b" : "a";
  }

  touch(el: Element): void {
    if (!this.on) return;
    this.fresh.add(el);
    set(el, "data-changed", this.name);
  }

  end(): void {
    this.old.forEach((el) => this.fresh.has(el) || set(el, "data-changed", false));
    this.old = this.fresh;
    this.on = false; // what is unfolded by hand has not changed
  }
}

interface Row {
  readonly el: HTMLElement;
  /** Whether it can show a value, or another kind of row must. */
  fits(value: unknown): boolean;
  show(value: unknown): void;
}

function rowOf(key: string | undefined, value: unknown, depth: number, marks: Marks): Row {
  return isBranch(value) ? new Branch(key, value, depth, marks) : new Leaf(key, value, marks);
}

type Members = Record<string, unknown> | unknown[];

function isBranch(value: unknown): value is Members {
  return typeof value === "object" && value !== null;
}

class Leaf implements Row {
  readonly el: HTMLElement;
  private readonly value = h("span", { class: "tree-value" });

  constructor(key: string | undefined, value: unknown, private readonly marks: Marks) {
    this.el = h("div", { class: "tree-leaf", "data-key": key }, key === undefined ? undefined : h("span", { class: "tree-key" }, key), this.value);
    this.draw(value);
  }

  fits(value: unknown): boolean {
    return !isBranch(value);
  }

  show(value: unknown): void {
    const words = this.value.textContent;
    this.draw(value);
    if (this.value.textContent !== words) this.marks.touch(this.el);
  }

  private draw(value: unknown): void {
    set(this.value, "data-type", typeof value);
    text(this.value, value === undefined ? "nothing yet" : JSON.stringify(value));
  }
}

class Branch implements Row {
  readonly el: HTMLElement;
  private readonly count = h("span", { class: "tree-count" });
  private readonly list = h("ul");
  private readonly more = h("button", { type: "button", class: "button small", click: () => this.longer() });
  private readonly rows = new Map<string, { item: HTMLElement; row: Row }>();
  private readonly details: HTMLDetailsElement | undefined; // the whole view does not fold
  private limit = page;
  private filled: Members | undefined; // what the rows show

  constructor(key: string | undefined, private value: Members, private readonly depth: number, private readonly marks: Marks) {
    const body = h("div", {}, this.list, this.more);
    this.el = h("div", { class: "tree-branch", "data-key": key }, key === undefined ? body : undefined);
    if (key !== undefined) {
      const open = depth < openDepth && Object.keys(value).length <= openMembers;
      this.details = h("details", { open, toggle: () => this.fill() }, h("summary", {}, h("span", { class: "tree-key" }, key), this.count), body);
      this.el.append(this.details);
    }
    this.fill();
    this.tell();
  }

  fits(value: unknown): boolean {
    return isBranch(value) && Array.isArray(value) === Array.isArray(this.value);
  }

  show(value: Members): void {
    if (value === this.value) return;
    this.value = value;
    this.marks.touch(this.el);
    this.fill();
    this.tell();
  }

  private tell(): void {
    const n = Object.keys(this.value).length;
    text(this.count, Array.isArray(this.value) ? `[${n}]` : `{${n}}`);
  }

  // What is folded is drawn when it is unfolded.
  private fill(): void {
    if ((this.details && !this.details.open) || this.filled === this.value) return;
    this.filled = this.value;
    const all = Object.entries(this.value);
    const shown = all.slice(0, this.limit);
    const keys = new Set(shown.map(([key]) => key));
    for (const [key, { item }] of this.rows) if (!keys.has(key)) (item.remove(), this.rows.delete(key));
    shown.forEach(([key, v], i) => {
      const item = this.put(key, v);
      if (this.list.children[i] !== item) this.list.insertBefore(item, this.list.children[i] ?? null);
    });
    this.more.hidden = all.length <= shown.length;
    text(this.more, `${all.length - shown.length} more`);
  }

  private put(key: string, value: unknown): HTMLElement {
    const known = this.rows.get(key);
    if (known?.row.fits(value)) {
      known.row.show(value);
      return known.item;
    }
    const row = rowOf(key, value, this.depth + 1, this.marks);
    const item = known?.item ?? h("li");
    item.replaceChildren(row.el);
    this.rows.set(key, { item, row });
    if (this.list.isConnected) this.marks.touch(row.el); // else all of the branch is new
    return item;
  }

  private longer(): void {
    this.limit += page;
    this.filled = undefined;
    this.fill();
  }
}
