// Calls of the functions of a contract: checked and written before they are sent, their outcomes read.

import type { ConsumeMessage } from "amqplib";

import { codecOf, contentType, packArguments, unpackFailure, unpackValue, type AnyCodec } from "./body.js";
import { Calls, type Incoming } from "./calls.js";
import { CallError, Fault, FunctionError, Refused, Undecodable, Unsendable, said } from "./errors.js";
import { ATTEMPTS, CONTRACT, IGNORED_ARGUMENTS, MAX_BODY, RESPONSE_STATUS, TIME, TRACE } from "./names.js";
import type { FunctionSchema, ServiceSchema } from "./shape.js";
import type { Codec } from "./write.js";

/** The value of a header; a caller's own. */
export type HeaderValue = string | number | boolean | null | Uint8Array;

/** How a call is made. */
export interface CallOptions {
  /** How long to wait, in milliseconds; the default is the function's own timeout, else the client's. */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait. The function may run all the same, if the call was sent. */
  readonly signal?: AbortSignal | undefined;
  /** Headers of one's own. */
  readonly headers?: Readonly<Record<string, HeaderValue>> | undefined;
  /** The trace that the call belongs to, as W3C defines it. */
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
  readonly baggage?: string | undefined;
}

/** What a client is connected with. */
export interface ClientOptions {
  /** How long calls wait whose function has no timeout of its own, in milliseconds; the default is 10 s. */
  readonly timeoutMs?: number;
  /** How requests are written; the default is `msgpack`. */
  readonly codec?: Codec;
  /** The caller's name for itself. */
  readonly appId?: string;
  /** How many bytes of calls may wait for a connection; beyond that they fail at once. The default is 64 MiB. */
  readonly maxQueued?: number;
  /** The largest request to send and the largest reply to take, in bytes; the default is 16 MiB. */
  readonly maxBody?: number;
}

const TIMEOUT_MS = 10_000;
const MAX_QUEUED = 67_108_864;

export class Caller {
  readonly #service: ServiceSchema;
  readonly #options: ClientOptions;
  readonly #calls: Calls;
  /** What there was a warning of. */
  readonly #warned = new Set<string>();

  constructor(service: ServiceSchema, uri: string | undefined, options: ClientOptions) {
    this.#service = service;
    this.#options = options;
    const { appId, maxQueued = MAX_QUEUED } = options;
    this.#calls = new Calls({ service: service.name, uri, appId, maxQueued });
  }

  async start(): Promise<void> {
    await this.#calls.start();
  }

  async close(): Promise<void> {
    await this.#calls.close();
  }

  /** Calls a function of the contract, and waits for its output. */
  async call(name: string, values: unknown, options: CallOptions = {}): Promise<unknown> {
    const fn = this.#function(name);
    const { reply, repeated } = await this.#request(fn, values, options, true);
    if (reply === undefined) {
      throw new Undecodable(`there is no reply of \`${name}\``);
    }
    this.#warn(fn, reply);
    return this.#outcome(fn, reply, repeated);
  }

  /** Sends a request without waiting for a reply; it is done when the broker has confirmed it. */
  async send(name: string, values: unknown, options: CallOptions = {}): Promise<void> {
    await this.#request(this.#function(name), values, options, false);
  }

