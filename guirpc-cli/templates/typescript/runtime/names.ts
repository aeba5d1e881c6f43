// Names on the wire.

export const EXCHANGE = "guirpc";
export const CONTROL_EXCHANGE = "guirpc.control";
export const DIRECT_REPLY_TO = "amq.rabbitmq.reply-to";

export const DEADLINE = "guirpc-deadline";
export const TIMEOUT = "guirpc-timeout";
export const CONTRACT = "guirpc-contract";
export const ATTEMPTS = "guirpc-attempts";
export const TIME = "guirpc-time";
export const IGNORED_ARGUMENTS = "guirpc-ignored-arguments";
export const RESPONSE_STATUS = "Response-Status";

export const PING = "guirpc.ping";
export const CALLS = "guirpc.calls";

/** The largest body that is sent or taken unless a setting says otherwise, in bytes. */
export const MAX_BODY = 16_777_216;

/** The headers of a trace, as W3C defines them. */
export const TRACE = ["traceparent", "tracestate", "baggage"] as const;

/** What AMQP calls a long long integer, whatever its value: amqplib would take a shorter one. */
export function int64(value: number): { "!": "int64"; value: number } {
  return { "!": "int64", value };
}

export function int32(value: number): { "!": "int32"; value: number } {
  return { "!": "int32", value };
}

/** The property `expiration`, in milliseconds; none beyond 32 bits, for which RabbitMQ closes the channel. */
export function expiration(remainingMs: number): string | undefined {
  const remaining = Math.max(1, Math.floor(remainingMs));
  return remaining <= 4_294_967_295 ? String(remaining) : undefined;
}
