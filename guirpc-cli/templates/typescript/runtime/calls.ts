// Calls in flight: published, matched with their replies, retried where that is safe. It knows nothing of types.

import { randomBytes } from "node:crypto";

import type { ChannelModel, ConfirmChannel, ConsumeMessage, Message, Options } from "amqplib";

import { Connection, codeOf, deferred, onChannelOfItsOwn, type Session } from "./connection.js";
import { Aborted, Backpressure, Blocked, Disconnected, Overloaded, TimedOut, Unroutable, Unsendable, said, type CallError } from "./errors.js";
import { DEADLINE, DIRECT_REPLY_TO, EXCHANGE, TIMEOUT, expiration, int64 } from "./names.js";

/** What is to be sent, and what is known of its function. */
export interface Outgoing {
  readonly function: string;
  readonly routingKey: string;
  readonly body: Buffer;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly idempotent: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Whether a reply is awaited; without one it is done when the broker has confirmed it. */
  readonly isCall: boolean;
}

/** A reply as it came, or `undefined` for a send, and whether the request had been published before. */
export interface Incoming {
  readonly reply: ConsumeMessage | undefined;
  readonly repeated: boolean;
}

interface Pending {
  readonly id: string;
  readonly outgoing: Outgoing;
  readonly deadline: number;
  /** Whether it is published on this connection. */
  sent: boolean;
  /** Whether it was published on an earlier one. */
  repeated: boolean;
  settle(outcome: Incoming | CallError): void;
}

export interface CallsSettings {
  readonly service: string;
  readonly uri: string | undefined;
  readonly appId: string | undefined;
  readonly maxQueued: number;
}

export class Calls implements Session {
  readonly #settings: CallsSettings;
  readonly #connection: Connection;
  /** By correlation id, in the order in which they were made. */
  readonly #pending = new Map<string, Pending>();
  #model: ChannelModel | undefined;
  #channel: ConfirmChannel | undefined;
  /** Whether there is the exchange, once that was asked. */
  #exchange: Promise<boolean> | undefined;
  #queued = 0;
  #blocked: string | undefined;
  #lostBecause = "it is not connected yet";
  #isClosed = false;

  constructor(settings: CallsSettings) {
    this.#settings = settings;
    this.#connection = new Connection(settings.uri, `${settings.service} client`, this);
  }

  async start(): Promise<void> {
    await this.#connection.start();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const pending of [...this.#pending.values()]) {
      pending.settle(this.#aborted(pending, new Error("the client was closed")));
    }
    await this.#connection.stop();
  }

