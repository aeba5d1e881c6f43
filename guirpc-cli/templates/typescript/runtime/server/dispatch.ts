// From a request to its reply: finds the function, decodes, runs, encodes. It knows neither queues nor acknowledgements.

import { Unsupported } from "../alone.js";
import { CHOICES, TEXT, contentType, isAlone, packValue, unpackArguments, type AnyCodec } from "../body.js";
import { Fault, FunctionError, said } from "../errors.js";
import { IGNORED_ARGUMENTS, PING, TIME, TRACE, int64 } from "../names.js";
import { any, type FunctionSchema, type ServiceSchema } from "../shape.js";
import { ignoredArguments, nearest } from "./nearest.js";
import { failure, output, type Reply } from "./reply.js";
import type { Request } from "./request.js";

/** What a function may know of its call beside its arguments. */
export interface Context {
  readonly service: string;
  readonly function: string;
  readonly correlationId: string | undefined;
  /** The caller's own name for itself. */
  readonly appId: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  /** When the caller gives up. */
  readonly deadline: Date | undefined;
  /** Whether the function may have begun on this request before. */
  readonly redelivered: boolean;
  /** The trace that the call belongs to: options for the calls that the function makes. */
  readonly trace: { readonly traceparent?: string; readonly tracestate?: string; readonly baggage?: string };
}

export type AnyFunction = (values: Record<string, unknown>, context: Context) => unknown;

export interface Limits {
  readonly maxBody: number;
  readonly clockToleranceMs: number;
  readonly log: (message: string) => void;
}

export class Dispatcher {
  readonly service: ServiceSchema;
  readonly #functions: ReadonlyMap<string, AnyFunction>;
  readonly #limits: Limits;

  constructor(service: ServiceSchema, functions: ReadonlyMap<string, AnyFunction>, limits: Limits) {
    this.service = service;
    this.#functions = functions;
    this.#limits = limits;
  }

  function(request: Request): FunctionSchema | undefined {
    return this.service.functions.get(request.function);
  }

  isExpired(request: Request, now: number): boolean {
    const late = now - (request.deadline ?? now);
    const { clockToleranceMs } = this.#limits;
    return request.deadline !== undefined && late >= 0 && (late > clockToleranceMs || clockToleranceMs === 0);
  }

  /** The reply to a request that no function is run for. */
  refusal(request: Request, now: number): Reply | undefined {
    const { maxBody } = this.#limits;
    const { body, codec } = request;
    const refuse = (status: number, message: string): Reply => failure("refusal", status, shortened(message), codec);
    if (body.length > maxBody) {
      return refuse(413, `the request has ${String(body.length)} bytes, this service takes at most ${String(maxBody)}`);
    }
    if (codec === undefined) {
      return refuse(415, `content type \`${request.contentType ?? ""}\` is unknown here; known are ${CHOICES}`);
    }
    if (request.function === PING) {
      return this.#info(codec);
    }
    const fn = this.function(request);
    if (fn === undefined) {
      const near = nearest(request.function, [...this.service.functions.keys()]);
      const hint = near === undefined ? "" : `; did you mean \`${near}\`?`;
      return refuse(404, `no function named \`${request.function}\` in service \`${this.service.name}\`${hint}`);
    }
    if (this.isExpired(request, now)) {
      const late = now - (request.deadline ?? now);
      const refused = refuse(408, `the deadline had passed ${String(late)} ms before \`${fn.name}\` could run`);
      return { ...refused, headers: { [TIME]: int64(now) } };
    }
    return undefined;
  }

  /** Decodes the arguments; what is returned runs the function, and never fails. */
  prepare(fn: FunctionSchema, request: Request, codec: AnyCodec): Reply | (() => Promise<Reply>) {
    const names = fn.arguments.map((argument) => argument.name);
    try {
      const { values, unknown } = unpackArguments(fn, request.body, codec);
      const ignored = unknown.length === 0 ? undefined : `\`${fn.name}\` has no argument ${ignoredArguments(unknown, names)}`;
      return async () => {
        const reply = await this.#run(fn, values, request, codec);
        return ignored === undefined ? reply : { ...reply, headers: { ...reply.headers, [IGNORED_ARGUMENTS]: ignored } };
      };
    } catch (error) {
      const unknown = unknownNames(fn, request, codec);
      const hint = unknown.length === 0 ? "" : `; it has no argument ${ignoredArguments(unknown, names)}`;
      const status = error instanceof Unsupported ? 415 : 400;
      return failure("refusal", status, shortened(`\`${fn.name}\` cannot be called so: ${said(error)}${hint}`), codec);
    }
  }

