// Values of every kind, there and back, in both codecs.

import assert from "node:assert/strict";

import { CallError, KindsClient, type AdjacentOutput, type Internal, type Untagged } from "kinds";

const uri = process.env["AMQP_URI"] ?? "";
let passed = 0;

for (const codec of ["msgpack", "json"] as const) {
  const kinds = await KindsClient.connect(uri, { codec, timeoutMs: 20_000 });

  const scalars = {
    tiny: -128, small: 65_535, wide: -(1n << 63n), wider: (1n << 64n) - 1n, size: 7n, huge: 1n << (codec === "json" ? 100n : 62n),
    half: 0.5, whole: 1e300, letter: "ü", truth: true, unit: null,
  };
  assert.deepEqual(await kinds.scalars({ value: scalars }), scalars);
  for (const wrong of [{ tiny: 128 }, { half: 1e300 }, { letter: "ab" }, { wider: -1 }, { truth: 1 as never }, { small: 0.5 }]) {
    const error: unknown = await kinds.scalars({ value: { ...scalars, ...wrong } }).catch((error: unknown) => error);
    const [name = ""] = Object.keys(wrong);
    assert.ok(error instanceof CallError && error.kind === "unsendable" && error.message.includes(`\`value.${name}\``), String(error));
  }

  const adjacent: AdjacentOutput[] = [{ t: "Empty" }, { t: "Number", c: 1n << 60n }, { t: "Pair", c: [1, "a"] }, { t: "Fields", c: { a: true } }];
  for (const value of adjacent) {
    assert.deepEqual(await kinds.adjacent({ value }), value);
  }

  const internal: Internal[] = [{ shape: "Circle", radius: 1.5 }, { shape: "Square", side: 2.5 }, { shape: "Point" }];
  for (const value of internal) {
    assert.deepEqual(await kinds.internal({ value }), value);
  }

  const untagged: Untagged[] = [true, "text", { x: 1, y: -2 }, [1, 2, 3]];
  for (const value of untagged) {
    assert.deepEqual(await kinds.untagged({ value }), value);
  }

  const leaf = { value: 1n, children: [], next: null };
  const tree = { value: 2n, children: [leaf, { value: 3n, children: [leaf], next: null }], next: leaf };
  assert.deepEqual(await kinds.tree({ value: tree }), tree);
  assert.deepEqual(await kinds.tree({ value: { value: 1, children: [] } }), leaf);

  const flat = { id: 1, radius: 0.25, shape: "Square" as const, side: 2.5 };
  assert.deepEqual(await kinds.flat({ value: flat }), flat);

  const lists = {
    bytes: Uint8Array.of(0, 255), fixed: [1, 2, 3, 4] as [number, number, number, number], set: [1, 2],
    pairs: [["a", 1n << 63n]] as [string, bigint][], nested: [[1n, null], []],
  };
  assert.deepEqual(await kinds.lists({ value: lists }), lists);

  const maps = {
    by_text: { "": { t: "Empty" } as const, ["__proto__"]: { t: "Number", c: 5n } as const },
    by_number: { "18446744073709551615": "most", "0": "least" } as Record<number, string>,
    anything: { deep: [1, { er: null }], big: 1n << 60n, text: "ü" },
  };
  if (codec === "msgpack") {
    // Its decoder refuses this name.
    Reflect.deleteProperty(maps.by_text, "__proto__");
  }
  assert.deepEqual(await kinds.maps({ value: maps }), maps);

  assert.deepEqual(await kinds.defaults({ value: { "odd-name": "x", type: 1 } }), { count: 0n, note: null, "odd-name": "x", type: 1 });

  assert.deepEqual(await kinds.bytes({ data: Uint8Array.of(1, 2) }), Uint8Array.of(2, 1, 0, 0, 0, 0, 0, 0, 0, 0));
  assert.deepEqual(await kinds.bytes({ data: Uint8Array.of(), meters: 3 }), Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 3));

  assert.equal(await kinds.then_({ class: 7 }), 7);

  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const seen = await kinds.headers({ headers: { tenant: "acme" }, traceparent, baggage: "user=ada" });
  assert.equal(seen["tenant"], "acme");
  assert.match(seen["traceparent"] ?? "", /^00-4bf92f3577b34da6a3ce929d0e0e4736-/);
  assert.equal(seen["baggage"], "user=ada");
  assert.match(seen["guirpc-contract"] ?? "", /^[0-9a-f]{32}$/);
  assert.ok("guirpc-deadline" in seen && "guirpc-timeout" in seen);

  await kinds.close();
  passed += 1;
}
console.log(`${String(passed)} passed, 0 failed`);
