// A connection to the broker that is opened again whenever it is lost.

import { setTimeout as sleep } from "node:timers/promises";

import { connect, type Channel, type ChannelModel } from "amqplib";

import { said } from "./errors.js";

const LONGEST_PAUSE_MS = 30_000;
const OPEN_TIMEOUT_MS = 30_000;

/** What is done with a connection once it is open. */
export interface Session {
  /** Sets up channels; `fail` gives the connection up. */
  open(model: ChannelModel, fail: (reason: string) => void): Promise<void>;
  /** It is lost. */
  lost(reason: string): void;
  blocked(reason: string | undefined): void;
}

/** URIs as a list; in errors they stand without their passwords. */
export function addresses(uri: string): readonly string[] {
  const all = uri.split(",").map((one) => one.trim()).filter((one) => one !== "");
  if (all.length === 0) {
    throw new Error("no broker: give a URI such as `amqp://guest:guest@localhost:5672`");
  }
  return all;
}

export function masked(uri: string): string {
  return uri.replace(/\/\/([^/@:]*):.*@/, "//$1:***@");
}

export class Connection {
  readonly #uris: readonly string[];
  readonly #name: string;
  readonly #session: Session;
  readonly #stopping = new AbortController();
  #model: ChannelModel | undefined;
  #lost: Promise<string> | undefined;
  #next = 0;

  constructor(uri: string | undefined, name: string, session: Session) {
    this.#uris = addresses(uri ?? process.env["AMQP_URI"] ?? "amqp://guest:guest@localhost:5672");
    this.#name = name;
    this.#session = session;
  }

  /** Where it is connected, or was last, without the password. */
  get address(): string {
    return masked(this.#uris[this.#next % this.#uris.length] ?? "");
  }

  /** Opens it for the first time, and keeps it open from then on; each broker is tried once. */
  async start(): Promise<void> {
    await this.#openAny();
    void this.#keep();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const model = this.#model;
    this.#model = undefined;
    // It may be lost already, which is as good.
    await model?.close().catch(() => undefined);
  }

  #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #openAny(): Promise<void> {
    const failures: string[] = [];
    for (let tried = 0; tried < this.#uris.length; tried += 1) {
      try {
        await this.#open();
        return;
      } catch (error) {
        failures.push(`${this.address}: ${said(error)}`);
        this.#next += 1;
      }
    }
    throw new Error(`cannot connect to the broker: ${failures.join("; ")}`);
  }

  async #open(): Promise<void> {
    const uri = this.#uris[this.#next % this.#uris.length] ?? "";
    const model = await connect(uri, {
      timeout: OPEN_TIMEOUT_MS,
      noDelay: true,
      clientProperties: { connection_name: this.#name },
    });
    let reason = "the broker closed it";
    const over = deferred<string>();
    model.on("error", (error: Error) => {
      reason = error.message;
    });
    model.on("close", () => {
      over.resolve(reason);
    });
    model.on("blocked", (why: string) => {
      this.#session.blocked(why);
    });
    model.on("unblocked", () => {
      this.#session.blocked(undefined);
    });
    const fail = (why: string): void => {
      reason = why;
      over.resolve(why);
      void model.close().catch(() => undefined);
    };
    try {
      await this.#session.open(model, fail);
    } catch (error) {
      await model.close().catch(() => undefined);
      throw error;
    }
    if (this.#isStopped()) {
      await model.close().catch(() => undefined);
      return;
    }
    this.#model = model;
    this.#lost = over.promise;
  }

  async #keep(): Promise<void> {
    while (!this.#isStopped()) {
      const reason = await (this.#lost ?? Promise.resolve("it was never open"));
      this.#model = undefined;
      if (this.#isStopped()) {
        return;
      }
      this.#session.blocked(undefined);
      this.#session.lost(reason);
      for (let attempt = 0; !this.#isStopped(); attempt += 1) {
        await sleep(pause(attempt), undefined, { signal: this.#stopping.signal }).catch(() => undefined);
        // Until it is stopped there is always another attempt.
        const isOpen = !this.#isStopped() && (await this.#openAny().then(() => true, () => false));
        if (isOpen) {
          break;
        }
      }
    }
  }
}

/** A promise, and what settles it. */
export function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let resolve: ((value: T) => void) | undefined;
  let reject: ((error: Error) => void) | undefined;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  // They are set before the constructor returns.
  return { promise, resolve: (value) => resolve?.(value), reject: (error) => reject?.(error) };
}

/** Exponential backoff with jitter, so that the clients of one broker spread out. */
function pause(attempt: number): number {
  const most = Math.min(LONGEST_PAUSE_MS, 100 * 2 ** Math.min(attempt, 20));
  return most * (0.5 + Math.random() / 2);
}

/** The code of a refusal by the broker, such as 403 or 404. */
export function codeOf(error: unknown): number | undefined {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "number" ? code : undefined;
}

/** Does something on a channel of its own, which a refusal costs. */
export async function onChannelOfItsOwn<T>(model: ChannelModel, act: (channel: Channel) => Promise<T>): Promise<T> {
  const channel = await model.createChannel();
  // The refusal is told by what is awaited.
  channel.on("error", () => undefined);
  const done = await act(channel);
  await channel.close().catch(() => undefined);
  return done;
}
