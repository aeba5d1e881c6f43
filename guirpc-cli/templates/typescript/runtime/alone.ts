// Bodies that are one value as it is: text/plain and application/octet-stream.

import { Mismatch, wrong } from "./mismatch.js";
import { Float } from "./msgpack.js";
import { read } from "./read.js";
import type { Shape } from "./shape.js";
import { write } from "./write.js";

export type AloneCodec = "text" | "octets";

/** No body of this content type could be what is wanted. */
export class Unsupported extends Error {
  override readonly name = "Unsupported";
}

/** The text of a body; what is no UTF-8 is an error. */
export function textOf(body: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
}

export function readAlone(shape: Shape, body: Uint8Array, codec: AloneCodec): unknown {
  if (codec === "text") {
    return read(shape, ofText(shape, textOf(body)), []);
  }
  const { kind } = target(shape);
  if (kind !== "bytes" && kind !== "list") {
    throw new Unsupported("application/octet-stream carries bytes");
  }
  return read(shape, body, []);
}

export function writeAlone(shape: Shape, value: unknown, codec: AloneCodec): Buffer {
  const wire = write(shape, value, [], "msgpack");
  if (target(shape).kind === "null") {
    return Buffer.alloc(0);
  }
  if (codec === "text") {
    return Buffer.from(toText(wire), "utf8");
  }
  if (target(shape).kind === "bytes") {
    return Buffer.from(wire as Uint8Array | number[]);
  }
  throw new Mismatch([], "application/octet-stream carries bytes");
}

function target(shape: Shape): Shape {
  return shape.kind === "ref" ? target(shape.target()) : shape;
}

const INTEGER = /^[+-]?\d{1,20}$/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const NOT_FINITE: Readonly<Record<string, number>> = { NaN: Number.NaN, inf: Infinity, "-inf": -Infinity };

/** The value as it would travel, out of the form that Rust's `FromStr` reads. */
function ofText(shape: Shape, text: string): unknown {
  switch (shape.kind) {
    case "ref":
      return ofText(shape.target(), text);
    case "text":
      return text;
    case "literal":
      return shape.values.find((value) => String(value) === text) ?? text;
    case "null":
      return text === "" ? null : text;
    case "boolean":
      return text === "true" || (text === "false" ? false : text);
    case "integer":
    case "bigint":
      if (!INTEGER.test(text)) {
        throw wrong([], "an integer", text);
      }
      return BigInt(text.replace("+", ""));
    case "number":
      if (!NUMBER.test(text) && !Object.hasOwn(NOT_FINITE, text)) {
        throw wrong([], "a number", text);
      }
      return NOT_FINITE[text] ?? Number(text);
    case "union": {
      const [variant, ...others] = shape.variants.filter((other) => target(other).kind !== "null");
      const isOptional = others.length + 1 < shape.variants.length;
      if (isOptional && text === "") {
        return null;
      }
      if (shape.variants.every((other) => target(other).kind === "literal")) {
        return text;
      }
      if (variant !== undefined && others.length === 0) {
        return ofText(variant, text);
      }
    }
  }
  throw new Unsupported("text/plain carries one scalar");
}

/** As Rust's `Display` writes it. */
function toText(wire: unknown): string {
  if (wire instanceof Float) {
    return String(wire.value).replace("Infinity", "inf");
  }
  if (typeof wire === "string" || typeof wire === "number" || typeof wire === "bigint" || typeof wire === "boolean") {
    return String(wire);
  }
  throw new Mismatch([], "text/plain carries one scalar");
}
