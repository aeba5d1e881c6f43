// Bodies of messages: content types, arguments, outputs and failures.

import { readAlone, textOf, Unsupported, writeAlone, type AloneCodec } from "./alone.js";
import { said } from "./errors.js";
import { fromJson, toJson } from "./json.js";
import { Mismatch, isObject } from "./mismatch.js";
import { fromMsgpack, repeatedKey, toMsgpack } from "./msgpack.js";
import { read, readField } from "./read.js";
import type { FunctionSchema, Shape } from "./shape.js";
import { any } from "./shape.js";
import { write, writeField, type Codec } from "./write.js";

export const MSGPACK = "application/msgpack";
export const JSON_TYPE = "application/json";
export const TEXT = "text/plain";
const OCTETS = "application/octet-stream";

/** The content types that this package reads. */
export const CHOICES = `${MSGPACK}, ${JSON_TYPE}, ${TEXT}, ${OCTETS}`;

/** How a body is written: with names and lists, or as one value alone. */
export type AnyCodec = Codec | AloneCodec;

const CONTENT_TYPES: Readonly<Record<AnyCodec, string>> = { msgpack: MSGPACK, json: JSON_TYPE, text: TEXT, octets: OCTETS };

export function contentType(codec: AnyCodec): string {
  return CONTENT_TYPES[codec];
}

export function isAlone(codec: AnyCodec): codec is AloneCodec {
  return codec === "text" || codec === "octets";
}

/** The codec of a content type: upper case and parameters make no difference; without one it is MessagePack. */
export function codecOf(contentType: string | undefined): AnyCodec | undefined {
  const essence = (contentType ?? MSGPACK).split(";", 1)[0]?.trim().toLowerCase();
  switch (essence) {
    case MSGPACK:
    case "application/x-msgpack":
    case "application/vnd.msgpack":
      return "msgpack";
    case JSON_TYPE:
      return "json";
    case TEXT:
      return "text";
    case OCTETS:
      return "octets";
    default:
      return undefined;
  }
}

export function pack(wire: unknown, codec: Codec): Buffer {
  return codec === "json" ? Buffer.from(toJson(wire), "utf8") : toMsgpack(wire);
}

/** What a body holds, as it travels. */
export function unpack(body: Uint8Array, codec: Codec): unknown {
  if (codec === "json") {
    return fromJson(textOf(body));
  }
  return fromMsgpack(body);
}

/** The arguments of a call, by name. */
export function packArguments(fn: FunctionSchema, values: unknown, codec: Codec): Buffer {
  if (!isObject(values)) {
    throw new Mismatch([], `the arguments of \`${fn.name}\` are an object with its parameters as members`);
  }
  const written: Record<string, unknown> = {};
  for (const argument of fn.arguments) {
    writeField(written, argument.name, argument, values[argument.name], [argument.name], codec);
  }
  const names = fn.arguments.map((argument) => argument.name);
  for (const name of Object.keys(values)) {
    if (!names.includes(name) && values[name] !== undefined) {
      const takes = names.length === 0 ? "it takes none" : `it takes ${names.map((known) => `\`${known}\``).join(", ")}`;
      throw new Mismatch([], `\`${fn.name}\` has no argument \`${name}\`; ${takes}`);
    }
  }
  return pack(written, codec);
}

/** The arguments that a function is called with, and the names of those that it does not take. */
export function unpackArguments(fn: FunctionSchema, body: Uint8Array, codec: AnyCodec): { values: Record<string, unknown>; unknown: string[] } {
  if (isAlone(codec)) {
    return { values: unpackAlone(fn, body, codec), unknown: [] };
  }
  const wire = unpack(body, codec);
  const values: Record<string, unknown> = {};
  const names = fn.arguments.map((argument) => argument.name);
  const unknown = isObject(wire) ? Object.keys(wire).filter((name) => !names.includes(name)) : [];
  if (!Array.isArray(wire) && !isObject(wire)) {
    throw new Mismatch([], "the arguments are a map by their names, or a list");
  }
  if (Array.isArray(wire) && wire.length > fn.arguments.length) {
    throw new Mismatch([], `too many arguments: the function takes ${String(fn.arguments.length)}`);
  }
  const repeated = codec === "msgpack" && isObject(wire) ? repeatedKey(body, Object.keys(wire).length) : undefined;
  if (repeated !== undefined && names.includes(repeated)) {
    throw new Mismatch([], `argument \`${repeated}\` is there twice`);
  }
  for (const [position, argument] of fn.arguments.entries()) {
    const member: unknown = Array.isArray(wire) ? wire[position] : Object.hasOwn(wire, argument.name) ? wire[argument.name] : undefined;
    values[argument.name] = readArgument(argument, member);
  }
  return { values, unknown };
}

/** The only argument, of a body that is one value. */
function unpackAlone(fn: FunctionSchema, body: Uint8Array, codec: AloneCodec): Record<string, unknown> {
  const [argument, ...others] = fn.arguments;
  if (others.length > 0) {
    const names = fn.arguments.map(({ name }) => name).join(", ");
    throw new Unsupported(`it carries a single argument, and the function takes ${String(fn.arguments.length)}: ${names}`);
  }
  if (argument !== undefined) {
    return { [argument.name]: readAlone(argument.shape, body, codec) };
  }
  if (body.length > 0) {
    throw new Mismatch([], "the function takes no argument");
  }
  return {};
}

function readArgument(argument: FunctionSchema["arguments"][number], wire: unknown): unknown {
  if (wire === undefined && argument.required) {
    throw new Mismatch([], `argument \`${argument.name}\` is missing`);
  }
  try {
    return readField(argument, wire, []) ?? null;
  } catch (error) {
    throw new Mismatch([], `argument \`${argument.name}\`: ${said(error)}`);
  }
}

export function packValue(shape: Shape, value: unknown, codec: AnyCodec): Buffer {
  if (isAlone(codec)) {
    return writeAlone(shape, value, codec);
  }
  return pack(write(shape, value, [], codec), codec);
}

export function unpackValue(shape: Shape, body: Uint8Array, codec: AnyCodec): unknown {
  return isAlone(codec) ? readAlone(shape, body, codec) : read(shape, unpack(body, codec), []);
}

/** A fault or a refusal. */
export function packFailure(message: string, details: unknown, codec: AnyCodec | undefined): Buffer {
  if (codec === undefined || isAlone(codec)) {
    return Buffer.from(message, "utf8");
  }
  if (details === undefined) {
    return pack({ message }, codec);
  }
  try {
    return pack({ message, details: write(any, details, ["details"], codec) }, codec);
  } catch (error) {
    // The message is worth more than the details.
    return pack({ message: `${message} (its details cannot be sent: ${String(error)})` }, codec);
  }
}

export function unpackFailure(body: Uint8Array, codec: AnyCodec | undefined): { message: string; details?: unknown } {
  const asText = (): { message: string } => ({ message: new TextDecoder().decode(body) });
  if (codec === undefined || isAlone(codec)) {
    return asText();
  }
  try {
    const value = unpackValue(any, body, codec);
    if (!isObject(value) || typeof value["message"] !== "string") {
      return asText();
    }
    const message = value["message"];
    return Object.hasOwn(value, "details") ? { message, details: value["details"] } : { message };
  } catch {
    return asText();
  }
}
