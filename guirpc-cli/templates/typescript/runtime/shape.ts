// What values look like on the wire: data, from which they are checked, written and read.

/** What a value must look like. */
export type Shape =
  | { readonly kind: "any" }
  | { readonly kind: "never" }
  | { readonly kind: "null" }
  | { readonly kind: "boolean" }
  | { readonly kind: "integer"; readonly least: number; readonly most: number }
  | { readonly kind: "bigint"; readonly least: bigint; readonly most: bigint }
  | { readonly kind: "number"; readonly single: boolean }
  | { readonly kind: "text"; readonly least: number; readonly most: number }
  | { readonly kind: "literal"; readonly values: readonly Literal[] }
  | { readonly kind: "bytes"; readonly whole: boolean }
  | { readonly kind: "list"; readonly items: Shape; readonly least: number; readonly most: number }
  | { readonly kind: "tuple"; readonly items: readonly Shape[] }
  | { readonly kind: "object"; readonly fields: Readonly<Record<string, Field>>; readonly others: Shape | "ignored" | "refused" }
  | { readonly kind: "map"; readonly keys: "text" | "integer"; readonly values: Shape }
  | { readonly kind: "union"; readonly variants: readonly Shape[] }
  | { readonly kind: "all"; readonly parts: readonly Shape[] }
  | { readonly kind: "ref"; readonly target: () => Shape };

export type Literal = string | number | boolean | null;

/** A member of an object. */
export interface Field {
  readonly shape: Shape;
  readonly required: boolean;
  /** What stands for it where it is left out, as it travels. */
  readonly preset?: unknown;
}

/** An argument of a function. */
export interface ArgumentSchema extends Field {
  readonly name: string;
  /** Its type, as written in Rust. */
  readonly type: string;
}

/** A function, as the contract has it. */
export interface FunctionSchema {
  readonly name: string;
  readonly docs: string;
  readonly signature: string;
  readonly arguments: readonly ArgumentSchema[];
  readonly outputType: string;
  readonly output: Shape;
  readonly error?: Shape;
  readonly errorStatus: number;
  readonly timeoutMs?: number;
  readonly lane?: string;
  readonly idempotent: boolean;
  readonly ack: "after-reply" | "early";
}

/** A service, as the contract has it. */
export interface ServiceSchema {
  readonly name: string;
  /** The contract's hash. */
  readonly contract: string;
  /** The version of guirpc that made this package. */
  readonly guirpc: string;
  readonly functions: ReadonlyMap<string, FunctionSchema>;
}

export const any: Shape = { kind: "any" };
export const never: Shape = { kind: "never" };
export const nothing: Shape = { kind: "null" };
export const boolean: Shape = { kind: "boolean" };
export const double: Shape = { kind: "number", single: false };
export const float: Shape = { kind: "number", single: true };
/** Bytes as a whole: `bin` in MessagePack. */
export const bytes: Shape = { kind: "bytes", whole: true };
/** Bytes within something else: a list of numbers, which every reader takes. */
export const byteList: Shape = { kind: "bytes", whole: false };

export function integer(least: number, most: number): Shape {
  return { kind: "integer", least, most };
}

export function bigint(least: bigint, most: bigint): Shape {
  return { kind: "bigint", least, most };
}

export function text(least = 0, most = Infinity): Shape {
  return { kind: "text", least, most };
}

export function literal(...values: Literal[]): Shape {
  return { kind: "literal", values };
}

export function list(items: Shape, least = 0, most = Infinity): Shape {
  return { kind: "list", items, least, most };
}

export function tuple(...items: Shape[]): Shape {
  return { kind: "tuple", items };
}

export function object(fields: Record<string, Field>, others: Shape | "ignored" | "refused" = "ignored"): Shape {
  return { kind: "object", fields, others };
}

export function map(keys: "text" | "integer", values: Shape): Shape {
  return { kind: "map", keys, values };
}

export function union(...variants: Shape[]): Shape {
  return { kind: "union", variants };
}

export function all(...parts: Shape[]): Shape {
  return { kind: "all", parts };
}

export function ref(target: () => Shape): Shape {
  return { kind: "ref", target };
}

export function required(shape: Shape): Field {
  return { shape, required: true };
}

/** A member that may be left out; `preset` is what stands for it then, as it travels. */
export function optional(shape: Shape, preset?: unknown): Field {
  return preset === undefined ? { shape, required: false } : { shape, required: false, preset };
}

/** Whether nothing at all is a value of it. */
export function takesNull(shape: Shape): boolean {
  switch (shape.kind) {
    case "any":
    case "null":
      return true;
    case "literal":
      return shape.values.includes(null);
    case "union":
      return shape.variants.some(takesNull);
    case "ref":
      return takesNull(shape.target());
    default:
      return false;
  }
}