  /** Sends, and waits for the reply, or for the broker's confirmation. */
  request(outgoing: Outgoing): Promise<Incoming> {
    if (this.#isClosed || outgoing.signal?.aborted === true) {
      const reason: unknown = this.#isClosed ? new Error("the client was closed") : outgoing.signal?.reason;
      return Promise.reject(new Aborted(reason, false, outgoing.idempotent));
    }
    if (this.#blocked !== undefined) {
      return Promise.reject(new Blocked(this.#blocked));
    }
    if (this.#channel === undefined && this.#queued + outgoing.body.length > this.#settings.maxQueued) {
      return Promise.reject(new Backpressure(this.#queued));
    }
    const { promise, resolve, reject } = deferred<Incoming>();
    const deadline = Date.now() + outgoing.timeoutMs;
    const settle = (outcome: Incoming | CallError): void => {
      if (!this.#pending.delete(pending.id)) {
        return;
      }
      timer.stop();
      outgoing.signal?.removeEventListener("abort", abort);
      this.#queued -= pending.sent ? 0 : outgoing.body.length;
      if (outcome instanceof Error) {
        reject(outcome);
      } else {
        resolve(outcome);
      }
    };
    const pending: Pending = { id: newId(), outgoing, deadline, sent: false, repeated: false, settle };
    const abort = (): void => {
      settle(this.#aborted(pending, outgoing.signal?.reason));
    };
    const timer = later(deadline, () => {
      settle(this.#late(pending));
    });
    this.#queued += outgoing.body.length;
    outgoing.signal?.addEventListener("abort", abort, { once: true });
    this.#pending.set(pending.id, pending);
    void this.#send(pending);
    return promise;
  }

  async open(model: ChannelModel, fail: (reason: string) => void): Promise<void> {
    const channel = await model.createConfirmChannel();
    channel.on("error", (error: Error) => {
      fail(error.message);
    });
    channel.on("close", () => {
      fail("its channel was closed");
    });
    channel.on("return", (message: Message) => {
      this.#returned(message);
    });
    await channel.consume(DIRECT_REPLY_TO, (reply) => {
      if (reply === null) {
        fail("its consumer was cancelled");
      } else {
        this.#replied(reply);
      }
    }, { noAck: true });
    this.#model = model;
    this.#channel = channel;
    this.#exchange = undefined;
    // First those that were published before, in their order: they are the older ones.
    for (const pending of this.#pending.values()) {
      void this.#send(pending);
    }
  }

  lost(reason: string): void {
    this.#channel = undefined;
    this.#model = undefined;
    this.#lostBecause = reason;
    for (const pending of [...this.#pending.values()]) {
      if (!pending.sent) {
        continue;
      }
      if (pending.outgoing.idempotent) {
        pending.sent = false;
        pending.repeated = true;
        this.#queued += pending.outgoing.body.length;
      } else {
        pending.settle(new Disconnected(reason, true, false));
      }
    }
  }

  blocked(reason: string | undefined): void {
    this.#blocked = reason;
    for (const pending of reason === undefined ? [] : [...this.#pending.values()]) {
      if (!pending.sent) {
        pending.settle(this.#unsent(pending, new Blocked(reason ?? "")));
      }
    }
  }

  async #send(pending: Pending): Promise<void> {
    const channel = this.#channel;
    if (channel === undefined) {
      return;
    }
    try {
      // Publishing to an exchange that is missing would cost the channel, and with it all calls in flight.
      this.#exchange ??= this.#findExchange();
      if (!(await this.#exchange)) {
        this.#exchange = undefined;
        pending.settle(this.#unsent(pending, new Unroutable(this.#settings.service)));
        return;
      }
      if (!pending.sent && this.#pending.has(pending.id) && channel === this.#channel) {
        this.#publish(channel, pending);
      }
    } catch (error) {
      // What amqplib cannot write, such as headers that are too large; a lost channel is told by its end.
      if (error instanceof RangeError || error instanceof TypeError) {
        pending.settle(new Unsendable(`the request to \`${pending.outgoing.function}\` cannot be sent: ${error.message}`));
      }
    }
  }

  async #findExchange(): Promise<boolean> {
    try {
      await (this.#model && onChannelOfItsOwn(this.#model, (channel) => channel.checkExchange(EXCHANGE)));
      return true;
    } catch (error) {
      // Where even the question is refused, there is no telling.
      return codeOf(error) !== 404;
    }
  }

  #publish(channel: ConfirmChannel, pending: Pending): void {
    const { outgoing } = pending;
    const remaining = pending.deadline - Date.now();
    const headers: Record<string, unknown> = { ...outgoing.headers };
    const options: Options.Publish = {
      mandatory: true,
      type: outgoing.function,
      contentType: outgoing.contentType,
      correlationId: pending.id,
      deliveryMode: outgoing.isCall ? 1 : 2,
      headers,
      ...(this.#settings.appId === undefined ? {} : { appId: this.#settings.appId }),
    };
    if (outgoing.isCall) {
      headers[DEADLINE] = int64(Math.floor(pending.deadline));
      headers[TIMEOUT] = int64(Math.max(1, Math.floor(remaining)));
      options.replyTo = DIRECT_REPLY_TO;
      const expires = expiration(remaining);
      if (expires !== undefined) {
        options.expiration = expires;
      }
    }
    channel.publish(EXCHANGE, outgoing.routingKey, outgoing.body, options, (refused) => {
      this.#confirmed(pending, channel, refused);
    });
    pending.sent = true;
    this.#queued -= outgoing.body.length;
  }

  #confirmed(pending: Pending, channel: ConfirmChannel, refused: unknown): void {
    if (channel !== this.#channel) {
      return;
    }
    if (refused !== null && refused !== undefined) {
      // The channel's end is told by itself; a queue that does not take the message is told here.
      if (said(refused) === "message nacked") {
        const { service } = this.#settings;
        pending.settle(new Overloaded(service, pending.outgoing.idempotent));
      }
    } else if (!pending.outgoing.isCall) {
      pending.settle({ reply: undefined, repeated: pending.repeated });
    }
  }

  #returned(message: Message): void {
    const pending = this.#pending.get(String(message.properties.correlationId));
    pending?.settle(this.#unsent(pending, new Unroutable(this.#settings.service)));
  }

  #replied(reply: ConsumeMessage): void {
    // One that nobody waits for any more is late.
    const pending = this.#pending.get(String(reply.properties.correlationId));
    pending?.settle({ reply, repeated: pending.repeated });
  }

  /** That nothing ran is certain only if it was never published before. */
  #unsent(pending: Pending, error: CallError): CallError {
    return pending.repeated ? new Disconnected(this.#lostBecause, true, pending.outgoing.idempotent) : error;
  }

  #late(pending: Pending): CallError {
    const { timeoutMs, idempotent } = pending.outgoing;
    if (pending.sent) {
      return new TimedOut(timeoutMs, idempotent);
    }
    return new Disconnected(this.#lostBecause, pending.repeated, idempotent);
  }

  #aborted(pending: Pending, reason: unknown): CallError {
    return new Aborted(reason, pending.sent || pending.repeated, pending.outgoing.idempotent);
  }
}

/** An id that no other request has, and that nobody can guess: whoever knows it could answer in the service's place. */
function newId(): string {
  return randomBytes(16).toString("hex");
}

// What `setTimeout` takes at most.
const LONGEST_TIMER_MS = 2_147_483_647;

function later(time: number, act: () => void): { stop(): void } {
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    const left = time - Date.now();
    timer = setTimeout(left > LONGEST_TIMER_MS ? wait : act, Math.min(Math.max(0, left), LONGEST_TIMER_MS));
  };
  wait();
  return {
    stop: () => {
      clearTimeout(timer);
    },
  };
}
