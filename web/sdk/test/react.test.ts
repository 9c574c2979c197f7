import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Window } from "happy-dom";
import { act, createElement as h, StrictMode, useState, type FunctionComponent } from "react";
import { createRoot, type Root } from "react-dom/client";
import { renderToString } from "react-dom/server";
import type { Room } from "../src/types.js";
import { useRoom, useView, type RoomStatus, type Target } from "../src/roomring-react.js";
import { settle, state, turn, welcome, World } from "./fake.js";

let world: World;
let window: Window;
let root: Root;
beforeEach(() => {
  world = new World();
  window = new Window();
  Object.assign(globalThis, { window, document: window.document, IS_REACT_ACT_ENVIRONMENT: true });
  root = createRoot(window.document.body as never);
});
afterEach(async () => {
  await act(() => root.unmount());
  await world.clock.advance(1);
  world.end();
  Object.assign(globalThis, { window: undefined, document: undefined });
  await window.happyDOM.close();
});

const shown = () => window.document.body.textContent;
const render = (component: FunctionComponent) => act(() => root.render(h(StrictMode, null, h(component))));
const say = (f: () => void) => act(async () => {
  f();
  await settle();
});
const pass = (ms: number) => act(() => world.clock.advance(ms));

/** page makes a component that joins a target and shows its state, and what its view counts. */
function page(ring: ReturnType<World["ring"]>, target: Target | undefined, found: RoomStatus[] = []): FunctionComponent {
  return () => {
    const status = useRoom(ring, target);
    found.push(status);
    const n = useView(status.room, (view: { n: number }) => view.n);
    return h("p", null, `${status.state} ${n}${status.error ? " " + status.error : ""}`);
  };
}

async function open(view: unknown = { n: 0 }): Promise<void> {
  await pass(1);
  await say(() => {
    world.last.accept();
    world.last.say(welcome(), state(1, view));
  });
}

test("a component under StrictMode joins once, shows the view, and closes once", async () => {
  await render(page(world.ring(), "r1"));
  assert.equal(shown(), "connecting undefined");
  await open();
  assert.equal(shown(), "open 0");
  await say(() => world.last.say(turn(2, { n: 7 })));
  assert.equal(shown(), "open 7");
  assert.equal(world.sockets.length, 1);
  await act(() => root.render(null));
  await pass(1);
  assert.equal(world.sockets.length, 1);
  assert.equal(world.last.closed, 1000);
  assert.equal(world.last.count("leave"), 0);
  await pass(60_000);
  assert.deepEqual([world.sockets.length, world.clock.pending], [1, 0], "a component that is gone leaves sockets or timers");
});

test("a component that goes before the room is there leaves nothing behind", async () => {
  await render(page(world.ring(), "r1"));
  await act(() => root.render(null));
  await pass(60_000);
  assert.ok(world.sockets.every((s) => s.closed !== undefined), "a socket is left open");
  assert.equal(world.clock.pending, 0);
});

test("matchmaking is asked once", async () => {
  world.answers["POST /v1/matchmake"] = () => ({ body: { id: "r1" } });
  await render(page(world.ring({ token: "t" }), { game: "counter", options: { to: 3 } }));
  await open();
  assert.equal(shown(), "open 0");
  assert.deepEqual(world.requests.map((r) => [r.path, r.body.game, r.body.options]), [["/v1/matchmake", "counter", { to: 3 }]]);
});

test("another room replaces the first, and no target is waited for", async () => {
  const ring = world.ring();
  await render(page(ring, undefined));
  await pass(10);
  assert.equal(shown(), "connecting undefined");
  assert.equal(world.sockets.length, 0);
  let target = "r1";
  let again = () => {};
  const Page: FunctionComponent = () => {
    const status = useRoom(ring, target);
    const [, redo] = useState(0);
    again = () => redo((n) => n + 1);
    return h("p", null, `${status.state} ${status.room?.id}`);
  };
  await render(Page);
  await open();
  assert.equal(shown(), "open r1");
  const first = world.last;
  target = "r2";
  await act(() => again());
  assert.equal(shown(), "connecting undefined");
  await pass(1);
  assert.equal(first.closed, 1000);
  await say(() => {
    world.last.accept();
    world.last.say(welcome({ room: "r2" }), state(1, { n: 0 }));
  });
  assert.equal(shown(), "open r2");
  assert.equal(world.sockets.length, 2);
});

test("a loss, the end and a refusal are told", async () => {
  const found: RoomStatus[] = [];
  await render(page(world.ring(), "r1", found));
  await open();
  await say(() => world.last.lose(1006));
  assert.match(shown(), /^reconnecting 0/);
  assert.equal(found.at(-1)?.why?.code, 1006);
  await pass(1);
  await say(() => {
    world.last.accept();
    world.last.lose(4403, "kicked");
  });
  assert.match(shown(), /^closed 0 .*kicked/);

  await render(page(world.ring(), "r3"));
  await pass(1);
  await say(() => {
    world.last.accept();
    world.last.lose(4404, "no such room");
  });
  assert.match(shown(), /^closed undefined .*no such room/);
});

test("a selector renders only when what it picks has changed", async () => {
  const room = await world.join({ a: { n: 1 }, b: [1, 2] });
  const renders = { part: 0, made: 0 };
  const Part: FunctionComponent = () => {
    renders.part++;
    return h("i", null, useView(room, (v) => v.a)?.n);
  };
  const sums = (x: number[], y: number[]) => x.join() === y.join();
  const Made: FunctionComponent = () => {
    renders.made++;
    return h("b", null, useView(room, (v: any) => v.b.map((n: number) => n * 2), sums)?.join());
  };
  await act(() => root.render([h(Part, { key: 1 }), h(Made, { key: 2 })]));
  assert.equal(shown(), "12,4");
  await say(() => world.last.say(turn(2, { c: 1 })));
  assert.deepEqual(renders, { part: 1, made: 1 });
  await say(() => world.last.say(turn(3, { a: { n: 5 } })));
  assert.equal(shown(), "52,4");
  assert.deepEqual(renders, { part: 2, made: 1 });
  await say(() => world.last.say(turn(4, { b: [3] })));
  assert.equal(shown(), "56");
  assert.deepEqual(renders, { part: 2, made: 2 });
  await act(() => root.render(null));
  room.close();
});

test("the whole view follows the room that is given", async () => {
  const one: Room = await world.join({ n: 1 });
  const two: Room = await world.join({ n: 2 });
  const Whole: FunctionComponent<{ room: Room | undefined }> = ({ room }) => h("p", null, JSON.stringify(useView(room)));
  for (const [room, text] of [[undefined, ""], [one, `{"n":1}`], [two, `{"n":2}`]] as const) {
    await act(() => root.render(h(StrictMode, null, h(Whole, { room }))));
    assert.equal(shown(), text);
  }
  one.close();
  two.close();
});

test("on a server there is no socket, and the page says that it connects", async () => {
  assert.equal(renderToString(h(page(world.ring(), "r1"))), "<p>connecting undefined</p>");
  await world.clock.advance(1000);
  assert.equal(world.sockets.length, 0);
  assert.deepEqual(world.requests, []);
});
