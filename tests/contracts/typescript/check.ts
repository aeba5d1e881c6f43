// Cases, one after another; the process ends with 1 if one fails.

import assert from "node:assert/strict";

import { CallError } from "shop";

/** What a call that fails has to say of itself. */
export interface Expected {
  readonly kind: CallError["kind"];
  readonly mayHaveRun: boolean;
  readonly isRetryable: boolean;
  readonly message: RegExp;
}

const cases: [string, () => Promise<void>][] = [];

export function test(name: string, run: () => Promise<void>): void {
  cases.push([name, run]);
}

export async function failure(call: Promise<unknown>, expected: Expected): Promise<CallError> {
  const error: unknown = await call.then((output) => assert.fail(`it gave ${String(output)}`), (error: unknown) => error);
  assert.ok(error instanceof CallError, String(error));
  const { kind, mayHaveRun, isRetryable } = error;
  assert.deepEqual({ kind, mayHaveRun, isRetryable }, { kind: expected.kind, mayHaveRun: expected.mayHaveRun, isRetryable: expected.isRetryable }, error.message);
  assert.match(error.message, expected.message);
  return error;
}

/** That nothing was sent: an argument is wrong, in this way. */
export async function refused(call: Promise<unknown>, message: RegExp): Promise<void> {
  await failure(call, { kind: "unsendable", mayHaveRun: false, isRetryable: false, message });
}

export async function run(): Promise<void> {
  let failed = 0;
  for (const [name, body] of cases) {
    try {
      await body();
      console.log(`ok ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED ${name}: ${error instanceof Error ? String(error.stack) : String(error)}`);
    }
  }
  console.log(`${String(cases.length - failed)} passed, ${String(failed)} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
