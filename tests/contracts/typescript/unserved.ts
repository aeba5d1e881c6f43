// Calls what nobody serves, what a deadline has passed for, and what a lost connection interrupts; each step on demand.

import { ShopClient } from "shop";

import { failure, run, test } from "./check.js";

const client = await ShopClient.connect(process.env["AMQP_URI"] ?? "");

test("nobody serves it", async () => {
  const expected = { kind: "unroutable", mayHaveRun: false, isRetryable: true, message: /no queue takes calls for service `shop`/ } as const;
  await failure(client.add({ a: 1, b: 2 }), expected);
  await failure(client.send.reset(), expected);
});

await run();
await client.close();
