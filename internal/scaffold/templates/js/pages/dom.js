// @ts-check

/**
 * An element with attributes and children. Text goes in as text, so nobody's name can become markup.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | number | boolean | undefined | ((e: Event) => void)>} attributes a function is a listener
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") el.addEventListener(name, value);
    else if (value !== undefined && value !== false) el.setAttribute(name, value === true ? "" : String(value));
  }
  el.append(...children);
  return el;
}

/**
 * Sets an element's text, if it differs.
 * @param {Element} el
 * @param {string} words
 */
export function text(el, words) {
  if (el.textContent !== words) el.textContent = words;
}

/**
 * A labelled choice for the form of a new room.
 * @template T
 * @param {string} label
 * @param {string} name
 * @param {(readonly [string, T])[]} values what to read, and what it stands for
 * @param {number} chosen
 */
export function choose(label, name, values, chosen = 0) {
  const id = `option-${name}`;
  const input = h("select", { id, name }, ...values.map(([words], i) => h("option", { value: i, selected: i === chosen }, words)));
  const el = h("p", { class: "field" }, h("label", { for: id }, label), input);
  return { el, value: () => /** @type {readonly [string, T]} */ (values[input.selectedIndex])[1] };
}

/**
 * The seconds that are left, counted down on the page.
 * @param {HTMLElement} el
 * @param {() => number | undefined} left milliseconds; undefined shows nothing
 * @returns {() => void} ends it
 */
export function countdown(el, left) {
  const draw = () => {
    const ms = left();
    text(el, ms === undefined ? "" : `${Math.max(0, Math.ceil(ms / 1000))} s`);
    el.toggleAttribute("data-low", ms !== undefined && ms < 6000);
  };
  draw();
  const timer = setInterval(draw, 250);
  return () => clearInterval(timer);
}
