export * from "./types.js";
export type * from "./table.js";
export * from "./errors.js";
export * from "./client.js";
export { patch } from "./patch.js";
