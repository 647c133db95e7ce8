/** parameter-styles: how a value is written in a parameter (OpenAPI 3.1, section 4.8.12.4). */
import { coerce, type ValueShape } from "./value-shape.ts";
import { flaw, type Flaw } from "./violation.ts";

export type Style =
  | "simple"
  | "label"
  | "matrix"
  | "form"
  | "spaceDelimited"
  | "pipeDelimited"
  | "deepObject";

/** What could not be read: a rule of our own, and what it says as the end of a sentence. */
export class Unreadable {
  readonly flaw: Flaw;

  constructor(rule: string, message: string, given = "") {
    this.flaw = flaw(rule, message, given);
  }
}

export const BROKEN_ENCODING = new Unreadable("encoding", "is not correctly percent-encoded UTF-8");
export const SEVERAL = new Unreadable("repeated", "must not be given more than once");

/** Undoes percent-encoding; with `+` for a space where it is of a form. Undefined where it is broken. */
export function decodeText(text: string, isForm: boolean): string | undefined {
  // Beyond ASCII nothing may stand as it is; servers do not agree on what it would mean.
  if (/[^\x00-\x7f]/.test(text)) return undefined;
  try {
    return decodeURIComponent(isForm ? text.replaceAll("+", " ") : text);
  } catch {
    return undefined;
  }
}

/** The parts of one text that are values; split before it is decoded, so that an encoded comma is data. */
export function readDelimited(
  raw: string,
  separator: string | RegExp,
  shape: ValueShape,
  decode: (text: string) => string | undefined,
): unknown {
  const parts: string[] = [];
  for (const part of shape.kind === "single" ? [raw] : raw === "" ? [] : raw.split(separator)) {
    const decoded = decode(part);
    if (decoded === undefined) return BROKEN_ENCODING;
    parts.push(decoded);
  }
  if (shape.kind === "single") return coerce(parts[0]!, shape);
  if (shape.kind === "list") return parts.map((part) => coerceItem(part, shape));
  if (parts.length % 2 !== 0) return new Unreadable("style", "must be names and values in turn");
  const pairs: [string, string][] = [];
  for (let index = 0; index < parts.length; index += 2)
    pairs.push([parts[index]!, parts[index + 1]!]);
  return mapFrom(pairs, shape);
}

/** `a=1` and so on, as an exploded map. */
export function readPairs(
  raw: string,
  separator: string,
  shape: ValueShape,
  decode: (text: string) => string | undefined,
): unknown {
  const pairs: [string, string][] = [];
  for (const part of raw === "" ? [] : raw.split(separator)) {
    const equals = part.indexOf("=");
    const name = decode(equals === -1 ? part : part.slice(0, equals));
    const value = decode(equals === -1 ? "" : part.slice(equals + 1));
    if (name === undefined || value === undefined) return BROKEN_ENCODING;
    pairs.push([name, value]);
  }
  return mapFrom(pairs, shape);
}

export function mapFrom(pairs: readonly (readonly [string, string])[], shape: ValueShape): unknown {
  const map: Record<string, unknown> = {};
  for (const [name, value] of pairs) {
    if (Object.hasOwn(map, name)) return SEVERAL;
    const property = shape.properties.get(name);
    setOwn(map, name, property === undefined ? value : coerce(value, property));
  }
  return map;
}

export function coerceItem(text: string, { item }: ValueShape): unknown {
  return item === null ? text : coerce(text, item);
}

/** Also for `__proto__`, which is a name like any other. */
export function setOwn(map: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(map, name, { value, enumerable: true, writable: true, configurable: true });
}
