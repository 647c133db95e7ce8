import { Refusal } from "../../../policy/values/refusal.ts";
import { BodyFlaw } from "../body-flaw.ts";
import { has, isMap, scalarText, type Json } from "../json-value.ts";
import { parsePath, type Segment } from "../paths/path.ts";

const RESULT_LENGTH_MAX = 16 * 1024 ** 2;
const HINT =
  "write {user.name}, {#items}…{/} for each element, {.} for the element, {{ for a brace";

export type TextEscape = "none" | "xml" | "csv" | "json";

/** Where in the value that is at hand; no names for that value itself. */
type Place = readonly Segment[];

type Part =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "value"; readonly place: Place }
  | { readonly kind: "each"; readonly place: Place; readonly parts: readonly Part[] };

/**
 * Compiles a plain template over a body: `{path}` is the value there, `{#path}…{/}` repeats for each element of
 * a list, within which paths begin at the element, and is left out for what is missing, null or false.
 *
 * @throws Refusal for what is no template
 */
export function compileText(source: string, escape: TextEscape): (value: Json) => string {
  const parts = parseText(source);
  const escaped = ESCAPES[escape];
  return (value) => rendered(parts, value, escaped, 0);
}

/** @throws Refusal */
function parseText(source: string): Part[] {
  const root: Part[] = [];
  const open: Part[][] = [root];
  for (const [token, text, braces, inner] of source.matchAll(
    /([^{}]+)|(\{\{|\}\})|\{([^{}]*)\}|[{}]/gs,
  )) {
    const parts = open.at(-1)!;
    if (text !== undefined) parts.push({ kind: "literal", text });
    else if (braces !== undefined) parts.push({ kind: "literal", text: braces[0]! });
    else if (inner === undefined) throw new Refusal(`a ${token} stands alone`, HINT);
    else if (inner.startsWith("#")) {
      const repeated: Part[] = [];
      parts.push({ kind: "each", place: placeOf(inner.slice(1)), parts: repeated });
      open.push(repeated);
    } else if (inner.startsWith("/")) {
      if (open.length === 1) throw new Refusal(`${token} ends nothing`, HINT);
      open.pop();
    } else parts.push({ kind: "value", place: placeOf(inner) });
  }
  if (open.length > 1) throw new Refusal("a {#…} is not ended by {/}", HINT);
  return root;
}

function placeOf(written: string): Place {
  if (written === ".") return [];
  const path = parsePath(written);
  if (path.every(({ kind }) => kind === "name" || kind === "index")) return path;
  throw new Refusal(`{${written}} leads to many places`, HINT);
}

/** @param length of what has been written before */
function rendered(
  parts: readonly Part[],
  value: Json,
  escaped: (text: string) => string,
  length: number,
): string {
  let out = "";
  for (const part of parts) {
    if (part.kind === "literal") out += part.text;
    else {
      const found = valueAt(value, part.place);
      if (part.kind === "value") out += escaped(textOf(found));
      else
        for (const one of elementsOf(found)) {
          out += rendered(part.parts, one, escaped, length + out.length);
        }
    }
    if (length + out.length > RESULT_LENGTH_MAX) {
      throw new BodyFlaw("unmappable", "too-large", "The result is too large.");
    }
  }
  return out;
}

function valueAt(value: Json, place: Place): Json | undefined {
  let found: Json | undefined = value;
  for (const segment of place) {
    if (found === undefined) return undefined;
    if (segment.kind === "index") found = Array.isArray(found) ? found[segment.index] : undefined;
    else if (segment.kind === "name") {
      found = isMap(found) && has(found, segment.name) ? found[segment.name] : undefined;
    }
  }
  return found;
}

/** Lists and maps as JSON; nothing for what is missing. */
function textOf(value: Json | undefined): string {
  if (value === undefined) return "";
  return (scalarText(value) ?? JSON.stringify(value)).toWellFormed();
}

function elementsOf(value: Json | undefined): readonly Json[] {
  if (Array.isArray(value)) return value;
  return value === undefined || value === null || value === false ? [] : [value];
}

const ESCAPES: Readonly<Record<TextEscape, (text: string) => string>> = {
  none: (text) => text,
  // What XML cannot hold at all is left out: a reference to it is no XML either.
  xml: (text) =>
    text
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")
      .replaceAll(/[<>&"'\r]/g, (one) => `&#${one.charCodeAt(0)};`),
  // RFC 4180; a spreadsheet would run what begins like a formula.
  csv: (text) => {
    const tame = /^[=+\-@\t\r]/.test(text) && !/^[+-]?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
    return /[",\r\n;]/.test(tame) ? `"${tame.replaceAll('"', '""')}"` : tame;
  },
  json: (text) => JSON.stringify(text).slice(1, -1),
};
