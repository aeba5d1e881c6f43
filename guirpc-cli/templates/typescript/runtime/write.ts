// From the values of a program to what travels: checked first, so that nothing wrong is sent.

import { DEEPEST, Mismatch, isObject, ofVariants, setMember, wrong, type Path } from "./mismatch.js";
import { Float } from "./msgpack.js";
import type { Field, Shape } from "./shape.js";

/** How it will be written: JSON has neither bytes nor NaN, MessagePack no integer of more than 64 bits. */
export type Codec = "msgpack" | "json";

/** The value as it travels. */
export function write(shape: Shape, value: unknown, path: Path, codec: Codec): unknown {
  switch (shape.kind) {
    case "any":
      return writeAny(value, path, codec, 0);
    case "never":
      throw wrong(path, "no value at all", value);
    case "null":
      if (value !== null && value !== undefined) {
        throw wrong(path, "nothing (null)", value);
      }
      return null;
    case "boolean":
      if (typeof value !== "boolean") {
        throw wrong(path, "true or false", value);
      }
      return value;
    case "integer":
      return writeInteger(value, path, shape.least, shape.most);
    case "bigint":
      return writeBigint(value, path, codec, shape.least, shape.most);
    case "number":
      return writeNumber(value, path, codec, shape.single);
    case "text":
      return writeText(value, path, shape.least, shape.most);
    case "literal":
      if (!shape.values.some((known) => known === value)) {
        throw new Mismatch(path, wrong([], known(shape.values), value).message, true);
      }
      return value;
    case "bytes":
      return writeBytes(value, path, shape.whole && codec === "msgpack");
    case "list":
      return writeList(value, path, codec, shape);
    case "tuple":
      return writeTuple(value, path, codec, shape.items);
    case "object":
      return writeObject(value, path, codec, shape);
    case "map":
      return writeMap(value, path, codec, shape);
    case "union":
      return firstThatFits(shape.variants, path, value, (variant) => write(variant, value, path, codec));
    case "all":
      return Object.assign({}, ...shape.parts.map((part) => write(part, value, path, codec))) as unknown;
    case "ref":
      return write(shape.target(), value, path, codec);
  }
}

export function known(values: readonly unknown[]): string {
  return values.map((value) => JSON.stringify(value)).join(" or ");
}

/** The first variant that takes the value; serde reads variants in this order, too. */
export function firstThatFits<T>(variants: readonly Shape[], path: Path, value: unknown, use: (variant: Shape) => T): T {
  const mistakes: Mismatch[] = [];
  for (const variant of variants) {
    try {
      return use(variant);
    } catch (error) {
      if (!(error instanceof Mismatch)) {
        throw error;
      }
      mistakes.push(error);
    }
  }
  throw ofVariants(path, mistakes, value);
}

function writeInteger(value: unknown, path: Path, least: number, most: number): number {
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number) || number < least || number > most) {
    throw wrong(path, `an integer from ${String(least)} to ${String(most)}`, value);
  }
  return number === 0 ? 0 : number;
}

function writeBigint(value: unknown, path: Path, codec: Codec, least: bigint, most: bigint): bigint {
  if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new Mismatch(path, `the number ${String(value)} is beyond what a number holds exactly: give a bigint`);
  }
  const isInteger = typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
  const integer = isInteger ? BigInt(value) : undefined;
  if (integer === undefined || integer < least || integer > most) {
    throw wrong(path, `an integer from ${String(least)} to ${String(most)}`, value);
  }
  return sendable(integer, path, codec);
}

function sendable(integer: bigint, path: Path, codec: Codec): bigint {
  if (codec === "msgpack" && (integer < -(2n ** 63n) || integer >= 2n ** 64n)) {
    throw new Mismatch(path, `the integer ${String(integer)} does not fit into 64 bits; send it as JSON, or as a text`);
  }
  return integer;
}

function writeNumber(value: unknown, path: Path, codec: Codec, single: boolean): Float {
  if (typeof value !== "number") {
    throw wrong(path, "a number", value);
  }
  if (codec === "json" && !Number.isFinite(value)) {
    throw new Mismatch(path, `JSON has no number for ${String(value)}; send it as MessagePack, or as a text`);
  }
  if (single && Number.isFinite(value) && !Number.isFinite(Math.fround(value))) {
    throw new Mismatch(path, `the number ${String(value)} is beyond what a float of 32 bits holds`);
  }
  return new Float(value, single);
}

function writeText(value: unknown, path: Path, least: number, most: number): string {
  if (typeof value !== "string") {
    throw wrong(path, "a text", value);
  }
  if (least > 0 || most !== Infinity) {
    const length = Array.from(value).length;
    if (length < least || length > most) {
      throw wrong(path, least === most ? `a text of ${String(least)} characters` : `a text of ${String(least)} to ${String(most)} characters`, value);
    }
  }
  if (!value.isWellFormed()) {
    throw new Mismatch(path, "the text has half a surrogate pair in it, which UTF-8 cannot say");
  }
  return value;
}

