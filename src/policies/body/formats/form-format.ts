import { BodyFlaw } from "../body-flaw.ts";
import { isMap, scalarText, type Json, type JsonMap } from "../json-value.ts";
import { charsetOf, decode } from "./charset.ts";
import type { Format } from "./format.ts";

const PAIR_COUNT_MAX = 10_000;
const LEVEL_COUNT_MAX = 8;
const BRACKETED = /^([^[\]]+)((?:\[[^[\]]*\])+)$/;

interface FormSettings {
  /** Whether `a[b]`, `a[]` and `a[0][b]` are read, and written, as maps and lists. */
  readonly brackets: boolean;
}

/**
 * HTML forms (URL standard, application/x-www-form-urlencoded), read strictly: UTF-8, no broken escapes. A name
 * that comes several times is a list.
 */
export function formFormat({ brackets }: FormSettings): Format {
  return {
    mediaTypes: ["application/x-www-form-urlencoded"],
    contentType: "application/x-www-form-urlencoded",
    read(bytes, contentType) {
      if (charsetOf(contentType) === "latin1") {
        throw new BodyFlaw("unsupported", "charset", "Forms have to be sent as UTF-8.");
      }
      return parseForm(decode(bytes, "utf8"), brackets);
    },
    write: (value) => Buffer.from(writeForm(value, brackets)),
  };
}

function parseForm(text: string, brackets: boolean): JsonMap {
  const form: JsonMap = {};
  let pairCount = 0;
  for (const pair of text.split("&")) {
    if (pair === "") continue;
    if (++pairCount > PAIR_COUNT_MAX)
      throw malformed("too-many-pairs", "The form has too many fields.");
    const equals = pair.indexOf("=");
    const name = decoded(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? "" : decoded(pair.slice(equals + 1));
    if (brackets && name.includes("[")) addNested(form, name, value);
    else addPlain(form, name, value);
  }
  return brackets ? mapOfLists(form) : form;
}

/** Makes lists of the maps within a form whose names count from 0: `a[0][b]=1&a[1][b]=2`. */
function mapOfLists(form: JsonMap): JsonMap {
  for (const [name, value] of Object.entries(form)) if (isMap(value)) form[name] = listed(value);
  return form;
}

function listed(map: JsonMap): Json {
  mapOfLists(map);
  // Names that are whole numbers come first, in their order.
  const isList = Object.keys(map).every((name, index) => name === String(index));
  return isList ? (Object.values(map) as Json[]) : map;
}

function addPlain(form: JsonMap, name: string, value: string): void {
  if (name === "__proto__") throw reserved();
  const present = Object.hasOwn(form, name) ? form[name] : undefined;
  if (present === undefined) form[name] = value;
  else if (typeof present === "string") form[name] = [present, value];
  else if (Array.isArray(present)) present.push(value);
  else throw contradiction();
}

/** `a[b][c]=1` is a member of a member, `a[]=1` one more element of a list. */
function addNested(form: JsonMap, name: string, value: string): void {
  const parts = BRACKETED.exec(name);
  if (parts === null)
    throw malformed("brackets", "A field's name has brackets that do not pair up.");
  const keys = [parts[1]!, ...parts[2]!.slice(1, -1).split("][")];
  if (keys.length > LEVEL_COUNT_MAX) throw malformed("too-deep", "The form is nested too deeply.");
  const isList = keys.at(-1) === "";
  if (isList) keys.pop();
  if (keys.includes(""))
    throw malformed("brackets", "[] may stand at the end of a field's name only.");
  if (keys.includes("__proto__")) throw reserved();
  let map = form;
  for (const key of keys.slice(0, -1)) {
    if (!Object.hasOwn(map, key)) map[key] = {};
    const next = map[key];
    if (!isMap(next)) throw contradiction();
    map = next;
  }
  const last = keys.at(-1)!;
  if (isList && !Object.hasOwn(map, last)) map[last] = [value];
  else addPlain(map, last, value);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw malformed("not-a-form", "The form has a broken escape.");
  }
}

function writeForm(value: Json, brackets: boolean): string {
  if (!isMap(value)) throw unwritable();
  const pairs: string[] = [];
  for (const [name, one] of Object.entries(value)) {
    if (one !== undefined) writeField(pairs, name, one, brackets);
  }
  return pairs.join("&");
}

function writeField(pairs: string[], name: string, value: Json, brackets: boolean): void {
  const text = scalarText(value);
  if (text !== undefined) pairs.push(`${encoded(name)}=${encoded(text)}`);
  else if (Array.isArray(value)) {
    const isPlain = value.every((one) => scalarText(one) !== undefined);
    for (const [index, one] of value.entries()) {
      const suffix = isPlain ? "[]" : `[${index}]`;
      if (!isPlain && !brackets) throw unwritable();
      writeField(pairs, brackets ? name + suffix : name, one, brackets);
    }
  } else {
    if (!brackets || !isMap(value)) throw unwritable();
    for (const [key, one] of Object.entries(value)) {
      if (one === undefined) continue;
      // Else the name would be read as another one.
      if (key === "" || /[[\]]/.test(key)) throw unwritable();
      writeField(pairs, `${name}[${key}]`, one, brackets);
    }
  }
}

function encoded(text: string): string {
  if (!text.isWellFormed()) throw unwritable();
  return encodeURIComponent(text)
    .replaceAll("%20", "+")
    .replace(/[!'()~]/g, escapeMark);
}

function escapeMark(mark: string): string {
  return `%${mark.charCodeAt(0).toString(16).toUpperCase()}`;
}

function malformed(code: string, detail: string): BodyFlaw {
  return new BodyFlaw("malformed", code, detail);
}

function reserved(): BodyFlaw {
  return malformed("reserved-name", "A name of the body is reserved.");
}

function contradiction(): BodyFlaw {
  return malformed("contradiction", "A field is both a value and a map.");
}

function unwritable(): BodyFlaw {
  return new BodyFlaw("unmappable", "not-a-form", "The result cannot be written as a form.");
}
