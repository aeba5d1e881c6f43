// Calls the service `shop`, whoever serves it: in Rust, or in TypeScript.

import assert from "node:assert/strict";

import { Fault, FunctionError, Refused, ShopClient, isErrorOf, type OrderInput } from "shop";

import { failure, refused, run, test } from "./check.js";

const uri = process.env["AMQP_URI"] ?? "";
const client = await ShopClient.connect(uri, { timeoutMs: 20_000, appId: "typescript" });
const inJson = await ShopClient.connect(uri, { timeoutMs: 20_000, codec: "json" });

const order: OrderInput = {
  article: { id: 7, name: "tea" },
  count: 2,
  delivery: { kind: "parcel", street: "Long Lane", weight: 0.5 },
  prices: { unit: 1.25 },
};

for (const [codec, shop] of [["msgpack", client], ["json", inJson]] as const) {
  test(`${codec}: integers of 64 bits are exact`, async () => {
    assert.equal(await shop.add({ a: 2, b: -3n }), -1n);
    assert.equal(await shop.add({ a: (1n << 53n) + 1n, b: 2n }), (1n << 53n) + 3n);
    assert.equal(await shop.add({ a: -(1n << 63n), b: 0 }), -(1n << 63n));
    assert.equal(await shop.add({ a: 5_000_000_000, b: 1 }), 5_000_000_001n);
  });

  test(`${codec}: bytes`, async () => {
    assert.equal(await shop.checksum({ data: Uint8Array.from([1, 2, 253]) }), 256n);
    assert.equal(await shop.checksum({ data: new Uint8Array(100_000).fill(1) }), 100_000n);
  });

  test(`${codec}: an optional argument, a lane, objects`, async () => {
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    assert.deepEqual(await shop.find({ name: "tea", limit: 1 }), [{ id: 1n, name: "tea 1", tags: ["found"] }]);
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    assert.equal((await shop.find({ name: "tea" })).length, 3);
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    assert.equal((await shop.find({ name: "tea", limit: null })).length, 3);
  });

  test(`${codec}: what does not describe itself`, async () => {
    const thing = { value: [1, "two", { three: 3.5 }, null, true, 9_007_199_254_740_993n] };
    assert.deepEqual(await shop.opaque({ thing }), thing);
  });

  test(`${codec}: a struct in which there is everything`, async () => {
    const receipt = await shop.place({ order });
    assert.deepEqual(receipt, { number: (1n << 60n) + 7n, total: 2.5, stock: { 7: 8 } });
    const other = { ...order, delivery: { kind: "pickup" } as const, note: "quick", size: { Custom: [1, 2] as [number, number] } };
    assert.equal((await shop.place({ order: other })).total, 2.5);
    assert.equal((await shop.place({ order: { ...order, size: "Small", note: null } })).total, 2.5);
  });

  test(`${codec}: errors of a function's own are typed`, async () => {
    const expected = { kind: "function", mayHaveRun: true, isRetryable: false, message: /TooMany/ } as const;
    const error = await failure(shop.place({ order: { ...order, count: 11 } }), expected);
    assert.ok(isErrorOf(error, "place"));
    const own = error.error;
    assert.ok(own !== "SoldOut" && own.TooMany.left === 10);
    const soldOut: unknown = await shop.place({ order: { ...order, count: 0 } }).catch((error: unknown) => error);
    assert.ok(isErrorOf(soldOut, "place") && soldOut instanceof FunctionError && soldOut.error === "SoldOut");
  });

  test(`${codec}: nothing`, async () => {
    await shop.reset();
  });

  test(`${codec}: a fault`, async () => {
    const expected = { kind: "fault", mayHaveRun: true, isRetryable: false, message: /^there already$/ } as const;
    const error = await failure(shop.fail({ how: "fault" }), expected);
    assert.ok(error instanceof Fault && error.status === 409);
    assert.deepEqual(error.details, { how: "fault" });
    const panic = await failure(shop.fail({ how: "panic" }), { ...expected, message: /on purpose/ });
    assert.ok(panic instanceof Fault && panic.status === 500);
  });
}

