// MessagePack as serde writes it: integers as short as they are, floats always as floats.
//
// The encoder of `@msgpack/msgpack` makes integers of whole floats, and floats of integers beyond 32 bits: it is told
// neither from the other by JavaScript. So only its decoder is used.

import { decode, decodeMulti, type DecoderOptions } from "@msgpack/msgpack";

/** A number that is a float, also if it is whole. */
export class Float {
  readonly value: number;
  /** Whether it is one of 32 bits. */
  readonly single: boolean;

  constructor(value: number, single: boolean) {
    this.value = value;
    this.single = single;
  }
}

/** Reads a message; an error of it is a `RangeError`, or one of the decoder's. */
export function fromMsgpack(body: Uint8Array): unknown {
  return decode(body, options(body.length));
}

function options(most: number): DecoderOptions {
  // Each element takes a byte at least, so nothing that a message says of its lengths reserves more than it has.
  return {
    useBigInt64: true,
    maxStrLength: most,
    maxBinLength: most,
    maxArrayLength: most,
    maxMapLength: most,
    maxExtLength: most,
    mapKeyConverter: textOfKey,
  };
}

/** The key that a map has more than once, if there is one; it was read with so many members. */
export function repeatedKey(body: Uint8Array, members: number): string | undefined {
  const map = Buffer.from(body.buffer, body.byteOffset, body.length);
  const [count, start] = map[0] === 0xde ? [map.readUInt16BE(1), 3] : map[0] === 0xdf ? [map.readUInt32BE(1), 5] : [(map[0] ?? 0) & 0x0f, 1];
  if (count === members) {
    return undefined;
  }
  const seen = new Set<string>();
  let isKey = true;
  for (const part of decodeMulti(map.subarray(start), options(map.length))) {
    if (isKey) {
      const key = textOfKey(part);
      if (seen.has(key)) {
        return key;
      }
      seen.add(key);
    }
    isKey = !isKey;
  }
  return undefined;
}

function textOfKey(key: unknown): string {
  if (typeof key === "string" || typeof key === "number" || typeof key === "bigint" || typeof key === "boolean") {
    return String(key);
  }
  throw new SyntaxError("a key of a map is a text, a number or a truth value");
}

/** Writes what travels. */
export function toMsgpack(value: unknown): Buffer {
  const writer = new Writer();
  writer.value(value);
  return writer.done();
}

class Writer {
  #buffer = Buffer.allocUnsafe(256);
  #length = 0;

  done(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  value(value: unknown): void {
    if (value === null || value === undefined) {
      this.#head(0xc0);
    } else if (typeof value === "boolean") {
      this.#head(value ? 0xc3 : 0xc2);
    } else if (typeof value === "number" || typeof value === "bigint") {
      this.#integer(BigInt(value));
    } else if (value instanceof Float) {
      this.#float(value);
    } else if (typeof value === "string") {
      const bytes = Buffer.from(value, "utf8");
      this.#sized(bytes.length, [0xa0, 32], [0xd9, 0xda, 0xdb]);
      this.#bytes(bytes);
    } else if (value instanceof Uint8Array) {
      this.#sized(value.length, undefined, [0xc4, 0xc5, 0xc6]);
      this.#bytes(value);
    } else if (Array.isArray(value)) {
      this.#sized(value.length, [0x90, 16], [undefined, 0xdc, 0xdd]);
      for (const item of value) {
        this.value(item);
      }
    } else {
      const members = Object.entries(value);
      this.#sized(members.length, [0x80, 16], [undefined, 0xde, 0xdf]);
      for (const [name, member] of members) {
        this.value(name);
        this.value(member);
      }
    }
  }

  #integer(value: bigint): void {
    if (value >= -32n && value < 128n) {
      this.#head(Number(value) & 0xff);
    } else if (value >= 0n) {
      const width = value < 1n << 8n ? 0 : value < 1n << 16n ? 1 : value < 1n << 32n ? 2 : 3;
      this.#wide(0xcc + width, width, value);
    } else {
      const width = value >= -(1n << 7n) ? 0 : value >= -(1n << 15n) ? 1 : value >= -(1n << 31n) ? 2 : 3;
      this.#wide(0xd0 + width, width, BigInt.asUintN(64, value));
    }
  }

  /** A byte, and the lowest 1, 2, 4 or 8 bytes of an integer. */
  #wide(head: number, width: number, value: bigint): void {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigUInt64BE(value);
    this.#head(head);
    this.#bytes(bytes.subarray(8 - 2 ** width));
  }

  #float({ value, single }: Float): void {
    const bytes = Buffer.allocUnsafe(single ? 4 : 8);
    if (single) {
      bytes.writeFloatBE(value);
    } else {
      bytes.writeDoubleBE(value);
    }
    this.#head(single ? 0xca : 0xcb);
    this.#bytes(bytes);
  }

  /** How long what follows is: in the byte that says what it is, or behind one of 8, 16 or 32 bits. */
  #sized(length: number, short: [number, number] | undefined, heads: [number | undefined, number, number]): void {
    const [byte, two, four] = heads;
    if (short !== undefined && length < short[1]) {
      this.#head(short[0] + length);
    } else if (byte !== undefined && length < 1 << 8) {
      this.#wide(byte, 0, BigInt(length));
    } else if (length < 1 << 16) {
      this.#wide(two, 1, BigInt(length));
    } else {
      this.#wide(four, 2, BigInt(length));
    }
  }

  #head(byte: number): void {
    this.#reserve(1);
    this.#buffer[this.#length] = byte;
    this.#length += 1;
  }

  #bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #reserve(more: number): void {
    if (this.#length + more > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, this.#length + more));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
  }
}
