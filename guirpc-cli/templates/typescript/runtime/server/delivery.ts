// Requests as they are delivered: alone, or several in one message, which is acknowledged when all of them are done.

import { setTimeout as sleep } from "node:timers/promises";

import type { ConsumeMessage } from "amqplib";

import { codecOf, unpack } from "../body.js";
import { deferred } from "../connection.js";
import { said } from "../errors.js";
import { DEADLINE, TIMEOUT, int64 } from "../names.js";
import { kept, ofMessage, type Request, type Role } from "./request.js";

export interface Delivery {
  readonly request: Request;
  readonly role: Role;
  readonly isCoalesced: boolean;
  /** It is done: acknowledges it, or counts it among those that came with it. */
  ack(): void;
  /** Waits until the broker knows that: `false` if others of its message are still to be done. */
  known(): Promise<boolean>;
  /** Puts its message back, since it cannot be done now. */
  requeue(): void;
}

/** What a channel does for its deliveries. */
export interface Acknowledging {
  ack(message: ConsumeMessage): void;
  requeue(message: ConsumeMessage): void;
  /** Answered when the broker knows all acknowledgements until now. */
  barrier(): Promise<void>;
}

export function alone(message: ConsumeMessage, role: Role, channel: Acknowledging): Delivery {
  let isAcknowledged = false;
  return {
    request: ofMessage(message, role),
    role,
    isCoalesced: false,
    ack: () => {
      if (!isAcknowledged) {
        isAcknowledged = true;
        channel.ack(message);
      }
    },
    known: async () => {
      await channel.barrier();
      return true;
    },
    requeue: () => {
      if (!isAcknowledged) {
        isAcknowledged = true;
        channel.requeue(message);
      }
    },
  };
}

const MOST_CALLS = 1024;
const LONGEST_SHORT = 255;
const LONGEST_WAIT_MS = 500;

/** The calls of a message, or why it is none of calls. */
export function together(message: ConsumeMessage, role: Role, channel: Acknowledging): Delivery[] | string {
  const whole = ofMessage(message, role);
  const requests = requestsOf(whole);
  if (typeof requests === "string") {
    return requests;
  }
  let open = requests.length;
  const acknowledged = deferred<boolean>();
  return requests.map((request) => {
    let isDone = false;
    return {
      request,
      role,
      isCoalesced: true,
      ack: () => {
        open -= isDone ? 0 : 1;
        isDone = true;
        if (open === 0) {
          open = -1;
          channel.ack(message);
          channel.barrier().then(() => {
            acknowledged.resolve(true);
          }, () => {
            // The connection is lost, and with it whoever would be told.
            acknowledged.resolve(false);
          });
        }
      },
      known: () => Promise.race([acknowledged.promise, sleep(LONGEST_WAIT_MS, false, { ref: false })]),
      requeue: () => {
        if (open > 0) {
          open = -1;
          channel.requeue(message);
          acknowledged.resolve(false);
        }
      },
    };
  });
}

function requestsOf(whole: Request): Request[] | string {
  if (whole.codec !== "msgpack") {
    return "a message of calls is MessagePack";
  }
  try {
    const calls = unpack(whole.body, "msgpack");
    if (!Array.isArray(calls) || calls.length === 0 || calls.length > MOST_CALLS) {
      return `a message of calls is a list of 1 to ${String(MOST_CALLS)} calls`;
    }
    return calls.map((call) => requestOf(whole, call));
  } catch (error) {
    return `this is no message of calls: ${said(error)}`;
  }
}

function requestOf(whole: Request, call: unknown): Request {
  if (!Array.isArray(call) || call.length < 7) {
    throw new SyntaxError("a call is a list of 7 elements");
  }
  const [id, name, type, deadline, timeout, own, body] = call as unknown[];
  const [correlationId, fn] = [shortText("id", id), shortText("function", name)];
  const contentType = type === null ? undefined : shortText("content type", type);
  if (!(body instanceof Uint8Array)) {
    throw new SyntaxError("the body of a call is bytes");
  }
  const headers = { ...headersOf(own), ...time(DEADLINE, deadline), ...time(TIMEOUT, timeout) };
  return {
    ...whole,
    function: fn,
    contentType,
    codec: codecOf(contentType),
    body: Buffer.from(body),
    correlationId,
    headers,
    deadline: headers[DEADLINE]?.value,
    timeoutMs: headers[TIMEOUT]?.value,
    properties: kept({
      type: fn,
      contentType,
      correlationId,
      replyTo: whole.replyTo,
      appId: whole.appId,
      deliveryMode: whole.properties.deliveryMode,
      priority: whole.properties.priority,
      expiration: whole.properties.expiration,
    }),
  };
}

function shortText(what: string, value: unknown): string {
  if (typeof value !== "string" || Buffer.byteLength(value) > LONGEST_SHORT) {
    throw new SyntaxError(`the ${what} of a call is a text of at most ${String(LONGEST_SHORT)} bytes`);
  }
  return value;
}

type Times = Record<string, { "!": "int64"; value: number }>;

function time(header: string, value: unknown): Times {
  return value === null || value === undefined ? {} : { [header]: int64(Number(value)) };
}

/** Headers, as amqplib has them. */
function headersOf(own: unknown): Times {
  if (own === null || own === undefined) {
    return {};
  }
  if (typeof own !== "object" || Array.isArray(own)) {
    throw new SyntaxError("the headers of a call are a map");
  }
  return Object.fromEntries(Object.entries(own).map(([name, value]) => [name, field(value)])) as Times;
}

function field(value: unknown): unknown {
  if (typeof value === "bigint") {
    return Number(value);
  }
  if (value instanceof Uint8Array) {
    return Buffer.from(value);
  }
  if (value instanceof Date) {
    return { "!": "timestamp", value: Math.floor(value.getTime() / 1000) };
  }
  return Array.isArray(value) ? value.map(field) : value;
}
