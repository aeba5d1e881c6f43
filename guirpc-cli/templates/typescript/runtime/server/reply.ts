// Replies, as they are published.

import type { Options } from "amqplib";

import { TEXT, contentType, isAlone, packFailure, type AnyCodec } from "../body.js";
import { ATTEMPTS, RESPONSE_STATUS, int32, int64 } from "../names.js";

export type ReplyKind = "output" | "error" | "fault" | "refusal";

export interface Reply {
  readonly kind: ReplyKind;
  readonly status: number;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
  /** What a fault or a refusal says. */
  readonly message?: string;
}

export function output(body: Buffer, codec: AnyCodec): Reply {
  return { kind: "output", status: 200, contentType: contentType(codec), headers: {}, body };
}

/** A fault or a refusal: in the codec of its request, or as a text, which anybody can read. */
export function failure(kind: "fault" | "refusal", status: number, message: string, codec: AnyCodec | undefined, details?: unknown): Reply {
  const body = packFailure(message, details, codec);
  const type = codec === undefined || isAlone(codec) ? TEXT : contentType(codec);
  return { kind, status, contentType: type, headers: {}, body, message };
}

/** The properties of a reply; a refusal says how often the function has, or may have, begun. */
export function properties(reply: Reply, correlationId: string | undefined, attempts: number): Options.Publish {
  const headers: Record<string, unknown> = { ...reply.headers, [RESPONSE_STATUS]: int32(reply.status) };
  if (reply.kind === "refusal" && attempts > 0) {
    headers[ATTEMPTS] = int64(attempts);
  }
  const options: Options.Publish = { type: reply.kind, contentType: reply.contentType, headers };
  return correlationId === undefined ? options : { ...options, correlationId };
}
