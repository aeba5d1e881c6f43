// A client of the service: a method for each of its functions.

import { Caller, type CallOptions, type ClientOptions } from "./runtime/caller.js";
{{import}}import { service } from "./schemas.js";
{{types}}
{{errors}}/**
 * Sends requests without waiting for replies (fire-and-forget).
 *
 * Each is persistent, and done when the broker has confirmed it. One that fails is a dead letter of the service.
 */
export class {{sender}} {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }
{{sends}}}

/** Calls the service `{{service}}`. */
export class {{client}} {
  readonly #caller: Caller;
  /** The same functions, without waiting for replies. */
  readonly send: {{sender}};

  private constructor(caller: Caller) {
    this.#caller = caller;
    this.send = new {{sender}}(caller);
  }

  /**
   * Connects to the broker at this AMQP URI, or at the first of several, with commas between them, that answers.
   *
   * It connects again whenever the connection is lost.
   */
  static async connect(uri?: string, options: ClientOptions = {}): Promise<{{client}}> {
    const caller = new Caller(service, uri, options);
    await caller.start();
    return new {{client}}(caller);
  }

  /** Gives up what is in flight, and closes the connection. */
  async close(): Promise<void> {
    await this.#caller.close();
  }
{{calls}}}
