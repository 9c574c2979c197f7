import { h } from "../games/dom.ts";
import { button } from "../kit/load.ts";
import { ofTab } from "../kit/store.ts";
import { base } from "../kit/base.ts";

export interface NodeLink { peer: string; up: boolean; since?: string; rtt_ms: number; queued_bytes: number; reconnects: number; via?: string; error?: string }
export interface Node {
  name: string; boot: string; state: string; zone?: string; weight: number; share: number; version: string; games?: string[]; lacks?: string[]; started: string;
  rooms: number; sessions: number; remote: number; unready: string[]; held?: { room: string; game: string; why: string }[]; gossip_health: number; links: NodeLink[];
  copies?: { owned: number; lone: number; learners: number; lag_entries: number; lag_ms: number; followed: number; partial: number; unsure: number };
  taken?: { from: string; seized: number; yielded: number }[];
}
export interface Aside { node: string; key: number; room: string; reason: string; at: string; index: number; bytes: number }
export interface Outbox {
  events: { id: number; target: string; event: string; at: string; settled?: string; tries: number; error?: string }[];
  next?: number;
  targets: { target: string; waiting: number; delivered: number; failed: number; oldest_ms: number }[];
}
export interface Ring {
  nodes: { name: string; weight: number; zone?: string; share: number }[];
  arcs?: { from: number; to: number; node: string }[];
  where?: { id: string; place: number; nodes: string[]; node?: string; why: string };
}
export interface Seat { seat: number; player: string; name: string; online: boolean }
export interface Room {
  id: string; game: string; name?: string; private: boolean; code?: string; phase: string; seats: Seat[]; players: number; max_players: number;
  spectators: number; epoch: number; seq: number; node: string; standby?: string; created?: string;
}
export interface Session {
  player?: string; client: string; edge: string; spectator: boolean; cseq: number;
  queue: { messages: number; bytes: number; behind: boolean; lost: number; unanswered: number };
}
export interface Member { node: string; folder: string; whole: boolean; linked: boolean; lag_entries: number; lag_ms: number }
export interface Inspection extends Room {
  members?: { standby?: Member; learner?: Member; alone_ms?: number };
  ui?: string; style?: string;
  index: number; commit: number; time_ms: number; still?: string; late_ticks: number; as: string; state?: unknown; unavailable?: string;
  queues: { mailbox: number; pending: number; held: number; sessions: Session[] };
}
export interface RoomEvent {
  type: string; index?: number; commit?: number; kind?: string; at_ms?: number; player?: string; cseq?: number; bytes?: number; data?: string; code?: string; missed?: number; end?: string;
}
export interface DevNode { node: string; pid: number; state: "running" | "paused" | "stopped"; url: string; admin: string }

/** What the server answered in place of what was asked for. */
export class Refused extends Error {
  constructor(readonly status: number, detail: string) {
    super(detail);
  }
}

const key = "roomring.admin-token";
let asking: Promise<void> | undefined;

const patience = 8000; // ms; a node that was stopped (SIGSTOP) with the question under way answers never

/** Aborts when time is up, or when the signal does. */
function limited(signal?: AbortSignal | null): AbortSignal {
  const late = AbortSignal.timeout(patience);
  const either = new AbortController();
  late.addEventListener("abort", () => either.abort(new Error("The server does not answer.")), { once: true });
  if (signal?.aborted) either.abort(signal.reason);
  else signal?.addEventListener("abort", () => either.abort(signal.reason), { once: true, signal: late });
  return either.signal;
}

/** Sends a request, with the token that the operator gave this tab. Where it is wanted and missing, it asks for it. Only
 * a stream may take its time. */
async function send(path: string, init: RequestInit = {}, stream = false): Promise<Response> {
  for (;;) {
    const headers = new Headers(init.headers);
    const token = ofTab.get(key);
    if (token) headers.set("Authorization", `Bearer ${token}`);
    const res = await fetch(base + path, { ...init, headers, ...(stream ? {} : { signal: limited(init.signal) }) });
    if (res.ok) return res;
    if (res.status !== 401) throw new Refused(res.status, await detail(res));
    await (asking ??= askToken(token !== undefined).finally(() => (asking = undefined)));
  }
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const res = await send(path, signal ? { signal } : {});
  return (await res.json()) as T;
}

export async function post(path: string, body: unknown): Promise<void> {
  await posted(path, body);
}

/** Posts, and returns what was made. */
export async function make<T>(path: string, body: unknown): Promise<T> {
  return (await (await posted(path, body)).json()) as T;
}

function posted(path: string, body: unknown): Promise<Response> {
  return send(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

/** Fetches a file. */
export async function file(path: string): Promise<Blob> {
  return (await send(path)).blob();
}

async function detail(res: Response): Promise<string> {
  try {
    const p = (await res.json()) as { detail?: string; title?: string };
    return p.detail ?? p.title ?? res.statusText;
  } catch {
    return `${res.status} ${res.statusText}`;
  }
}

function askToken(wrong: boolean): Promise<void> {
  return new Promise((resolve) => {
    const field = h("input", { type: "password", id: "token", autocomplete: "off", "data-testid": "token" });
    const form = h("form", { class: "fields", method: "dialog" },
      h("div", { class: "field" }, h("label", { for: "token" }, "Admin token"), field),
      h("p", { class: "hint" }, wrong ? "That token is not the server's." : "The server was started with --admin-token-file. This tab keeps the token until it is closed."),
      h("p", { class: "actions" }, h("button", { class: "button primary", "data-testid": "token-ok" }, "Go on")));
    const dialog = h("dialog", { class: "dialog", "aria-labelledby": "token-title" }, h("h2", { id: "token-title" }, "Who are you?"), form);
    dialog.addEventListener("close", () => {
      ofTab.set(key, field.value.trim() || undefined);
      dialog.remove();
      resolve();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Asks whether something that cannot be undone shall be done. Undefined: no; else what was written into the field, if there is one. */
export function confirm(title: string, detail: string, yes: string, field?: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const input = field === undefined ? undefined : h("input", { type: "text", id: "confirm-field", "data-testid": "confirm-field" });
    const dialog = h("dialog", { class: "dialog", "aria-labelledby": "confirm-title", "data-testid": "confirm" },
      h("h2", { id: "confirm-title" }, title), h("p", {}, detail),
      input && h("div", { class: "field" }, h("label", { for: "confirm-field" }, field), input),
      h("p", { class: "actions" }, confirmButton(), button("Cancel", () => dialog.close())));
    function confirmButton(): HTMLElement {
      const b = button(yes, () => dialog.close("yes"), "primary");
      b.dataset["testid"] = "confirm-yes";
      return b;
    }
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes" ? (input?.value ?? "") : undefined);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Reads server-sent events by fetch, which can send the token where EventSource cannot. It ends with the stream. */
export async function events(path: string, each: (e: RoomEvent) => void, signal: AbortSignal): Promise<void> {
  const res = await send(path, { signal }, true);
  const reader = res.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const pieces = text.split("\n\n");
    text = pieces.pop()!;
    for (const piece of pieces) {
      const type = /^event: (.*)$/m.exec(piece)?.[1];
      const data = /^data: (.*)$/m.exec(piece)?.[1];
      if (type && data) each({ ...(JSON.parse(data) as Omit<RoomEvent, "type">), type });
    }
  }
}