test("a wrong argument is refused before it is sent", async () => {
  const wrong = (value: unknown): never => value as never;
  await refused(client.add({ a: wrong("2"), b: 3 }), /`a`: expected an integer .*, not the text "2"/);
  await refused(client.add({ a: 1n << 63n, b: 3 }), /`a`: expected an integer from -9223372036854775808/);
  await refused(client.add({ a: 1.5, b: 3 }), /`a`: expected an integer/);
  await refused(client.add({ a: 2 ** 60, b: 3 }), /`a`: .*give a bigint/);
  await refused(client.add(wrong({ a: 1 })), /`b`: it is missing/);
  await refused(client.add(wrong({ a: 1, b: 2, c: 3 })), /no argument `c`; it takes `a`, `b`/);
  await refused(client.place({ order: { ...order, count: 65_536 } }), /`order\.count`: expected an integer from 0 to 65535/);
  await refused(client.place({ order: { ...order, article: wrong({ id: 1 }) } }), /`order\.article\.name`: it is missing/);
  await refused(client.place({ order: { ...order, size: { Custom: wrong([1]) } } }), /`order\.size\.Custom`: expected a list of 2/);
  await refused(client.place({ order: { ...order, delivery: wrong({ kind: "parcel", street: 7, weight: 1 }) } }), /`order\.delivery\.street`: expected a text/);
  await refused(client.place({ order: { ...order, delivery: wrong({ kind: "plane" }) } }), /`order\.delivery`/);
  await refused(client.place({ order: { ...order, prices: { unit: wrong("1") } } }), /`order\.prices\.unit`: expected a number/);
  await refused(inJson.place({ order: { ...order, prices: { unit: NaN } } }), /JSON has no number for NaN/);
  await refused(client.checksum({ data: wrong("text") }), /`data`: expected bytes/);
  await refused(client.add({ a: 1, b: 2 }, { headers: { "guirpc-deadline": 1 } }), /guirpc's own/);
});

test("what is too large is refused before it is sent", async () => {
  const small = await ShopClient.connect(uri, { maxBody: 100 });
  await refused(small.checksum({ data: new Uint8Array(101) }), /at most 100/);
  await small.close();
});

test("a deadline ends the wait", async () => {
  const begun = Date.now();
  const expected = { kind: "timed-out", mayHaveRun: true, isRetryable: false, message: /no reply within 300 ms/ } as const;
  await failure(client.fail({ how: "slow" }, { timeoutMs: 300 }), expected);
  assert.ok(Date.now() - begun < 4000);
});

test("a signal ends the wait", async () => {
  const over = AbortSignal.timeout(200);
  const expected = { kind: "aborted", mayHaveRun: true, isRetryable: false, message: /given up/ } as const;
  await failure(client.fail({ how: "slow" }, { signal: over }), expected);
  const before = { ...expected, mayHaveRun: false, isRetryable: true };
  await failure(client.fail({ how: "slow" }, { signal: AbortSignal.abort() }), before);
});

test("a send is done when it is confirmed", async () => {
  await client.send.reset();
  await client.send.add({ a: 1, b: 2 });
  await refused(client.send.add({ a: 1, b: "2" as never }), /`b`/);
});

test("calls in flight find their own replies", async () => {
  const sums = await Promise.all(Array.from({ length: 300 }, (_, number) => client.add({ a: number, b: 1000 })));
  assert.deepEqual(sums, sums.map((_, number) => BigInt(number + 1000)));
});

test("a closed client says so", async () => {
  const closed = await ShopClient.connect(uri);
  const waiting = closed.fail({ how: "slow" });
  setTimeout(() => void closed.close(), 300);
  await failure(waiting, { kind: "aborted", mayHaveRun: true, isRetryable: false, message: /given up/ });
  await failure(closed.reset(), { kind: "aborted", mayHaveRun: false, isRetryable: true, message: /given up/ });
  assert.ok(!(new Refused(404, "", false, false).isRetryable));
});

await run();
await client.close();
await inJson.close();
