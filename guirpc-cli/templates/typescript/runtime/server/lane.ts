// A lane: its queues, what is done with each delivery, and in which order it is answered and acknowledged.

import { setTimeout as sleep } from "node:timers/promises";

import type { ChannelModel, ConfirmChannel, ConsumeMessage } from "amqplib";

import { said } from "../errors.js";
import { CALLS } from "../names.js";
import { alone, together, type Acknowledging, type Delivery } from "./delivery.js";
import type { Dispatcher } from "./dispatch.js";
import { failure, properties, type Reply } from "./reply.js";
import { Republisher } from "./republisher.js";
import { asAttempt, asDeadLetter, identity, isPublishable, type Death, type Request, type Role } from "./request.js";
import { LaneStatistics } from "./statistics.js";
import { declare, queuesOf, restore, type Queues } from "./topology.js";
import { step } from "./triage.js";

export interface LaneSettings {
  /** How many functions are under way at once. */
  readonly concurrency: number;
  readonly maxDeliveries: number;
  readonly log: (message: string) => void;
}

/** What one connection has of a lane. */
interface Open {
  readonly channel: ConfirmChannel;
  readonly republisher: Republisher;
  readonly acknowledging: Acknowledging;
  readonly tags: string[];
}

const RESTORE_MS = 5000;

export class Lane {
  readonly name: string | undefined;
  readonly queues: Queues;
  readonly statistics: LaneStatistics;
  readonly #dispatcher: Dispatcher;
  readonly #settings: LaneSettings;
  /** The last answers, by request, for those that the broker delivers again although they were answered, or are running. */
  readonly #answers = new Map<string, Promise<Reply>>();
  readonly #running = new Set<Promise<void>>();
  #open: Open | undefined;
  #restoring: NodeJS.Timeout | undefined;
  #unblocked: Promise<unknown> = Promise.resolve();
  #isStopping = false;

  constructor(name: string | undefined, dispatcher: Dispatcher, settings: LaneSettings) {
    this.name = name;
    this.queues = queuesOf(dispatcher.service.name, name);
    this.statistics = new LaneStatistics(dispatcher.service.functions.keys());
    this.#dispatcher = dispatcher;
    this.#settings = settings;
  }

  get busy(): number {
    return this.#running.size;
  }

  get concurrency(): number {
    return this.#settings.concurrency;
  }

  /** Begins nothing new until the promise is fulfilled: while the broker takes no replies. */
  pause(until: Promise<unknown>): void {
    this.#unblocked = until;
  }

