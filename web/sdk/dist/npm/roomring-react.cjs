/* Roomring SDK. Apache-2.0. Made by "make generate". */
"use strict";
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};
var __copyProps = (to, from, except, desc) => {
  if (from && typeof from === "object" || typeof from === "function") {
    for (let key of __getOwnPropNames(from))
      if (!__hasOwnProp.call(to, key) && key !== except)
        __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
  }
  return to;
};
var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: true }), mod);

// src/roomring-react.ts
var roomring_react_exports = {};
__export(roomring_react_exports, {
  useRoom: () => useRoom,
  useView: () => useView
});
module.exports = __toCommonJS(roomring_react_exports);
var import_react = require("react");
var connecting = { state: "connecting" };
function useRoom(ring, target, o = {}) {
  const id = typeof target === "string" ? target : target && "id" in target ? target.id : void 0;
  const key = target && JSON.stringify([id ?? target, o.code, o.spectate]);
  const stay = (0, import_react.useRef)(void 0);
  const [seen, see] = (0, import_react.useState)({ status: connecting });
  (0, import_react.useEffect)(() => {
    if (!target || key === void 0) return;
    if (!stay.current?.return(ring, key)) stay.current = new Stay(ring, key, target, o, (of, status2) => see({ of, status: status2 }));
    const mine = stay.current;
    return () => mine.leaveSoon();
  }, [ring, key]);
  const status = seen.of?.is(ring, key) ? seen.status : connecting;
  return status;
}
var Stay = class {
  constructor(ring, key, target, o, see) {
    this.ring = ring;
    this.key = key;
    void this.#enter(target, o, (status) => this.#left.signal.aborted || see(this, status));
  }
  ring;
  key;
  #leaving;
  #left = new AbortController();
  is(ring, key) {
    return this.ring === ring && this.key === key && !this.#left.signal.aborted;
  }
  /** return takes back a leaveSoon, if this is the stay that is meant. */
  return(ring, key) {
    if (!this.is(ring, key)) return false;
    clearTimeout(this.#leaving);
    return true;
  }
  /** leaveSoon ends the stay, unless the component returns at once: StrictMode unmounts and mounts each to find what it leaves behind. */
  leaveSoon() {
    this.#leaving = setTimeout(() => this.#left.abort());
  }
  async #enter(target, o, see) {
    const { signal } = this.#left;
    try {
      const found = typeof target === "object" && !("id" in target) ? await this.ring.matchmake(target, { signal }) : target;
      const join = { code: o.code, signal };
      const room = await (o.spectate ? this.ring.spectate(found, join) : this.ring.join(found, join));
      signal.addEventListener("abort", () => room.close());
      if (signal.aborted) return room.close();
      const show = (state, why, error) => see({ room, state, ...why && { why }, ...error !== void 0 && { error } });
      room.on("state", (state, why) => state === "closed" || show(state, why));
      room.on("closed", (error) => show("closed", void 0, error));
      show(room.state);
    } catch (error) {
      see({ state: "closed", error });
    }
  }
};
function useView(room, select = whole, equal = Object.is) {
  const last = (0, import_react.useRef)(void 0);
  const subscribe = (0, import_react.useCallback)((changed) => room?.on("view", changed) ?? (() => {
  }), [room]);
  const snapshot = () => {
    if (!room) return void 0;
    const { view } = room;
    const was = last.current?.room === room ? last.current : void 0;
    if (was && was.view === view && was.select === select) return was.value;
    const value = select(view);
    const same = was !== void 0 && equal(was.value, value);
    last.current = { room, view, select, value: same ? was.value : value };
    return last.current.value;
  };
  return (0, import_react.useSyncExternalStore)(subscribe, snapshot, snapshot);
}
var whole = (view) => view;
//# sourceMappingURL=roomring-react.cjs.map
