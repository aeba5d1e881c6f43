// JSON whose integers are exact: `JSON.parse` would round those beyond 2^53.

import { DEEPEST, setMember } from "./mismatch.js";
import { Float } from "./msgpack.js";

/** Writes what travels, integers of any length among it. */
export function toJson(value: unknown): string {
  if (typeof value === "bigint") {
    return String(value);
  }
  if (value instanceof Float) {
    // As serde does, so that a float stays one for readers without a type.
    return Number.isSafeInteger(value.value) ? `${Object.is(value.value, -0) ? "-0" : String(value.value)}.0` : String(value.value);
  }
  if (Array.isArray(value)) {
    return `[${value.map(toJson).join(",")}]`;
  }
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}:${toJson(member)}`);
    return `{${members.join(",")}}`;
  }
  return value === undefined ? "null" : JSON.stringify(value);
}

/** Reads it: an integer is a number where that is exact, else a bigint. */
export function fromJson(text: string): unknown {
  return new Reader(text).whole();
}

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
// Up to the quote that ends it; what it may not hold, `JSON.parse` refuses.
const TEXT = /"(?:[^"\\]|\\.)*"/sy;
const SPACE = /[ \t\n\r]*/y;

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): unknown {
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) {
      throw this.#error("more follows");
    }
    return value;
  }

  #value(depth: number): unknown {
    if (depth > DEEPEST + 1) {
      throw this.#error(`it is nested more than ${String(DEEPEST)} levels deep`);
    }
    this.#space();
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object(depth);
      case "[":
        return this.#list(depth);
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): unknown {
    const object: Record<string, unknown> = {};
    this.#at += 1;
    if (this.#takes("}")) {
      return object;
    }
    do {
      this.#space();
      const name = this.#string();
      if (!this.#takes(":")) {
        throw this.#error("expected `:`");
      }
      const value = this.#value(depth + 1);
      if (Object.hasOwn(object, name)) {
        throw this.#error(`the member ${JSON.stringify(name)} is there twice`);
      }
      setMember(object, name, value);
    } while (this.#takes(","));
    if (!this.#takes("}")) {
      throw this.#error("expected `,` or `}`");
    }
    return object;
  }

  #list(depth: number): unknown[] {
    const list: unknown[] = [];
    this.#at += 1;
    if (this.#takes("]")) {
      return list;
    }
    do {
      list.push(this.#value(depth + 1));
    } while (this.#takes(","));
    if (!this.#takes("]")) {
      throw this.#error("expected `,` or `]`");
    }
    return list;
  }

  #string(): string {
    const literal = this.#match(TEXT)?.[0];
    if (literal === undefined) {
      throw this.#error("expected a text");
    }
    return JSON.parse(literal) as string;
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) {
      throw this.#error(`expected \`${word}\``);
    }
    this.#at += word.length;
    return value;
  }

  #number(): number | bigint {
    const found = this.#match(NUMBER);
    if (found === undefined) {
      throw this.#error("expected a value");
    }
    const [digits, fraction, exponent] = found;
    const number = Number(digits);
    const isExact = fraction !== undefined || exponent !== undefined || Number.isSafeInteger(number);
    return isExact ? number : BigInt(digits);
  }

  #takes(sign: string): boolean {
    this.#space();
    const isThere = this.#text[this.#at] === sign;
    this.#at += isThere ? 1 : 0;
    return isThere;
  }

  #space(): void {
    this.#match(SPACE);
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text) ?? undefined;
    this.#at += found?.[0].length ?? 0;
    return found;
  }

  #error(what: string): SyntaxError {
    return new SyntaxError(`${what} at character ${String(this.#at + 1)}`);
  }
}
