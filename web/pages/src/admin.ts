import { confirm, get, post, type Aside, type DevNode, type Node, type Outbox, type Ring } from "./admin/api.ts";
import { DevPanel } from "./admin/dev.ts";
import { showKept } from "./admin/kept.ts";
import { Moves } from "./admin/moves.ts";
import { showNodes, type NodeAct } from "./admin/nodes.ts";
import { showOutbox } from "./admin/outbox.ts";
import { showRing } from "./admin/ring.ts";
import { RoomPanel } from "./admin/room.ts";
import { Rooms } from "./admin/rooms.ts";
import { fillBar } from "./kit/bar.ts";
import { sleep } from "./kit/load.ts";
import { words } from "./kit/problem.ts";
import { toast } from "./kit/toast.ts";

const slot = (id: string): HTMLElement => document.getElementById(id)!;
const trouble = slot("trouble");
const moves = new Moves(slot("moves"));
const development = new DevPanel(slot("dev"), (work, done) => void dared(work, done));
const rooms = new Rooms(slot("rooms"), troubled);
let runsNodes = false; // the server is `roomring dev`, which starts and ends nodes
let searched = ""; // the id whose place is marked
let drawn: Ring | undefined; // with its arcs
let panel: RoomPanel | undefined;

fillBar();
addEventListener("hashchange", open);
open();
void live();

async function live(): Promise<void> {
  for (;; await sleep(3000)) if (!document.hidden) await refresh();
}

async function refresh(): Promise<void> {
  try {
    const [{ nodes }, ring, dev, aside, outbox] = await Promise.all([
      get<{ nodes: Node[] }>("/admin/v1/nodes"), getRing(), get<DevNode[]>("/admin/v1/dev"), get<{ rooms: Aside[]; partial?: boolean }>("/admin/v1/set-aside"),
      get<Outbox>("/admin/v1/outbox?state=failed").catch(() => undefined)]); // the store may be away, and the rest is wanted all the more
    runsNodes = dev.length > 0;
    showNodes(slot("nodes"), nodes, dev, act, () => void dared(() => post("/admin/v1/dev/add", {}), "A node is starting."));
    moves.show(nodes);
    showRing(slot("ring"), ring, find);
    rooms.knows(nodes);
    showKept(slot("kept"), slot("kept-rooms"), nodes, aside);
    if (outbox) showOutbox(slot("outbox"), slot("outbox-events"), outbox, (id) => void dared(() => post(`/admin/v1/outbox/${id}/replay`, {}), "The event is sent again."));
    trouble.hidden = true;
    await Promise.all([rooms.refresh(), development.refresh(runsNodes)]);
  } catch (err) {
    troubled(err);
  }
}

/** The ring, whose many arcs are asked for only when the nodes have changed. */
async function getRing(): Promise<Ring> {
  const ring = await get<Ring>(`/admin/v1/ring${searched ? `?id=${encodeURIComponent(searched)}` : ""}`);
  if (!drawn || JSON.stringify(drawn.nodes) !== JSON.stringify(ring.nodes)) drawn = await get<Ring>("/admin/v1/ring?arcs=true");
  return { ...ring, nodes: drawn.nodes, arcs: drawn.arcs ?? [] };
}

function troubled(err: unknown): void {
  trouble.textContent = words(err);
  trouble.hidden = false;
}

function find(id: string): void {
  if (id !== "" && !/^[0-9a-hjkmnp-tv-z]{16}$/.test(id)) {
    toast("A room's id is 16 letters and digits.", "bad");
    return;
  }
  searched = id;
  void refresh();
}

const done = { drain: "gives its rooms away and stops", kill: "was killed", pause: "is paused", resume: "goes on", start: "is starting" };

const act: NodeAct = async (node, what) => {
  const warnings = { drain: "It gives its rooms away, tells its clients to reconnect, and stops.", kill: "The process ends at once, as in a crash." };
  if ((what === "drain" || what === "kill") && (await confirm(`${what === "drain" ? "Drain" : "Kill"} ${node}?`, warnings[what], what === "drain" ? "Drain" : "Kill")) === undefined) return;
  const run = runsNodes ? () => post(`/admin/v1/dev/${encodeURIComponent(node)}/${what}`, {}) : () => post("/admin/v1/drain", { node });
  await dared(run, `${node} ${done[what]}.`);
};

async function dared(work: () => Promise<void>, done: string): Promise<void> {
  try {
    await work();
    toast(done, "good");
    await refresh();
  } catch (err) {
    toast(words(err), "bad");
  }
}

/** Opens the room that the address names. */
function open(): void {
  panel?.end();
  panel = undefined;
  const id = /^#room=([0-9a-z]{16})$/.exec(location.hash)?.[1];
  if (id) panel = new RoomPanel(slot("room"), id);
  else slot("room").hidden = true;
}