  async #run(fn: FunctionSchema, values: Record<string, unknown>, request: Request, codec: AnyCodec): Promise<Reply> {
    const run = this.#functions.get(fn.name);
    let value: unknown;
    try {
      value = await run?.(values, this.#context(fn, request));
    } catch (error) {
      return this.#failed(fn, error, codec);
    }
    try {
      return this.#limited(fn, output(packValue(fn.output, value, codec), codec), codec);
    } catch (error) {
      return this.#unsendable(fn, `what \`${fn.name}\` returned cannot be sent as ${contentType(codec)}: ${said(error)}`, codec);
    }
  }

  #failed(fn: FunctionSchema, error: unknown, codec: AnyCodec): Reply {
    if (error instanceof FunctionError && error.service === this.service.name && error.function === fn.name && fn.error !== undefined) {
      try {
        const wire = packValue(fn.error, error.error, isAlone(codec) ? "msgpack" : codec);
        const shown = isAlone(codec) ? { ...output(Buffer.from(error.message, "utf8"), codec), contentType: TEXT } : output(wire, codec);
        return { ...shown, kind: "error", status: fn.errorStatus, message: error.message };
      } catch (why) {
        return this.#unsendable(fn, `the error of \`${fn.name}\` cannot be sent as ${contentType(codec)}: ${said(why)}`, codec);
      }
    }
    if (error instanceof Fault) {
      return this.#limited(fn, failure("fault", error.status, error.message, codec, error.details), codec);
    }
    return this.#unsendable(fn, `\`${fn.name}\` threw: ${said(error)}`, codec);
  }

  #limited(fn: FunctionSchema, reply: Reply, codec: AnyCodec): Reply {
    const { maxBody } = this.#limits;
    if (reply.body.length <= maxBody) {
      return reply;
    }
    const size = String(reply.body.length);
    return this.#unsendable(fn, `what \`${fn.name}\` returned has ${size} bytes, this service sends at most ${String(maxBody)} (its setting \`maxBody\`)`, codec);
  }

  #unsendable(fn: FunctionSchema, message: string, codec: AnyCodec): Reply {
    this.#limits.log(`${this.service.name}.${fn.name}: ${message}`);
    return failure("fault", 500, message, codec);
  }

  #context(fn: FunctionSchema, request: Request): Context {
    const { headers, deadline } = request;
    const trace = TRACE.flatMap((name) => {
      const value = headers[name];
      const text = Buffer.isBuffer(value) ? value.toString("utf8") : value;
      return typeof text === "string" ? [[name, text]] : [];
    });
    return {
      service: this.service.name,
      function: fn.name,
      correlationId: request.correlationId,
      appId: request.appId,
      headers,
      deadline: deadline === undefined ? undefined : new Date(deadline),
      redelivered: request.attempts > 0,
      trace: Object.fromEntries(trace) as Context["trace"],
    };
  }

  #info(codec: AnyCodec): Reply {
    if (isAlone(codec)) {
      return output(Buffer.from(this.service.name, "utf8"), "text");
    }
    const functions = [...this.service.functions.keys()];
    return output(packValue(any, { service: this.service.name, guirpc: this.service.guirpc, functions }, codec), codec);
  }
}

function unknownNames(fn: FunctionSchema, request: Request, codec: AnyCodec): string[] {
  try {
    const lenient = { ...fn, arguments: fn.arguments.map((argument) => ({ ...argument, shape: any, required: false })) };
    return unpackArguments(lenient, request.body, codec).unknown;
  } catch {
    return [];
  }
}

const LONGEST_MESSAGE = 1000;

/** Without its middle, if it is too long: a reply must not grow with what it refuses. */
function shortened(text: string): string {
  return text.length <= LONGEST_MESSAGE ? text : `${text.slice(0, 660)} … ${text.slice(-330)}`;
}
