// The service `shop` in TypeScript: what `service.rs` does.

import { setTimeout as sleep } from "node:timers/promises";

import { Fault, errorOf, type ArticleOutput } from "shop";
import { serve } from "shop/server";

const server = await serve({
  add: ({ a, b }) => BigInt.asIntN(64, a + b),

  checksum: ({ data }) => data.reduce((sum, byte) => sum + BigInt(byte), 0n),

  fail: async ({ how }) => {
    switch (how) {
      case "panic":
        throw new Error("on purpose");
      case "slow":
        await sleep(5000);
        return;
      default:
        throw new Fault(409, "there already", { how });
    }
  },

  // eslint-disable-next-line @typescript-eslint/no-deprecated
  find: ({ name, limit }) =>
    Array.from({ length: limit ?? 3 }, (_, index): ArticleOutput => ({ id: BigInt(index + 1), name: `${name} ${String(index + 1)}`, tags: ["found"] })),

  opaque: ({ thing }) => {
    // `service.rs` takes a struct of one field.
    if (typeof thing !== "object" || thing === null || !("value" in thing)) {
      throw new Fault(400, "missing field `value`");
    }
    return { value: thing.value };
  },

  place: ({ order }) => {
    if (order.count === 0) {
      throw errorOf("place", "SoldOut");
    }
    if (order.count > 10) {
      throw errorOf("place", { TooMany: { left: 10 } });
    }
    const number = (1n << 60n) + order.article.id;
    return { number, total: (order.prices["unit"] ?? 1) * order.count, stock: { 7: 10 - order.count } };
  },

  reset: () => undefined,
});
console.log(`serving ${server.id}`);
await server.stopped;
