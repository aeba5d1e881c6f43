// A server: its connection, its lanes, and a graceful shutdown.

import type { ChannelModel } from "amqplib";

import { Connection, deferred, type Session } from "../connection.js";
import { said } from "../errors.js";
import { MAX_BODY } from "../names.js";
import type { ServiceSchema } from "../shape.js";
import { Control } from "./control.js";
import { Dispatcher, type AnyFunction } from "./dispatch.js";
import { Lane } from "./lane.js";

export interface ServeOptions {
  /** The broker, or several with commas between them; the default is `AMQP_URI`, else one on this machine. */
  readonly uri?: string;
  /** How many functions of a lane are under way at once, and are fetched ahead; the default is 100. */
  readonly concurrency?: number;
  /** How often a function begins on one request before that is a dead letter; the default is 5, the least is 2. */
  readonly maxDeliveries?: number;
  /** The largest request to decode and the largest reply to send, in bytes; the default is 16 MiB. */
  readonly maxBody?: number;
  /** How far a deadline may have passed by this machine's clock, in milliseconds; the default is 1 s. */
  readonly clockToleranceMs?: number;
  /** How long a shutdown waits for functions in flight, in milliseconds; the default is 20 s. */
  readonly drainMs?: number;
  /** Whether others may ask it over the broker how it does; the default is yes. */
  readonly control?: boolean;
  /** Whether SIGTERM and SIGINT stop it; the default is yes. */
  readonly signals?: boolean;
  /** Where its log goes; the default is standard error. */
  readonly log?: (message: string) => void;
}

/** A server that serves. */
export interface Server {
  /** By which the control exchange knows it. */
  readonly id: string;
  /** Fulfilled when it has stopped. */
  readonly stopped: Promise<void>;
  /** Takes nothing new, finishes what is in flight, and closes the connection. */
  stop(): Promise<void>;
}

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** Serves the functions of a contract. */
export async function start(service: ServiceSchema, document: string, functions: object, options: ServeOptions = {}): Promise<Server> {
  const named = new Map<string, AnyFunction>();
  for (const name of service.functions.keys()) {
    const run: unknown = Reflect.get(functions, name);
    if (typeof run !== "function") {
      throw new TypeError(`\`${name}\` of service \`${service.name}\` is not implemented`);
    }
    named.set(name, run.bind(functions) as AnyFunction);
  }
  const running = new Running(service, document, named, options);
  await running.start();
  return running;
}

class Running implements Server, Session {
  readonly #service: ServiceSchema;
  readonly #options: ServeOptions;
  readonly #log: (message: string) => void;
  readonly #connection: Connection;
  readonly #lanes: readonly Lane[];
  readonly #control: Control;
  readonly #done = deferred<undefined>();
  readonly #onSignal = (): void => {
    void this.stop();
  };
  #status = "disconnected: it is not connected yet";
  #connections = 0;
  #unblock: (() => void) | undefined;
  #stopping: Promise<void> | undefined;

  constructor(service: ServiceSchema, document: string, functions: ReadonlyMap<string, AnyFunction>, options: ServeOptions) {
    const { concurrency = 100, maxDeliveries = 5, maxBody = MAX_BODY, clockToleranceMs = 1000, drainMs = 20_000 } = options;
    if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 65_535) {
      throw new RangeError("`concurrency` is a number from 1 to 65535");
    }
    if (!Number.isInteger(maxDeliveries) || maxDeliveries < 2) {
      throw new RangeError("`maxDeliveries` is 2 or more: with one delivery, whatever a server gives back would be dead");
    }
    this.#service = service;
    this.#options = options;
    this.#log = options.log ?? ((message) => {
      console.error(`guirpc: ${message}`);
    });
    const dispatcher = new Dispatcher(service, functions, { maxBody, clockToleranceMs, log: this.#log });
    const lanes = [...new Set([...service.functions.values()].flatMap(({ lane }) => (lane === undefined ? [] : [lane])))].sort();
    const settings = { concurrency, maxDeliveries, log: this.#log };
    this.#lanes = [undefined, ...lanes].map((lane) => new Lane(lane, dispatcher, settings));
    this.#connection = new Connection(options.uri, service.name, this);
    this.#control = new Control({
      service,
      document,
      lanes: this.#lanes,
      drainMs,
      maxDeliveries,
      broker: () => this.#connection.address,
      status: () => this.#status,
      reconnects: () => Math.max(0, this.#connections - 1),
    });
  }

  get id(): string {
    return this.#control.id;
  }

  get stopped(): Promise<void> {
    return this.#done.promise;
  }

  async start(): Promise<void> {
    await this.#connection.start();
    if (this.#options.signals !== false) {
      for (const signal of SIGNALS) {
        process.on(signal, this.#onSignal);
      }
    }
    this.#log(`serving ${this.#service.name} at ${this.#connection.address}`);
  }

  async open(model: ChannelModel, fail: (reason: string) => void): Promise<void> {
    for (const lane of this.#lanes) {
      await lane.open(model, fail);
    }
    if (this.#options.control !== false) {
      await this.#control.open(model, this.#log);
    }
    this.#connections += 1;
    this.#status = "connected";
    if (this.#connections > 1) {
      this.#log("connected again");
    }
  }

  lost(reason: string): void {
    if (this.#stopping !== undefined) {
      return;
    }
    this.#status = `disconnected: ${reason}`;
    this.#log(`the connection is lost: ${reason}`);
    for (const lane of this.#lanes) {
      lane.lost();
    }
  }

  blocked(reason: string | undefined): void {
    this.#unblock?.();
    this.#unblock = undefined;
    this.#status = reason === undefined ? "connected" : `blocked: ${reason}`;
    if (reason === undefined) {
      return;
    }
    this.#log(`the broker takes no messages at the moment: ${reason}`);
    const { promise, resolve } = deferred<undefined>();
    this.#unblock = () => {
      resolve(undefined);
    };
    for (const lane of this.#lanes) {
      lane.pause(promise);
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { drainMs = 20_000 } = this.#options;
    for (const signal of SIGNALS) {
      process.off(signal, this.#onSignal);
    }
    try {
      await Promise.all(this.#lanes.map((lane) => lane.stop(drainMs)));
      await this.#connection.stop();
    } catch (error) {
      this.#log(`stopping: ${said(error)}`);
    }
    this.#status = "stopped";
    this.#log("stopped");
    this.#done.resolve(undefined);
  }
}
