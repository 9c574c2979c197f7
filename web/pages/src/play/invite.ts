import type { RoomInfo } from "roomring";
import { h, text } from "../games/dom.ts";
import { button } from "../kit/load.ts";
import { Sheet } from "../kit/sheet.ts";
import { shareLink } from "./head.ts";

/** What there is to do while players are missing: send the link, or come a second time oneself. */
export class Invite {
  private readonly link = h("input", { id: "invite-link", type: "text", readonly: true, "data-testid": "invite-link", focus: (e: FocusEvent) => (e.target as HTMLInputElement).select() });
  private readonly code = h("p", { class: "invite-code", "data-testid": "invite-code", hidden: true });
  private readonly title = h("h2", {});
  private readonly alone = h("a", { target: "_blank", rel: "noopener", "data-testid": "second-guest" }, "play both sides in a second tab");
  private readonly sheet: Sheet;
  private path = "";

  constructor() {
    const share = button("Send the link", () => void shareLink(this.path), "primary");
    share.dataset["testid"] = "invite-share";
    this.sheet = new Sheet("Invitation", "invite", this.title, [
      h("p", {}, "Who should play with you needs this link:"),
      h("p", { class: "inline-form" }, h("label", { for: "invite-link", class: "quiet" }, "Link to this table"), this.link),
      this.code,
      h("p", { class: "hint" }, "Nobody there? You can ", this.alone, " as another guest."),
    ], [h("p", { class: "actions" }, share)]);
  }

  show(info: RoomInfo, path: string, code: string | undefined): void {
    this.path = path;
    text(this.title, info.players < 2 ? "Waiting for somebody to play with" : "Waiting for more players");
    this.link.value = new URL(path, location.href).href;
    this.code.hidden = !code;
    this.code.replaceChildren("Or tell them the code: ", h("strong", {}, code ?? ""));
    this.alone.href = path + (path.includes("?") ? "&" : "?") + "as=new";
    this.sheet.shown = true;
  }

  hide(): void {
    this.sheet.shown = false;
  }
}
