// From what travels to the values of a program: nothing in it is trusted.

import { DEEPEST, Mismatch, isObject, setMember, wrong, type Path } from "./mismatch.js";
import { takesNull, type Field, type Shape } from "./shape.js";
import { firstThatFits, known, ofLength } from "./write.js";

/** The value that has travelled. */
export function read(shape: Shape, wire: unknown, path: Path): unknown {
  switch (shape.kind) {
    case "any":
      return readAny(wire, path, 0);
    case "never":
      throw wrong(path, "no value at all", wire);
    case "null":
      if (wire !== null) {
        throw wrong(path, "nothing (null)", wire);
      }
      return null;
    case "boolean":
      if (typeof wire !== "boolean") {
        throw wrong(path, "true or false", wire);
      }
      return wire;
    case "integer":
      return Number(readInteger(wire, path, BigInt(shape.least), BigInt(shape.most)));
    case "bigint":
      return readInteger(wire, path, shape.least, shape.most);
    case "number":
      if (typeof wire !== "number" && typeof wire !== "bigint") {
        throw wrong(path, "a number", wire);
      }
      return Number(wire);
    case "text":
      return readText(wire, path, shape.least, shape.most);
    case "literal":
      if (!shape.values.some((value) => value === wire)) {
        throw new Mismatch(path, wrong([], known(shape.values), wire).message, true);
      }
      return wire;
    case "bytes":
      return readBytes(wire, path);
    case "list":
      return readList(wire, path, shape);
    case "tuple":
      return readTuple(wire, path, shape.items);
    case "object":
      return readObject(wire, path, shape);
    case "map":
      return readMap(wire, path, shape);
    case "union":
      return firstThatFits(shape.variants, path, wire, (variant) => read(variant, wire, path));
    case "all":
      return Object.assign({}, ...shape.parts.map((part) => read(part, wire, path))) as unknown;
    case "ref":
      return read(shape.target(), wire, path);
  }
}

function readInteger(wire: unknown, path: Path, least: bigint, most: bigint): bigint {
  const isInteger = typeof wire === "bigint" || (typeof wire === "number" && Number.isSafeInteger(wire));
  const integer = isInteger ? BigInt(wire) : undefined;
  if (integer === undefined || integer < least || integer > most) {
    throw wrong(path, `an integer from ${String(least)} to ${String(most)}`, wire);
  }
  return integer;
}

function readText(wire: unknown, path: Path, least: number, most: number): string {
  const length = typeof wire === "string" && (least > 0 || most !== Infinity) ? Array.from(wire).length : least;
  if (typeof wire !== "string" || length < least || length > most) {
    throw wrong(path, "a text", wire);
  }
  return wire;
}

/** A list of numbers and bytes are taken for each other; a text is never bytes. */
function readBytes(wire: unknown, path: Path): Uint8Array {
  if (wire instanceof Uint8Array) {
    return Uint8Array.from(wire);
  }
  if (!Array.isArray(wire)) {
    throw wrong(path, "bytes", wire);
  }
  return Uint8Array.from(wire, (byte, index) => Number(readInteger(byte, [...path, index], 0n, 255n)));
}

function elements(wire: unknown, path: Path, expected: string): unknown[] {
  if (wire instanceof Uint8Array) {
    return Array.from(wire);
  }
  if (!Array.isArray(wire)) {
    throw wrong(path, expected, wire);
  }
  return wire;
}

function readList(wire: unknown, path: Path, shape: { items: Shape; least: number; most: number }): unknown[] {
  const items = elements(wire, path, "a list");
  if (items.length < shape.least || items.length > shape.most) {
    throw wrong(path, ofLength("a list", shape.least, shape.most), wire);
  }
  return items.map((item, index) => read(shape.items, item, [...path, index]));
}

function readTuple(wire: unknown, path: Path, shapes: readonly Shape[]): unknown[] {
  const expected = ofLength("a list", shapes.length, shapes.length);
  const items = elements(wire, path, expected);
  if (items.length !== shapes.length) {
    throw wrong(path, expected, wire);
  }
  return shapes.map((shape, index) => read(shape, items[index], [...path, index]));
}

function readObject(wire: unknown, path: Path, shape: Extract<Shape, { kind: "object" }>): unknown {
  if (!isObject(wire)) {
    throw wrong(path, "an object", wire);
  }
  const value: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(shape.fields)) {
    const member = readField(field, Object.hasOwn(wire, name) ? wire[name] : undefined, [...path, name]);
    if (member !== undefined) {
      setMember(value, name, member);
    }
  }
  for (const name of shape.others === "ignored" ? [] : Object.keys(wire)) {
    if (Object.hasOwn(shape.fields, name)) {
      continue;
    }
    if (shape.others === "refused") {
      throw new Mismatch(path, `unknown member \`${name}\``, true);
    }
    if (shape.others !== "ignored") {
      setMember(value, name, read(shape.others, wire[name], [...path, name]));
    }
  }
  return value;
}

/** A member, or what stands for it if it is left out: `undefined` if that cannot be said. */
export function readField(field: Field, wire: unknown, path: Path): unknown {
  if (wire !== undefined) {
    return read(field.shape, wire, path);
  }
  if (field.required) {
    throw new Mismatch(path, "it is missing", true);
  }
  if (field.preset !== undefined) {
    return read(field.shape, field.preset, path);
  }
  return takesNull(field.shape) ? null : undefined;
}

function readMap(wire: unknown, path: Path, shape: { keys: "text" | "integer"; values: Shape }): unknown {
  if (!isObject(wire)) {
    throw wrong(path, "a map", wire);
  }
  const value: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(wire)) {
    if (shape.keys === "integer" && !/^-?\d+$/.test(key)) {
      throw new Mismatch(path, `the key ${JSON.stringify(key)} is no integer`);
    }
    setMember(value, key, read(shape.values, item, [...path, key]));
  }
  return value;
}

/** Integers are numbers where these hold them exactly, else bigints. */
function readAny(wire: unknown, path: Path, depth: number): unknown {
  if (depth > DEEPEST) {
    throw new Mismatch(path, `it is nested more than ${String(DEEPEST)} levels deep`);
  }
  if (typeof wire === "bigint") {
    const number = Number(wire);
    return Number.isSafeInteger(number) ? number : wire;
  }
  if (wire instanceof Uint8Array) {
    return Uint8Array.from(wire);
  }
  if (Array.isArray(wire)) {
    return wire.map((item, index) => readAny(item, [...path, index], depth + 1));
  }
  if (!isObject(wire)) {
    return wire;
  }
  const value: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(wire)) {
    setMember(value, key, readAny(item, [...path, key], depth + 1));
  }
  return value;
}
