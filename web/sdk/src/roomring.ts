export * from "./types.js";
export * from "./errors.js";
export * from "./client.js";
export { patch } from "./patch.js";
