// Elements without HTML strings: text goes in as text, so a player's name can never become markup.

type Value = string | number | boolean | undefined | ((e: never) => void);
type Attributes = Record<string, Value>;
export type Child = Node | string | undefined;

/** An HTML element. A function is a listener for the event that its name says, false and undefined leave an attribute out. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  return furnish(document.createElement(tag), attributes, children);
}

/** An SVG element, by the rules of {@link h}. */
export function svg<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): SVGElementTagNameMap[K] {
  return furnish(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function furnish<E extends Element>(el: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") el.addEventListener(name, value as EventListener);
    else set(el, name, value);
  }
  el.append(...children.filter((c): c is Node | string => c !== undefined));
  return el;
}

/** Sets an attribute, or removes it for false and undefined. It touches the page only where something changes. */
export function set(el: Element, name: string, value: string | number | boolean | undefined): void {
  if (value === undefined || value === false) el.removeAttribute(name);
  else {
    const text = value === true ? "" : String(value);
    if (el.getAttribute(name) !== text) el.setAttribute(name, text);
  }
}

/** Sets an element's text where it differs, so that a screen reader and a selection are not disturbed. */
export function text(el: Element, words: string): void {
  if (el.textContent !== words) el.textContent = words;
}

/**
 * Brings what an element holds up to date. Only what differs is replaced, so that what is under a pointer or has the focus
 * stays, and a click on it works. What looks the same must do the same: the listeners of the old one stay too.
 */
export function refill(el: Element, fresh: readonly Node[]): void {
  fresh.forEach((now, i) => {
    const old = el.childNodes[i];
    if (!old) el.append(now);
    else if (old.isEqualNode(now)) return;
    else if (old instanceof Element && now instanceof Element && old.cloneNode().isEqualNode(now.cloneNode())) refill(old, [...now.childNodes]);
    else old.replaceWith(now);
  });
  while (el.childNodes.length > fresh.length) el.lastChild!.remove();
}

/** Whether the person asked for less motion. */
export function still(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Calls f now and whenever the page's colours change between light and dark, by the system or by the shell's switch. */
export function onTheme(f: () => void): () => void {
  const media = matchMedia("(prefers-color-scheme: dark)");
  const watch = new MutationObserver(f);
  watch.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "class"] });
  media.addEventListener("change", f);
  f();
  return () => {
    watch.disconnect();
    media.removeEventListener("change", f);
  };
}

let lastID = 0;

/** An id for an element that another one points to. */
export function uniqueID(prefix: string): string {
  return `${prefix}-${++lastID}`;
}
