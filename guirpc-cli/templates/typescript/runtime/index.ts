// What programs use of the runtime.

export type { CallOptions, ClientOptions, HeaderValue } from "./caller.js";
export {
  Aborted,
  Backpressure,
  Blocked,
  CallError,
  Disconnected,
  Fault,
  FunctionError,
  Overloaded,
  Refused,
  TimedOut,
  Undecodable,
  Unroutable,
  Unsendable,
  type CallErrorKind,
} from "./errors.js";
export type { Context } from "./server/dispatch.js";
export type { ServeOptions, Server } from "./server/serve.js";