  #function(name: string): FunctionSchema {
    const fn = this.#service.functions.get(name);
    if (fn === undefined) {
      throw new Unsendable(`no function named \`${name}\` in service \`${this.#service.name}\``);
    }
    return fn;
  }

  #request(fn: FunctionSchema, values: unknown, options: CallOptions, isCall: boolean): Promise<Incoming> {
    const { codec = "msgpack", maxBody = MAX_BODY, timeoutMs: usual = TIMEOUT_MS } = this.#options;
    const body = sendable(fn, () => packArguments(fn, values, codec));
    if (body.length > maxBody) {
      throw new Unsendable(`the request has ${String(body.length)} bytes, this client sends at most ${String(maxBody)} (\`maxBody\`)`);
    }
    const timeoutMs = options.timeoutMs ?? fn.timeoutMs ?? usual;
    if (!(timeoutMs >= 0)) {
      throw new Unsendable(`\`timeoutMs\` is a number of milliseconds, not ${String(timeoutMs)}`);
    }
    const { name } = this.#service;
    return this.#calls.request({
      function: fn.name,
      routingKey: fn.lane === undefined ? name : `${name}.${fn.lane}`,
      body,
      contentType: contentType(codec),
      headers: this.#headers(options),
      idempotent: fn.idempotent,
      timeoutMs,
      signal: options.signal,
      isCall,
    });
  }

  #headers(options: CallOptions): Record<string, unknown> {
    const headers: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(options.headers ?? {})) {
      if (name.startsWith("guirpc-") || Buffer.byteLength(name) > 255) {
        throw new Unsendable(`a header cannot be named \`${name.slice(0, 60)}\`: names that begin with \`guirpc-\` are guirpc's own, and none is longer than 255 bytes`);
      }
      headers[name] = value instanceof Uint8Array ? Buffer.from(value) : value;
    }
    for (const name of TRACE) {
      if (options[name] !== undefined) {
        headers[name] = options[name];
      }
    }
    headers[CONTRACT] = this.#service.contract;
    return headers;
  }

  #outcome(fn: FunctionSchema, reply: ConsumeMessage, repeated: boolean): unknown {
    const { content, properties } = reply;
    const { maxBody = MAX_BODY } = this.#options;
    const status = numberOf(properties.headers?.[RESPONSE_STATUS]) ?? 0;
    const kind: unknown = properties.type ?? (status < 400 ? "output" : "fault");
    const codec = codecOf(properties.contentType as string | undefined);
    if (content.length > maxBody) {
      throw new Undecodable(`the reply of \`${fn.name}\` has ${String(content.length)} bytes, this client takes at most ${String(maxBody)} (\`maxBody\`)`);
    }
    if (kind === "output") {
      return this.#decoded(fn, "output", () => unpackValue(fn.output, content, known(codec, properties.contentType)));
    }
    if (kind === "error") {
      const { error } = fn;
      if (error === undefined) {
        throw new Undecodable(`\`${fn.name}\` returned an error of its own, and has none in the contract that this client was made from`);
      }
      const value = this.#decoded(fn, "error", () => unpackValue(error, content, known(codec, properties.contentType)));
      throw new FunctionError(this.#service.name, fn.name, value);
    }
    const { message, details } = unpackFailure(content, codec);
    if (kind === "refusal") {
      const mayHaveRun = repeated || properties.headers?.[ATTEMPTS] !== undefined;
      throw new Refused(status, message, mayHaveRun, fn.idempotent);
    }
    throw new Fault(status, message, details);
  }

  #decoded<T>(fn: FunctionSchema, what: string, decode: () => T): T {
    try {
      return decode();
    } catch (error) {
      throw new Undecodable(`the ${what} of \`${fn.name}\` cannot be decoded: ${said(error)}`, { cause: error });
    }
  }

  /** Says what the service says beside its answer, once. */
  #warn(fn: FunctionSchema, reply: ConsumeMessage): void {
    const { headers } = reply.properties;
    const ignored: unknown = headers?.[IGNORED_ARGUMENTS];
    if (typeof ignored === "string") {
      this.#warnOnce(`ignored ${fn.name}`, ignored);
    }
    const time = numberOf(headers?.[TIME]);
    if (reply.properties.type === "refusal" && time !== undefined && Math.abs(time - Date.now()) > 1000) {
      const which = time > Date.now() ? "ahead of" : "behind";
      this.#warnOnce("clock", `the clock of a service is ${String(Math.abs(time - Date.now()))} ms ${which} this machine's: set both by NTP`);
    }
  }

  #warnOnce(what: string, warning: string): void {
    if (!this.#warned.has(what)) {
      this.#warned.add(what);
      process.emitWarning(warning, "GuirpcWarning");
    }
  }
}

function sendable<T>(fn: FunctionSchema, pack: () => T): T {
  try {
    return pack();
  } catch (error) {
    if (error instanceof CallError) {
      throw error;
    }
    throw new Unsendable(`the arguments of \`${fn.name}\` cannot be sent: ${said(error)}`, { cause: error });
  }
}

function known(codec: AnyCodec | undefined, contentType: unknown): AnyCodec {
  if (codec === undefined) {
    throw new SyntaxError(`the unknown content type \`${String(contentType)}\``);
  }
  return codec;
}

export function numberOf(header: unknown): number | undefined {
  return typeof header === "number" ? header : undefined;
}
