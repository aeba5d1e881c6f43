// Requests as they come off a queue: nothing in them is trusted. And as they are published again.

import { createHash, randomUUID } from "node:crypto";

import type { ConsumeMessage, Options } from "amqplib";

import { codecOf, type AnyCodec } from "../body.js";
import { numberOf } from "../caller.js";
import { ATTEMPTS, DEADLINE, TIMEOUT, expiration, int32, int64 } from "../names.js";

/** Which of a service's queues a request waited in. */
export type Role = "own" | "calls" | "retry" | "quarantine";

export interface Request {
  readonly function: string;
  readonly contentType: string | undefined;
  /** `undefined` if the content type is unknown. */
  readonly codec: AnyCodec | undefined;
  readonly body: Buffer;
  readonly correlationId: string | undefined;
  /** Absent in a send. */
  readonly replyTo: string | undefined;
  readonly appId: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  /** In milliseconds since the Unix epoch. */
  readonly deadline: number | undefined;
  readonly timeoutMs: number | undefined;
  readonly redelivered: boolean;
  /** How many deliveries came before this one whose function had, or may have, begun. */
  readonly attempts: number;
  /** What it is published with again. */
  readonly properties: Options.Publish;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function ofMessage(message: ConsumeMessage, role: Role): Request {
  const { properties, fields, content } = message;
  const headers: Record<string, unknown> = properties.headers ?? {};
  // In the other queues anybody could have written a count.
  const isCounted = role === "retry" || role === "quarantine";
  const counted = isCounted ? Math.max(0, numberOf(headers[ATTEMPTS]) ?? 0) : 0;
  return {
    function: text(properties.type) ?? "",
    contentType: text(properties.contentType),
    codec: codecOf(text(properties.contentType)),
    body: content,
    correlationId: text(properties.correlationId),
    replyTo: text(properties.replyTo),
    appId: text(properties.appId),
    headers,
    deadline: numberOf(headers[DEADLINE]),
    timeoutMs: numberOf(headers[TIMEOUT]),
    redelivered: fields.redelivered,
    attempts: counted + (fields.redelivered ? 1 : 0),
    properties: kept({
      contentType: text(properties.contentType),
      contentEncoding: text(properties.contentEncoding),
      priority: numberOf(properties.priority),
      correlationId: text(properties.correlationId),
      messageId: text(properties.messageId),
      timestamp: numberOf(properties.timestamp),
      type: text(properties.type),
      appId: text(properties.appId),
      replyTo: text(properties.replyTo),
      deliveryMode: numberOf(properties.deliveryMode),
      expiration: text(properties.expiration),
    }),
  };
}

/** Only what is there, as `exactOptionalPropertyTypes` wants it. */
export function kept(options: { [K in keyof Options.Publish]: Options.Publish[K] | undefined }): Options.Publish {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** A request, delivered again, is known by this. */
export function identity(request: Request): string | undefined {
  const { correlationId, replyTo, body } = request;
  if (correlationId === undefined) {
    return undefined;
  }
  return JSON.stringify([correlationId, replyTo ?? "", request.function, createHash("sha256").update(body).digest("base64")]);
}

const COPIES = ["CC", "BCC", "x-delivery-count", "x-acquired-count"];
const LEAST_TIME_MS = 1000;

/** Integers go out as AMQP's longest, whatever amqplib would make of them. */
function headersOf(request: Request): Record<string, unknown> {
  const own = Object.entries(request.headers).filter(([name]) => !COPIES.includes(name) && name !== ATTEMPTS);
  return Object.fromEntries(own.map(([name, value]) => [name, Number.isSafeInteger(value) ? int64(Number(value)) : value]));
}

/** The same request after so many attempts; after none it is put back as it was. */
export function asAttempt(request: Request, attempts: number, now: number): Options.Publish {
  const headers = headersOf(request);
  if (attempts > 0) {
    headers[ATTEMPTS] = int64(attempts);
  }
  const left = request.deadline === undefined ? undefined : Math.max(request.deadline - now, LEAST_TIME_MS);
  return kept({
    ...request.properties,
    // What is counted is never lost alone out of its queue, since counting rests on the broker's mark.
    deliveryMode: attempts > 0 ? 2 : request.properties.deliveryMode,
    expiration: left === undefined ? request.properties.expiration : expiration(left),
    headers,
    mandatory: true,
  });
}

/** Why a request becomes a dead letter. */
export interface Death {
  readonly reason: "crashed" | "uncounted" | "failed" | "unanswerable";
  readonly message: string;
  readonly attempts: number;
  readonly status?: number | undefined;
}

const LONGEST_MESSAGE = 4096;

/** The same request as a dead letter: it does not expire, and asks for no reply. */
export function asDeadLetter(request: Request, queue: string, death: Death, now: number): Options.Publish {
  const headers: Record<string, unknown> = {
    ...headersOf(request),
    "guirpc-dead-reason": death.reason,
    "guirpc-dead-queue": queue,
    "guirpc-dead-time": int64(now),
    [ATTEMPTS]: int64(death.attempts),
    "guirpc-dead-id": randomUUID(),
    "guirpc-dead-message": death.message.slice(0, LONGEST_MESSAGE / 4),
  };
  if (death.status !== undefined) {
    headers["guirpc-dead-status"] = int32(death.status);
  }
  return kept({ ...request.properties, replyTo: undefined, expiration: undefined, deliveryMode: 2, headers, mandatory: true });
}

const DIRECT = "amq.rabbitmq.reply-to";
const LONGEST = 255;

/**
 * Whether a reply can be published to this address without doing harm.
 *
 * RabbitMQ answers a malformed direct reply-to address by closing the whole connection.
 */
export function isPublishable(address: string): boolean {
  if (address === "" || Buffer.byteLength(address) > LONGEST) {
    return false;
  }
  if (!address.startsWith(DIRECT)) {
    return true;
  }
  const found = /^amq\.rabbitmq\.reply-to\.([A-Za-z0-9+/]+={0,2})\.[^.]+$/.exec(address);
  const pid = Buffer.from(found?.[1] ?? "", "base64");
  // Erlang's external term format: a process identifier with a two-byte atom length.
  if (pid.length < 5 || pid[0] !== 131 || pid[1] !== 88 || pid[2] !== 118) {
    return false;
  }
  const length = pid.readUInt16BE(3);
  const node = pid.subarray(5, 5 + length).toString("latin1");
  return pid.length === 5 + length + 12 && /^reply@\d{1,19}$/.test(node);
}
