// Serves the service: its functions in TypeScript, called by any of guirpc's clients.

import { document } from "./contract.js";
import type { Context } from "./runtime/server/dispatch.js";
import { start, type ServeOptions, type Server } from "./runtime/server/serve.js";
import { service } from "./schemas.js";
{{types}}
/** What a function returns, at once or later. */
export type Returned<T> = T | Promise<T>;

/**
 * The functions of the service `{{service}}`.
 *
 * A function fails with its own error by `throw errorOf(…)`, with a status and details by `throw new Fault(…)`;
 * whatever else it throws is a fault of status 500.
 */
export interface {{functions}} {
{{members}}}

/**
 * Serves the functions until SIGTERM or SIGINT, or until it is stopped.
 *
 * It is fulfilled once they are served, and fails where there is no broker, or its queues are declared differently.
 */
export async function serve(functions: {{functions}}, options: ServeOptions = {}): Promise<Server> {
  return start(service, document, functions, options);
}
