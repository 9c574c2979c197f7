// Made by "make generate".
export * from "./roomring.cjs";
