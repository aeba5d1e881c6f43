// Answers what servers are asked on the control exchange: who they are, what they serve, how they do.

import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { basename } from "node:path";

import type { ChannelModel, ConsumeMessage } from "amqplib";

import { JSON_TYPE } from "../body.js";
import { said } from "../errors.js";
import { CONTROL_EXCHANGE } from "../names.js";
import type { FunctionSchema, ServiceSchema } from "../shape.js";
import type { Lane } from "./lane.js";
import { isPublishable } from "./request.js";

const VERSION = 1;
const MOST_QUESTIONS = 100;
const LONGEST_KEY = 255;

export interface Controlled {
  readonly service: ServiceSchema;
  /** The contract, as a document in JSON. */
  readonly document: string;
  readonly lanes: readonly Lane[];
  readonly drainMs: number;
  readonly maxDeliveries: number;
  broker(): string;
  status(): string;
  reconnects(): number;
}

export class Control {
  /** Made up when the server starts; no other has it. */
  readonly id = randomUUID();
  readonly #server: Controlled;
  readonly #since = Date.now();

  constructor(server: Controlled) {
    this.#server = server;
  }

  /** Answers on a channel of this connection for as long as there is one. */
  async open(model: ChannelModel, log: (message: string) => void): Promise<void> {
    try {
      const channel = await model.createChannel();
      channel.on("error", (error: Error) => {
        log(`this server cannot be asked how it does any more: ${error.message}`);
      });
      await channel.assertExchange(CONTROL_EXCHANGE, "topic", { durable: true });
      const queue = `${CONTROL_EXCHANGE}.${randomUUID()}`;
      const arguments_ = { "x-queue-type": "classic", "x-max-length": { "!": "int32", value: MOST_QUESTIONS } };
      await channel.assertQueue(queue, { durable: false, exclusive: true, autoDelete: true, arguments: arguments_ });
      const keys = ["servers", `instances.${this.id}`, `services.${this.#server.service.name}`];
      for (const key of keys.filter((key) => Buffer.byteLength(key) <= LONGEST_KEY)) {
        await channel.bindQueue(queue, CONTROL_EXCHANGE, key);
      }
      await channel.consume(queue, (question) => {
        const [address, answer] = question === null ? [] : this.#answer(question);
        if (question === null || address === undefined || answer === undefined) {
          return;
        }
        const { correlationId, type } = question.properties as { correlationId?: string; type: string };
        const echoed = correlationId === undefined ? {} : { correlationId };
        channel.publish("", address, Buffer.from(JSON.stringify(answer)), { type, contentType: JSON_TYPE, ...echoed });
      }, { noAck: true });
    } catch (error) {
      // It serves all the same.
      log(`this server cannot be asked how it does (\`control: false\` says that it need not be): ${said(error)}`);
    }
  }

  /** Where an answer goes, which is a queue: another kind of address could cost the connection. */
  #answer(question: ConsumeMessage): [string?, unknown?] {
    const { replyTo, type } = question.properties as { replyTo?: unknown; type?: unknown };
    if (typeof replyTo !== "string" || replyTo.startsWith("amq.rabbitmq.reply-to") || !isPublishable(replyTo)) {
      return [];
    }
    switch (type) {
      case "guirpc.control.ping":
        return [replyTo, { ...this.#head(), time_ms: Date.now() }];
      case "guirpc.control.info":
        return [replyTo, this.#info()];
      case "guirpc.control.stats":
        return [replyTo, this.#statistics()];
      case "guirpc.control.contract":
        return [replyTo, { ...this.#head(), contracts: [JSON.parse(this.#server.document)] }];
      default:
        return [];
    }
  }

  #head(): { version: number; instance: unknown } {
    const { service } = this.#server;
    const instance = {
      id: this.id,
      host: hostname(),
      pid: process.pid,
      program: basename(process.argv[1] ?? process.argv0),
      guirpc: service.guirpc,
      since: Math.floor(this.#since / 1000),
      services: [service.name],
    };
    return { version: VERSION, instance };
  }

  #info(): unknown {
    const { service, lanes, drainMs, maxDeliveries } = this.#server;
    const described = lanes.map((lane) => ({
      lane: lane.name ?? null,
      queues: [lane.queues.own],
      workers: 1,
      concurrency: lane.concurrency,
      prefetch: lane.concurrency,
      drain_ms: drainMs,
      max_deliveries: maxDeliveries,
      coalesced: true,
    }));
    const functions = [...service.functions.values()].map(describe);
    return { ...this.#head(), broker: this.#server.broker(), services: [{ name: service.name, functions }], lanes: described };
  }

  #statistics(): unknown {
    const { service, lanes } = this.#server;
    const described = lanes.map((lane) => ({
      lane: lane.name ?? null,
      status: this.#server.status(),
      reconnects: this.#server.reconnects(),
      places: lane.concurrency,
      busy: lane.busy,
      services: [{ service: service.name, functions: lane.statistics.answer() }],
    }));
    return { ...this.#head(), uptime_ms: Date.now() - this.#since, lanes: described };
  }
}

function describe(fn: FunctionSchema): unknown {
  return {
    name: fn.name,
    signature: fn.signature,
    arguments: fn.arguments.map(({ name, type }) => ({ name, type })),
    output: fn.outputType,
    docs: fn.docs,
    lane: fn.lane ?? null,
    timeout_ms: fn.timeoutMs ?? null,
    idempotent: fn.idempotent,
    ack: fn.ack,
  };
}
