export const table = "not the default export";
