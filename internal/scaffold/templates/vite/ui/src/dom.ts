/**
 * An element with attributes and children. Text goes in as text, so nobody's name can become markup.
 * A function among the attributes is a listener.
 */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Record<string, string | number | boolean | undefined | ((e: Event) => void)> = {}, ...children: (Node | string)[]): HTMLElementTagNameMap[K] {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") el.addEventListener(name, value);
    else if (value !== undefined && value !== false) el.setAttribute(name, value === true ? "" : String(value));
  }
  el.append(...children);
  return el;
}

/** Sets an element's text, if it differs. */
export function text(el: Element, words: string) {
  if (el.textContent !== words) el.textContent = words;
}

/** A labelled choice for the form of a new room. `values` is what to read, and what it stands for. */
export function choose<T>(label: string, name: string, values: (readonly [string, T])[], chosen = 0) {
  const id = `option-${name}`;
  const input = h("select", { id, name }, ...values.map(([words], i) => h("option", { value: i, selected: i === chosen }, words)));
  const el = h("p", { class: "field" }, h("label", { for: id }, label), input);
  return { el, value: () => (values[input.selectedIndex] as readonly [string, T])[1] };
}

/**
 * The seconds that are left, counted down on the page.
 * `left` is milliseconds; undefined shows nothing.
 * It returns what ends it.
 */
export function countdown(el: HTMLElement, left: () => number | undefined): () => void {
  const draw = () => {
    const ms = left();
    text(el, ms === undefined ? "" : `${Math.max(0, Math.ceil(ms / 1000))} s`);
    el.toggleAttribute("data-low", ms !== undefined && ms < 6000);
  };
  draw();
  const timer = setInterval(draw, 250);
  return () => clearInterval(timer);
}
