import { h, set, svg, text } from "../games/dom.ts";
import { me } from "./me.ts";
import { lasting } from "./store.ts";
import { base } from "./base.ts";

const themes = ["system", "light", "dark"] as const;
type Theme = (typeof themes)[number];

/** Fills the page's top bar: who plays, and light or dark. */
export function fillBar(): void {
  const bar = document.getElementById("bar")!;
  bar.append(h("nav", { class: "bar-right", "aria-label": "You and this page" }, who(), themeButton()));
}

function who(): HTMLElement {
  const link = h("a", { class: "who", "data-testid": "who" });
  const draw = (): void => {
    const guest = me.guest;
    link.hidden = !guest;
    set(link, "href", guest && `${base}/players/${encodeURIComponent(guest.player)}`);
    text(link, guest ? guest.name : "");
    if (guest && me.second) link.append(h("span", { class: "tag" }, "second guest"));
  };
  me.onChange(draw);
  draw();
  return link;
}

function themeButton(): HTMLElement {
  const button = h("button", { type: "button", class: "icon-button", "data-testid": "theme" });
  const draw = (): void => {
    const now = theme();
    set(button, "aria-label", `Colours: ${now}. Switch to ${next(now)}.`);
    set(button, "title", `Colours: ${now}`);
    button.replaceChildren(themeIcon(now));
  };
  button.addEventListener("click", () => {
    choose(next(theme()));
    draw();
  });
  draw();
  return button;
}

function theme(): Theme {
  const t = document.documentElement.dataset["theme"];
  return t === "light" || t === "dark" ? t : "system";
}

function next(t: Theme): Theme {
  return themes[(themes.indexOf(t) + 1) % themes.length]!;
}

function choose(t: Theme): void {
  if (t === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = t;
  lasting.set("roomring.theme", t === "system" ? undefined : t);
}

function themeIcon(t: Theme): SVGElement {
  const icon = svg("svg", { viewBox: "0 0 24 24", width: 20, height: 20, "aria-hidden": "true", class: "icon" });
  if (t === "light") icon.append(svg("circle", { cx: 12, cy: 12, r: 4.5 }), svg("path", { d: "M12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2" }));
  else if (t === "dark") icon.append(svg("path", { d: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z" }));
  else icon.append(svg("circle", { cx: 12, cy: 12, r: 8.5 }), svg("path", { class: "filled", d: "M12 3.5a8.5 8.5 0 0 1 0 17z" }));
  return icon;
}
