// What is to be done before a request is run that may have been run before. Pure data.
//
// The broker marks what it delivers again, and marks it whether its function had begun or it was merely fetched. So a
// marked request is published again with its count before it is run, and the next mark is one more.

export interface Facts {
  readonly redelivered: boolean;
  readonly attempts: number;
  readonly maxDeliveries: number;
  /** Whether it is acknowledged before it runs. */
  readonly isEarly: boolean;
  readonly isExpired: boolean;
  readonly isCoalesced: boolean;
}

export type Step =
  | "run"
  /** Acknowledge it, and run it when the broker knows. */
  | "acknowledge-and-run"
  /** Run it when the broker knows all acknowledgements until now. */
  | "run-once-known"
  /** Publish it again as it was, alone. */
  | "part"
  /** It runs at most once, and may have run. */
  | "refuse"
  /** It has begun too often. */
  | "dead-letter"
  /** Publish it again with its count, into this queue. */
  | "retry"
  | "quarantine";

export function step(facts: Facts): Step {
  const { attempts, maxDeliveries } = facts;
  if (facts.isEarly) {
    if (attempts > 0) {
      return "refuse";
    }
    return facts.isCoalesced ? "part" : "acknowledge-and-run";
  }
  if (attempts === 0) {
    return "run";
  }
  if (!facts.redelivered || facts.isExpired) {
    return "run-once-known";
  }
  if (attempts >= maxDeliveries) {
    return "dead-letter";
  }
  return attempts > 1 || attempts + 1 >= maxDeliveries ? "quarantine" : "retry";
}
