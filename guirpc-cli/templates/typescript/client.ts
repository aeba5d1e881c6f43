// A client of the service: a method for each of its functions.

import { Caller, type CallOptions, type ClientOptions } from "./runtime/caller.js";
@@IMPORT@@import { service } from "./schemas.js";
@@TYPES@@
@@ERRORS@@/**
 * Sends requests without waiting for replies (fire-and-forget).
 *
 * Each is persistent, and done when the broker has confirmed it. One that fails is a dead letter of the service.
 */
export class @@SENDER@@ {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }
@@SENDS@@}

/** Calls the service `@@SERVICE@@`. */
export class @@CLIENT@@ {
  readonly #caller: Caller;
  /** The same functions, without waiting for replies. */
  readonly send: @@SENDER@@;

  private constructor(caller: Caller) {
    this.#caller = caller;
    this.send = new @@SENDER@@(caller);
  }

  /**
   * Connects to the broker at this AMQP URI, or at the first of several, with commas between them, that answers.
   *
   * It connects again whenever the connection is lost.
   */
  static async connect(uri?: string, options: ClientOptions = {}): Promise<@@CLIENT@@> {
    const caller = new Caller(service, uri, options);
    await caller.start();
    return new @@CLIENT@@(caller);
  }

  /** Gives up what is in flight, and closes the connection. */
  async close(): Promise<void> {
    await this.#caller.close();
  }
@@CALLS@@}
