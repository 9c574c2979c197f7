import { h, uniqueID } from "./dom.ts";

/** A labelled choice of one of several values. */
export function choose<T>(label: string, name: string, values: readonly (readonly [string, T])[], chosen = 0): { el: HTMLElement; value: () => T; input: HTMLSelectElement } {
  const id = uniqueID(name);
  const input = h("select", { id, name, "data-option": name }, ...values.map(([words], i) => h("option", { value: i, selected: i === chosen }, words)));
  return { el: h("p", { class: "field" }, h("label", { for: id }, label), input), value: () => values[input.selectedIndex]![1], input };
}

/** A labelled switch. */
export function check(label: string, name: string, on: boolean): { el: HTMLElement; value: () => boolean } {
  const id = uniqueID(name);
  const input = h("input", { id, name, type: "checkbox", checked: on, "data-option": name });
  return { el: h("p", { class: "field field-check" }, input, h("label", { for: id }, label)), value: () => input.checked };
}

/** Options without those that are as they are anyway, so that rooms made by hand and by quick match are alike. */
export function unlike<T extends object>(usual: Partial<T>, chosen: T): Partial<T> {
  return Object.fromEntries(Object.entries(chosen).filter(([name, value]) => value !== usual[name as keyof T])) as Partial<T>;
}

/** Whole numbers as choices that read as they are, with one for none. */
export function numbers(from: number, to: number, word: (n: number) => string = String): [string, number][] {
  return Array.from({ length: to - from + 1 }, (_, i) => [word(from + i), from + i]);
}
