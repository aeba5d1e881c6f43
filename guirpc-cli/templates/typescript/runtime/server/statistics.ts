// How functions do, as servers are asked on the control exchange.

import type { Reply } from "./reply.js";

/** Times in buckets, each within 1/32 of what is in it. */
class Times {
  readonly #buckets = new Map<number, number>();
  #count = 0;
  #sum = 0;
  #most = 0;

  note(milliseconds: number): void {
    const microseconds = Math.max(0, Math.round(milliseconds * 1000));
    const scale = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, microseconds))) - 5);
    const bucket = Math.ceil(microseconds / scale) * scale;
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
    this.#count += 1;
    this.#sum += microseconds;
    this.#most = Math.max(this.#most, microseconds);
  }

  answer(): unknown {
    const buckets = [...this.#buckets].sort(([one], [other]) => one - other);
    const quantile = (share: number): number => {
      let seen = 0;
      const found = buckets.find(([, count]) => (seen += count) >= share * this.#count);
      return Math.min(found?.[0] ?? 0, this.#most);
    };
    return { count: this.#count, sum_us: this.#sum, p50_us: quantile(0.5), p99_us: quantile(0.99), max_us: this.#most };
  }
}

export class FunctionStatistics {
  begun = 0;
  inFlight = 0;
  outputs = 0;
  errors = 0;
  faults = 0;
  cached = 0;
  redelivered = 0;
  retries = 0;
  deadLetters = 0;
  readonly refusals = new Map<number, number>();
  readonly runTime = new Times();
  readonly queueTime = new Times();
  lastFailure: { status: number; time: number } | undefined;

  note(reply: Reply): void {
    switch (reply.kind) {
      case "output":
        this.outputs += 1;
        return;
      case "error":
        this.errors += 1;
        break;
      case "fault":
        this.faults += 1;
        break;
      case "refusal":
        this.refusals.set(reply.status, (this.refusals.get(reply.status) ?? 0) + 1);
        return;
    }
    this.lastFailure = { status: reply.status, time: Math.floor(Date.now() / 1000) };
  }

  answer(name: string): unknown {
    return {
      function: name,
      requests: this.begun,
      in_flight: this.inFlight,
      outputs: this.outputs,
      errors: this.errors,
      faults: this.faults,
      refusals: Object.fromEntries(this.refusals),
      cached: this.cached,
      redelivered: this.redelivered,
      retries: this.retries,
      dead_letters: this.deadLetters,
      run_time: this.runTime.answer(),
      queue_time: this.queueTime.answer(),
      last_failure: this.lastFailure ?? null,
    };
  }
}

/** Of the functions of a lane; those that the service does not have are counted together. */
export class LaneStatistics {
  readonly #functions = new Map<string, FunctionStatistics>();
  readonly #known: ReadonlySet<string>;

  constructor(known: Iterable<string>) {
    this.#known = new Set(known);
  }

  of(name: string): FunctionStatistics {
    const counted = this.#known.has(name) ? name : "_OTHER";
    const statistics = this.#functions.get(counted) ?? new FunctionStatistics();
    this.#functions.set(counted, statistics);
    return statistics;
  }

  answer(): unknown[] {
    const seen = [...this.#functions].filter(([, statistics]) => statistics.begun + statistics.cached > 0);
    return seen.sort(([one], [other]) => (one < other ? -1 : 1)).map(([name, statistics]) => statistics.answer(name));
  }
}
