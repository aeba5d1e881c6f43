// What is said of a value that does not fit, and where in it the mistake is.

/** Where in a value: names of members, and numbers of elements. */
export type Path = readonly (string | number)[];

/** The deepest that lists and maps may be nested. */
export const DEEPEST = 127;

const LONGEST_SHOWN = 60;

/** A value is not what it should be. */
export class Mismatch extends Error {
  override readonly name = "Mismatch";
  readonly path: Path;
  /** Whether it merely belongs to another variant. */
  readonly isOther: boolean;

  constructor(path: Path, what: string, isOther = false) {
    super(path.length === 0 ? what : `\`${shownPath(path)}\`: ${what}`);
    this.path = path;
    this.isOther = isOther;
  }
}

export function shownPath(path: Path): string {
  return path.reduce<string>((shown, part) => {
    if (typeof part === "number") {
      return `${shown}[${String(part)}]`;
    }
    return shown === "" ? part : `${shown}.${part}`;
  }, "");
}

/** A value in a few words, for an error. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case "string": {
      const text = JSON.stringify(value.slice(0, LONGEST_SHOWN));
      return `the text ${text}${value.length > LONGEST_SHOWN ? "…" : ""}`;
    }
    case "number":
      return `the number ${String(value)}`;
    case "bigint":
      return `the integer ${String(value)}`;
    case "boolean":
      return String(value);
    case "undefined":
      return "nothing (undefined)";
    case "object":
      if (value === null) {
        return "nothing (null)";
      }
      if (value instanceof Uint8Array) {
        return `${String(value.length)} bytes`;
      }
      return Array.isArray(value) ? `a list of ${String(value.length)}` : "an object";
    default:
      return `a ${typeof value}`;
  }
}

export function wrong(path: Path, expected: string, value: unknown): Mismatch {
  return new Mismatch(path, `expected ${expected}, not ${shown(value)}`);
}

/** The mistake of a value that fits no variant: of the variant that it was meant to be, if that is clear. */
export function ofVariants(path: Path, mistakes: readonly Mismatch[], value: unknown): Mismatch {
  const meant = mistakes.filter((mistake) => !mistake.isOther);
  const deepest = Math.max(...meant.map((mistake) => mistake.path.length), 0);
  const inside = meant.filter((mistake) => mistake.path.length === deepest && deepest > path.length);
  const [only] = inside.length > 0 ? inside : meant;
  if (only !== undefined && (inside.length === 1 || meant.length === 1)) {
    return only;
  }
  const of = [...new Set(mistakes.map((mistake) => mistake.message))].slice(0, 4).join("; or ");
  return new Mismatch(path, `${shown(value)} fits no variant: ${of}`);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

/** Sets a member, whatever its name: an assignment to `__proto__` would be none. */
export function setMember(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === "__proto__") {
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
  } else {
    object[name] = value;
  }
}
