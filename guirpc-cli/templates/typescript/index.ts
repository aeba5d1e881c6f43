// Calls the service, and what its functions take and return. How to serve it is in `server.ts`.

export * from "./client.js";
export type * from "./types.js";
export * from "./runtime/index.js";
