// Why a call failed: one class for each kind of failure.

/** The kinds of failures. */
export type CallErrorKind =
  | "function"
  | "fault"
  | "refused"
  | "unroutable"
  | "timed-out"
  | "disconnected"
  | "blocked"
  | "overloaded"
  | "backpressure"
  | "unsendable"
  | "undecodable"
  | "aborted";

/** Why a call failed; `kind`, or the class, says in which way. */
export abstract class CallError extends Error {
  abstract readonly kind: CallErrorKind;
  /** Whether the function may have been run, completely or in part: `false` is certain. */
  abstract readonly mayHaveRun: boolean;
  /** Whether the very same call may succeed later, and does no harm if it is made again. */
  abstract readonly isRetryable: boolean;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The function ran and returned its own error. */
export class FunctionError<E = unknown> extends CallError {
  readonly kind = "function";
  readonly mayHaveRun = true;
  readonly isRetryable = false;
  readonly service: string;
  readonly function: string;
  readonly error: E;

  constructor(service: string, name: string, error: E) {
    super(`\`${name}\` of \`${service}\` failed: ${shownError(error)}`);
    this.service = service;
    this.function = name;
    this.error = error;
  }
}

function shownError(error: unknown): string {
  if (error === undefined) {
    return "undefined";
  }
  return JSON.stringify(error, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
}

/**
 * The function ran and returned a fault, or threw (status 500).
 *
 * A function that is served throws one to answer with this status, message and details.
 */
export class Fault extends CallError {
  readonly kind = "fault";
  readonly mayHaveRun = true;
  readonly isRetryable = false;
  /** From 400 to 599, as in HTTP. */
  readonly status: number;
  /** For programs: any JSON. */
  readonly details: unknown;

  constructor(status: number, message: string, details?: unknown) {
    super(message);
    this.status = status >= 400 && status < 600 ? status : 500;
    this.details = details;
  }
}

/**
 * The service received the call and refused to run the function.
 *
 * 400 arguments that do not decode, 404 unknown function, 408 expired before it could run, 409 delivered before to a
 * function that runs at most once, 413 body too large, 415 content type that the function cannot be called with.
 */
export class Refused extends CallError {
  readonly kind = "refused";
  readonly status: number;
  readonly mayHaveRun: boolean;
  readonly isRetryable: boolean;

  constructor(status: number, message: string, mayHaveRun: boolean, idempotent: boolean) {
    super(`refused (${String(status)}): ${message}${mayHaveRun ? "; it may have run before, on an earlier delivery" : ""}`);
    this.status = status;
    this.mayHaveRun = mayHaveRun;
    this.isRetryable = status === 408 && (!mayHaveRun || idempotent);
  }
}

/** No queue takes calls for this service: it is not served, or its name is misspelt. Nothing ran. */
export class Unroutable extends CallError {
  readonly kind = "unroutable";
  readonly mayHaveRun = false;
  readonly isRetryable = true;

  constructor(service: string) {
    super(`no queue takes calls for service \`${service}\`: is it being served, and spelt right?`);
  }
}

/** No reply came by the deadline. The function may have run, or may be running now. */
export class TimedOut extends CallError {
  readonly kind = "timed-out";
  readonly mayHaveRun = true;
  readonly isRetryable: boolean;

  constructor(timeoutMs: number, idempotent: boolean) {
    super(`no reply within ${String(timeoutMs)} ms`);
    this.isRetryable = idempotent;
  }
}

/** The connection to the broker was lost, or could not be opened in time. */
export class Disconnected extends CallError {
  readonly kind = "disconnected";
  /** Whether the request had been published before. */
  readonly sent: boolean;
  readonly mayHaveRun: boolean;
  readonly isRetryable: boolean;

  constructor(reason: string, sent: boolean, idempotent: boolean) {
    super(sent ? `the connection was lost before the reply came: ${reason}` : `not connected to the broker: ${reason}`);
    this.sent = sent;
    this.mayHaveRun = sent;
    this.isRetryable = !sent || idempotent;
  }
}

/** The broker takes no messages at the moment: a memory or disk alarm. Nothing was sent. */
export class Blocked extends CallError {
  readonly kind = "blocked";
  readonly mayHaveRun = false;
  readonly isRetryable = true;

  constructor(reason: string) {
    super(`the broker takes no messages at the moment: ${reason}`);
  }
}

/** The queue of the service did not take the request: it is full and rejects, or it has failed. */
export class Overloaded extends CallError {
  readonly kind = "overloaded";
  readonly mayHaveRun = true;
  readonly isRetryable: boolean;

  constructor(service: string, idempotent: boolean) {
    super(`the queue of service \`${service}\` did not take the request: it is full, or it has failed`);
    this.isRetryable = idempotent;
  }
}

/** The client's queue of unpublished calls is full. Nothing was sent: try again later. */
export class Backpressure extends CallError {
  readonly kind = "backpressure";
  readonly mayHaveRun = false;
  readonly isRetryable = true;

  constructor(queued: number) {
    super(`${String(queued)} bytes of calls wait in this client for the broker, and it takes no more (\`maxQueued\`): nothing was sent, try again later`);
  }
}

/** The request cannot be sent as it is; the message explains what to change. Nothing ran. */
export class Unsendable extends CallError {
  readonly kind = "unsendable";
  readonly mayHaveRun = false;
  readonly isRetryable = false;
}

/** The reply cannot be decoded: client and service disagree about a type. The function ran. */
export class Undecodable extends CallError {
  readonly kind = "undecodable";
  readonly mayHaveRun = true;
  readonly isRetryable = false;
}

/** The caller's `AbortSignal` ended the wait, or the client was closed. */
export class Aborted extends CallError {
  readonly kind = "aborted";
  readonly mayHaveRun: boolean;
  readonly isRetryable: boolean;

  constructor(reason: unknown, sent: boolean, idempotent: boolean) {
    super("the call was given up by its caller", { cause: reason });
    this.mayHaveRun = sent;
    this.isRetryable = !sent || idempotent;
  }
}

/** What an error says. */
export function said(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") {
    return error.errors.map(said).join("; ");
  }
  return error instanceof Error ? error.message : String(error);
}
