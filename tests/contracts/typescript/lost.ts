// Calls in flight while the connection is lost: that of an idempotent function is made again, that of another is not.

import { CallError, ShopClient } from "shop";

const client = await ShopClient.connect(process.env["AMQP_URI"] ?? "", { timeoutMs: 60_000 });
const sum = client.add({ a: 2, b: 3 });
const placed = client.checksum({ data: Uint8Array.of(1) }, { timeoutMs: 60_000 });

const error: unknown = await placed.catch((error: unknown) => error);
console.log(error instanceof CallError ? `checksum: ${error.kind} ${String(error.mayHaveRun)} ${String(error.isRetryable)}` : `checksum: ${String(error)}`);
console.log(`add: ${String(await sum)}`);
// On the connection that there is now.
console.log(`again: ${String(await client.add({ a: 4, b: 5 }))}`);
await client.close();
