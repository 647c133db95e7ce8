import { readStrictJson } from "../../base/strict-json.ts";
import type { CheckValue } from "./schema-set.ts";
import type { FormPairs } from "./form-pairs.ts";
import {
  BROKEN_ENCODING,
  coerceItem,
  decodeText,
  mapFrom,
  readDelimited,
  readPairs,
  SEVERAL,
  Unreadable,
  type Style,
} from "./parameter-styles.ts";
import { coerce, type ValueShape } from "./value-shape.ts";
import { flaw, type Violation } from "./violation.ts";

/** A parameter as it is described. */
export interface Parameter {
  readonly in: "path" | "query" | "header" | "cookie";
  readonly name: string;
  readonly isRequired: boolean;
  readonly allowsEmpty: boolean;
  readonly style: Style;
  readonly explode: boolean;
  /** Its value is JSON: `content` in place of `schema`. */
  readonly isJson: boolean;
  readonly shape: ValueShape;
  /** Null where anything is right. */
  readonly check: CheckValue | null;
}

const DEPTH_MAX = 64;

/** Adds what is wrong with a value that has been read; undefined stands for none. */
export function judgeValue(parameter: Parameter, value: unknown, errors: Violation[]): void {
  const { in: place, name, check } = parameter;
  if (value === undefined) {
    if (parameter.isRequired) errors.push({ in: place, name, ...flaw("required", "is required") });
    return;
  }
  if (value instanceof Unreadable) {
    errors.push({ in: place, name, ...value.flaw });
    return;
  }
  const flaws = check === null ? null : check(value);
  if (flaws === null) return;
  for (const one of flaws) errors.push({ in: place, name, ...one });
}

/** @param raw as normalised, still encoded */
export function readPathParameter(
  { name, style, explode, shape, isJson }: Parameter,
  raw: string,
): unknown {
  const decode = (text: string) => decodeText(text, false);
  if (isJson) return readJson(decode(raw));
  if (style === "label") {
    if (!raw.startsWith(".")) return new Unreadable("style", "must begin with a dot");
    const rest = raw.slice(1);
    if (explode && shape.kind === "map") return readPairs(rest, ".", shape, decode);
    return readDelimited(rest, explode ? "." : ",", shape, decode);
  }
  if (style === "matrix") return readMatrix(raw, { name, explode, shape }, decode);
  if (explode && shape.kind === "map") return readPairs(raw, ",", shape, decode);
  return readDelimited(raw, ",", shape, decode);
}

function readMatrix(
  raw: string,
  { name, explode, shape }: Pick<Parameter, "name" | "explode" | "shape">,
  decode: (text: string) => string | undefined,
): unknown {
  if (explode && shape.kind === "map" && raw.startsWith(";")) {
    return readPairs(raw.slice(1), ";", shape, decode);
  }
  const start = `;${name}=`;
  if (!raw.startsWith(start)) return new Unreadable("style", `must begin with ;${name}=`);
  const rest = raw.slice(start.length);
  if (!explode || shape.kind !== "list") return readDelimited(rest, ",", shape, decode);
  return readDelimited(rest.replaceAll(start, ","), ",", shape, decode);
}

/** @param lines values of all fields of that name */
export function readHeaderParameter(
  { explode, shape, isJson }: Parameter,
  lines: readonly string[],
): unknown {
  if (lines.length === 0) return undefined;
  if (lines.length > 1 && (shape.kind !== "list" || isJson)) return SEVERAL;
  const raw = lines.join(",");
  const decode = (text: string): string => text;
  if (isJson) return readJson(raw);
  if (explode && shape.kind === "map")
    return readPairs(raw.replace(/\s*,\s*/g, ","), ",", shape, decode);
  return readDelimited(raw, /[ \t]*,[ \t]*/, shape, decode);
}

/** Of a query, a form or cookies. */
export function readFormParameter(parameter: Parameter, pairs: FormPairs): unknown {
  const { name, shape, style, explode } = parameter;
  if (parameter.isJson) return readOnce(pairs, name, (raw) => readJson(pairs.decode(raw)));
  if (style === "deepObject") return readDeep(parameter, pairs);
  if (explode && shape.kind === "map" && style === "form") {
    const given: [string, string][] = [];
    for (const property of shape.properties.keys()) {
      for (const raw of pairs.get(property)) {
        const value = pairs.decode(raw);
        if (value === undefined) return BROKEN_ENCODING;
        given.push([property, value]);
      }
    }
    return given.length === 0 ? undefined : mapFrom(given, shape);
  }
  if (explode && shape.kind === "list") {
    const raws = pairs.get(name);
    if (raws.length === 0) return undefined;
    if (parameter.allowsEmpty && raws.length === 1 && raws[0] === "") return [];
    const values = raws.map((raw) => pairs.decode(raw));
    if (values.includes(undefined)) return BROKEN_ENCODING;
    return values.map((value) => coerceItem(value!, shape));
  }
  return readOnce(pairs, name, (raw) => {
    if (shape.kind !== "single") {
      return readDelimited(raw, SEPARATORS[style] ?? ",", shape, (text) => pairs.decode(text));
    }
    const value = pairs.decode(raw);
    return value === undefined ? BROKEN_ENCODING : coerce(value, shape);
  });
}

const SEPARATORS: Readonly<Partial<Record<Style, RegExp>>> = {
  spaceDelimited: /%20|\+/,
  pipeDelimited: /\||%7C/i,
};

function readOnce(pairs: FormPairs, name: string, read: (raw: string) => unknown): unknown {
  const raws = pairs.get(name);
  if (raws.length === 0) return undefined;
  return raws.length > 1 ? SEVERAL : read(raws[0]!);
}

/** `filter[from]=1&filter[to]=2`. */
function readDeep({ name, shape }: Parameter, pairs: FormPairs): unknown {
  const lists = new Map<string, string[]>();
  for (const [key, raws] of pairs.entries()) {
    if (!key.startsWith(`${name}[`)) continue;
    const property = /^\[([^[\]]*)\]$/.exec(key.slice(name.length))?.[1];
    if (property === undefined)
      return new Unreadable("style", `must be written ${name}[property]=value`);
    const values = raws.map((raw) => pairs.decode(raw));
    if (values.includes(undefined)) return BROKEN_ENCODING;
    lists.set(property, values as string[]);
  }
  if (lists.size === 0) return undefined;
  const map: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [property, values] of lists) {
    const inner = shape.properties.get(property);
    if (inner?.kind === "list") map[property] = values.map((value) => coerceItem(value, inner));
    else if (values.length > 1) return SEVERAL;
    else map[property] = inner === undefined ? values[0] : coerce(values[0]!, inner);
  }
  return Object.fromEntries(Object.entries(map));
}

function readJson(text: string | undefined): unknown {
  if (text === undefined) return BROKEN_ENCODING;
  const read = readStrictJson(Buffer.from(text), DEPTH_MAX);
  return read.flaw === undefined ? read.value : new Unreadable("json", read.flaw);
}
