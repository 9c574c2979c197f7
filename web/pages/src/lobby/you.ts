import { h, text } from "../games/dom.ts";
import { busy, button } from "../kit/load.ts";
import { me } from "../kit/me.ts";
import { words } from "../kit/problem.ts";
import { base } from "../kit/base.ts";

/** Who you are, and how to be somebody else. */
export function showYou(el: HTMLElement): void {
  const body = h("div", { class: "you" });
  el.append(body);
  const draw = (): void => body.replaceChildren(...(me.guest ? known(body, draw) : unknown()));
  me.onChange(draw);
  draw();
}

function known(el: HTMLElement, draw: () => void): Node[] {
  const guest = me.guest!;
  return [
    h("p", {}, "You play as ", h("strong", { "data-testid": "me-name" }, guest.name), me.second ? ", this tab's own guest." : "."),
    h("p", { class: "actions" },
      h("a", { class: "button", href: `${base}/players/${encodeURIComponent(guest.player)}`, "data-testid": "me-profile" }, "Your games"),
      me.second
        ? button("Be the first guest again", () => { me.beFirst(); location.assign(base + "/"); })
        : h("button", { type: "button", class: "button", "data-testid": "me-rename", click: () => rename(el, draw) }, "Change name")),
  ];
}

// A guest's name is part of who it is, so another name is another guest: said before, not after.
function rename(el: HTMLElement, draw: () => void): void {
  el.replaceChildren(
    ...naming("A new name makes a new guest: your ratings and games stay with the old one.", async (name) => { await me.renew(name); }),
    h("p", {}, button("Keep the old one", draw)));
  document.getElementById("name-input")?.focus();
}

function unknown(): Node[] {
  return naming("No account needed. Without a name, one is drawn for you.", async (name) => { await me.ensure(name); });
}

function naming(hint: string, done: (name: string) => Promise<void>): Node[] {
  const input = h("input", { id: "name-input", type: "text", maxlength: 64, autocomplete: "nickname", placeholder: "Your name", "data-testid": "name-input", "aria-describedby": "name-hint" });
  const problem = h("p", { class: "field-problem", role: "alert" });
  const submit = h("button", { type: "submit", class: "button", "data-testid": "name-button" }, "Use it");
  const form = h("form", { class: "inline-form" }, h("label", { for: "name-input", class: "quiet" }, "Your name"), input, submit);
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    void busy(submit, () => done(input.value).catch((err) => text(problem, words(err))));
  });
  return [form, problem, h("p", { class: "hint", id: "name-hint" }, hint)];
}