function writeBytes(value: unknown, path: Path, whole: boolean): unknown {
  if (value instanceof Uint8Array) {
    return whole ? value : Array.from(value);
  }
  if (!Array.isArray(value)) {
    throw wrong(path, "bytes (a Uint8Array)", value);
  }
  const numbers = value.map((byte, index) => writeInteger(byte, [...path, index], 0, 255));
  return whole ? Uint8Array.from(numbers) : numbers;
}

function writeList(value: unknown, path: Path, codec: Codec, shape: { items: Shape; least: number; most: number }): unknown[] {
  if (!Array.isArray(value)) {
    throw wrong(path, "a list", value);
  }
  if (value.length < shape.least || value.length > shape.most) {
    throw wrong(path, ofLength("a list", shape.least, shape.most), value);
  }
  return Array.from(value, (item, index) => write(shape.items, item, [...path, index], codec));
}

function writeTuple(value: unknown, path: Path, codec: Codec, items: readonly Shape[]): unknown[] {
  if (!Array.isArray(value) || value.length !== items.length) {
    throw wrong(path, ofLength("a list", items.length, items.length), value);
  }
  return items.map((item, index) => write(item, value[index], [...path, index], codec));
}

export function ofLength(what: string, least: number, most: number): string {
  if (least === most) {
    return `${what} of ${String(least)}`;
  }
  return most === Infinity ? `${what} of ${String(least)} or more` : `${what} of ${String(least)} to ${String(most)}`;
}

function writeObject(value: unknown, path: Path, codec: Codec, shape: Extract<Shape, { kind: "object" }>): unknown {
  if (!isObject(value) || value instanceof Map) {
    throw wrong(path, "an object", value);
  }
  const written: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(shape.fields)) {
    writeField(written, name, field, value[name], [...path, name], codec);
  }
  for (const name of shape.others === "ignored" ? [] : Object.keys(value)) {
    if (Object.hasOwn(shape.fields, name) || value[name] === undefined) {
      continue;
    }
    if (shape.others === "refused") {
      throw new Mismatch(path, `it has no member \`${name}\``, true);
    }
    if (shape.others !== "ignored") {
      setMember(written, name, write(shape.others, value[name], [...path, name], codec));
    }
  }
  return written;
}

/** Writes a member, unless it may be left out and is. */
export function writeField(written: Record<string, unknown>, name: string, field: Field, value: unknown, path: Path, codec: Codec): void {
  if (value !== undefined) {
    setMember(written, name, write(field.shape, value, path, codec));
  } else if (field.required) {
    throw new Mismatch(path, "it is missing", true);
  }
}

function writeMap(value: unknown, path: Path, codec: Codec, shape: { keys: "text" | "integer"; values: Shape }): unknown {
  if (!isObject(value)) {
    throw wrong(path, "an object, or a Map", value);
  }
  const written: Record<string, unknown> = {};
  const entries: Iterable<[unknown, unknown]> = value instanceof Map ? value.entries() : Object.entries(value);
  for (const [key, item] of entries) {
    const name = String(key);
    if (shape.keys === "integer" && !/^(0|-?[1-9]\d*)$/.test(name)) {
      throw new Mismatch(path, `the key ${JSON.stringify(name)} is no integer`);
    }
    setMember(written, name, write(shape.values, item, [...path, name], codec));
  }
  return written;
}

/** What does not describe itself: whatever JSON and MessagePack have. */
function writeAny(value: unknown, path: Path, codec: Codec, depth: number): unknown {
  if (depth > DEEPEST) {
    throw new Mismatch(path, `it is nested more than ${String(DEEPEST)} levels deep`);
  }
  if (value === undefined || value === null) {
    return null;
  }
  if (typeof value === "number") {
    return Number.isSafeInteger(value) && !Object.is(value, -0) ? value : writeNumber(value, path, codec, false);
  }
  if (typeof value === "bigint") {
    return sendable(value, path, codec);
  }
  if (typeof value === "boolean" || typeof value === "string") {
    return value;
  }
  if (value instanceof Uint8Array) {
    return codec === "msgpack" ? value : Array.from(value);
  }
  if (Array.isArray(value)) {
    return Array.from(value, (item, index) => writeAny(item, [...path, index], codec, depth + 1));
  }
  if (!isObject(value)) {
    throw wrong(path, "what JSON has", value);
  }
  const written: Record<string, unknown> = {};
  const entries: Iterable<[unknown, unknown]> = value instanceof Map ? value.entries() : Object.entries(value);
  for (const [key, item] of entries) {
    if (item !== undefined) {
      setMember(written, String(key), writeAny(item, [...path, String(key)], codec, depth + 1));
    }
  }
  return written;
}