  async open(model: ChannelModel, fail: (reason: string) => void): Promise<void> {
    await declare(model, this.queues);
    const { concurrency } = this.#settings;
    const channel = await model.createConfirmChannel();
    channel.on("error", (error: Error) => {
      fail(error.message);
    });
    channel.on("close", () => {
      fail("a channel was closed");
    });
    const acknowledging: Acknowledging = {
      ack: (message) => {
        channel.ack(message);
      },
      requeue: (message) => {
        channel.nack(message, false, true);
      },
      // The broker answers in order, so it has read all that was written before.
      barrier: async () => {
        await channel.prefetch(concurrency);
      },
    };
    const open: Open = { channel, republisher: new Republisher(model, channel), acknowledging, tags: [] };
    this.#open = open;
    // What comes again goes first.
    const consumed: [Role, number][] = [["quarantine", 1], ["retry", concurrency], ["own", concurrency], ["calls", Math.ceil(concurrency / 64)]];
    for (const [role, prefetch] of consumed) {
      await channel.prefetch(prefetch);
      const { consumerTag } = await channel.consume(this.queues[role], (message) => {
        if (message === null) {
          fail(`the queue \`${this.queues[role]}\` was deleted`);
        } else {
          this.#take(open, message, role);
        }
      });
      open.tags.push(consumerTag);
    }
    clearInterval(this.#restoring);
    this.#restoring = setInterval(() => {
      // That the connection is lost is told elsewhere.
      restore(model, this.queues).catch(() => undefined);
    }, RESTORE_MS).unref();
  }

  lost(): void {
    this.#open = undefined;
    clearInterval(this.#restoring);
  }

  /** Takes nothing new, and waits for what is under way. */
  async stop(drainMs: number): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#restoring);
    const open = this.#open;
    for (const tag of open?.tags ?? []) {
      // A lost connection has cancelled them all.
      await open?.channel.cancel(tag).catch(() => undefined);
    }
    const over = new AbortController();
    await Promise.race([Promise.all(this.#running), sleep(drainMs, undefined, { signal: over.signal }).catch(() => undefined)]);
    over.abort();
    // So that the broker has what was written last.
    await open?.acknowledging.barrier().catch(() => undefined);
  }

  #take(open: Open, message: ConsumeMessage, role: Role): void {
    const deliveries = message.properties.type === CALLS ? together(message, role, open.acknowledging) : [alone(message, role, open.acknowledging)];
    if (typeof deliveries === "string") {
      const whole = alone(message, role, open.acknowledging);
      this.#track(open, whole, this.#conclude(open, whole, failure("refusal", 400, deliveries, undefined)));
      return;
    }
    for (const delivery of deliveries) {
      this.#track(open, delivery, this.#handle(open, delivery));
    }
  }

  #track(open: Open, delivery: Delivery, handled: Promise<void>): void {
    const running = handled
      .catch(async (error: unknown) => {
        // A lost connection has it delivered again.
        if (open === this.#open) {
          const { function: name, correlationId = "" } = delivery.request;
          this.#settings.log(`the request ${correlationId} to \`${name}\` stays in its queue: ${said(error)}`);
          await sleep(1000, undefined, { ref: false });
          delivery.requeue();
        }
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #handle(open: Open, delivery: Delivery): Promise<void> {
    const { request } = delivery;
    const { replyTo } = request;
    if (replyTo !== undefined && !isPublishable(replyTo)) {
      const death: Death = { reason: "unanswerable", message: "the reply address is malformed", attempts: request.attempts };
      await this.#bury(open, delivery, death);
      return;
    }
    await this.#unblocked;
    if (this.#isStopping) {
      await this.#giveBack(open, delivery);
      return;
    }
    const statistics = this.statistics.of(request.function);
    const fn = this.#dispatcher.function(request);
    const answered = request.redelivered && fn?.ack !== "early" ? this.#answers.get(identity(request) ?? "") : undefined;
    if (answered !== undefined) {
      statistics.cached += 1;
      await this.#conclude(open, delivery, await answered);
      return;
    }
    const { maxDeliveries } = this.#settings;
    const isEarly = fn?.ack === "early";
    const isExpired = this.#dispatcher.isExpired(request, Date.now());
    const next = step({ ...request, isEarly, isExpired, isCoalesced: delivery.isCoalesced, maxDeliveries });
    statistics.redelivered += request.attempts > 0 ? 1 : 0;
    switch (next) {
      case "run":
        break;
      case "acknowledge-and-run":
        delivery.ack();
        await delivery.known();
        break;
      case "run-once-known":
        await open.acknowledging.barrier();
        break;
      case "part":
        await this.#giveBack(open, delivery);
        return;
      case "refuse": {
        const message = `\`${request.function}\` runs at most once (\`ack = "early"\`), and this request was delivered before`;
        await this.#conclude(open, delivery, failure("refusal", 409, message, undefined));
        return;
      }
      case "dead-letter":
        await this.#crashed(open, delivery);
        return;
      default:
        await this.#count(open, delivery, next, request.attempts);
        return;
    }
    await this.#run(open, delivery);
  }

  async #run(open: Open, delivery: Delivery): Promise<void> {
    const { request } = delivery;
    const statistics = this.statistics.of(request.function);
    const begun = Date.now();
    if (request.deadline !== undefined && request.timeoutMs !== undefined) {
      statistics.queueTime.note(begun - (request.deadline - request.timeoutMs));
    }
    statistics.begun += 1;
    statistics.inFlight += 1;
    const reply = this.#reply(request, begun);
    this.#remember(request, reply);
    const done = await reply;
    statistics.inFlight -= 1;
    statistics.note(done);
    await this.#conclude(open, delivery, done);
  }

  async #reply(request: Request, now: number): Promise<Reply> {
    const refusal = this.#dispatcher.refusal(request, now);
    const fn = this.#dispatcher.function(request);
    if (refusal !== undefined || fn === undefined || request.codec === undefined) {
      return refusal ?? failure("refusal", 404, `no function named \`${request.function}\``, request.codec);
    }
    const prepared = this.#dispatcher.prepare(fn, request, request.codec);
    if (typeof prepared !== "function") {
      return prepared;
    }
    const started = performance.now();
    const reply = await prepared();
    this.statistics.of(fn.name).runTime.note(performance.now() - started);
    return reply;
  }

  /** Keeps an answer, and the last ones: as many as the broker can have lost the acknowledgements of. */
  #remember(request: Request, reply: Promise<Reply>): void {
    const key = identity(request);
    if (key === undefined) {
      return;
    }
    this.#answers.set(key, reply);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > 2 * this.#settings.concurrency && oldest !== undefined) {
      this.#answers.delete(oldest);
    }
  }

  /** Answers, acknowledges, and does what follows from a failure that nobody waits for. */
  async #conclude(open: Open, delivery: Delivery, reply: Reply): Promise<void> {
    const { request } = delivery;
    const fn = this.#dispatcher.function(request);
    if (request.replyTo !== undefined) {
      if (reply.kind === "refusal") {
        // That nothing ran is certain when no other server can have it.
        delivery.ack();
        const isCertain = await delivery.known();
        this.#publish(open, request, reply, isCertain ? request.attempts : Math.max(1, request.attempts));
      } else {
        this.#publish(open, request, reply, 0);
        delivery.ack();
      }
      return;
    }
    if (reply.status < 400 || reply.status === 408) {
      delivery.ack();
      return;
    }
    const ran = reply.kind === "refusal" ? 0 : 1;
    const attempts = request.attempts + ran;
    const death: Death = { reason: "failed", message: reply.message ?? "", attempts, status: reply.status };
    if (fn?.idempotent === true && reply.status >= 500 && attempts < this.#settings.maxDeliveries) {
      this.statistics.of(request.function).retries += 1;
      await this.#count(open, delivery, attempts === 1 ? "retry" : "quarantine", attempts);
    } else {
      await this.#bury(open, delivery, death);
    }
  }

  #publish(open: Open, request: Request, reply: Reply, attempts: number): void {
    open.channel.publish("", request.replyTo ?? "", reply.body, properties(reply, request.correlationId, attempts));
  }

  /** Puts it back as it was, since it has not begun. */
  async #giveBack(open: Open, delivery: Delivery): Promise<void> {
    const { request, role } = delivery;
    // A count is believed only in the queues where servers alone put requests.
    const counted = request.attempts - (request.redelivered ? 1 : 0);
    const queue = role === "calls" ? this.queues.own : this.queues[role];
    await open.republisher.publish(queue, request.body, asAttempt(request, counted, Date.now()));
    delivery.ack();
  }

  async #count(open: Open, delivery: Delivery, role: "retry" | "quarantine", attempts: number): Promise<void> {
    const { request } = delivery;
    try {
      await open.republisher.publish(this.queues[role], request.body, asAttempt(request, attempts, Date.now()));
    } catch (error) {
      if (open !== this.#open) {
        throw error;
      }
      const message = `\`${request.function}\` may have begun on this request before, and is not run again since that cannot be counted: ${said(error)}`;
      await this.#fail(open, delivery, { reason: "uncounted", message, attempts });
      return;
    }
    delivery.ack();
  }

  async #crashed(open: Open, delivery: Delivery): Promise<void> {
    const { function: name, attempts } = delivery.request;
    const message = `\`${name}\` has begun ${String(attempts)} times on this request, and never came to an end`;
    await this.#fail(open, delivery, { reason: "crashed", message, attempts });
  }

  async #fail(open: Open, delivery: Delivery, death: Death): Promise<void> {
    if (delivery.request.replyTo !== undefined) {
      this.#publish(open, delivery.request, failure("fault", 500, death.message, undefined), 0);
    }
    await this.#bury(open, delivery, death);
  }

  async #bury(open: Open, delivery: Delivery, death: Death): Promise<void> {
    const { request } = delivery;
    this.statistics.of(request.function).deadLetters += 1;
    this.#settings.log(`\`${request.function}\`: a request became a dead letter (${death.reason}): ${death.message}`);
    const letter = asDeadLetter(request, this.queues.own, death, Date.now());
    await open.republisher.publish(this.queues.dead, request.body, letter);
    delivery.ack();
  }
}
