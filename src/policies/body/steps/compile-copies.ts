import { QUERY_VALUE, HEADER_VALUE } from "../../../policy/template/value-encoding.ts";
import { Refusal } from "../../../policy/values/refusal.ts";
import { BodyFlaw } from "../body-flaw.ts";
import { has, isMap, scalarText, type Json } from "../json-value.ts";
import { parsePath, type Path } from "../paths/path.ts";
import type { Step } from "./step.ts";

/** Of one value as it is sent. Services take heads of 8 kB or more. */
const LENGTH_MAX = 4096;

/**
 * Puts values of the body into headers of the same message. What is no text, number, true or false, or an empty
 * text, has no line; lines that came in are taken out before the body is read.
 *
 * @param values names in lower case, and paths
 * @throws Refusal for a path that may lead to several places
 */
export function compileHeaderCopies(
  values: Readonly<Record<string, string>>,
  direction: "request" | "response",
): Step {
  const sources = Object.entries(values).map(([name, path]) => ({ name, path: onePlace(path) }));
  return (body, exchange) => {
    for (const { name, path } of sources) {
      const text = textAt(body, path);
      if (text === null) continue;
      const value = bounded(HEADER_VALUE.finish!(HEADER_VALUE.encode(text, "text")));
      if (value !== "") exchange[direction].fields.set(name, value);
    }
    return body;
  };
}

/** The same for parameters of the query that the service is sent. @throws Refusal */
export function compileQueryCopies(values: Readonly<Record<string, string>>): Step {
  const sources = Object.entries(values).map(([name, path]) => ({
    name,
    start: `${encodeURIComponent(name)}=`,
    path: onePlace(path),
  }));
  return (body, exchange) => {
    for (const { name, start, path } of sources) {
      const text = textAt(body, path);
      if (text === null) continue;
      const pair = start + bounded(QUERY_VALUE.encode(text, "text"));
      // Another use of this policy may have found one in a body of another shape.
      exchange.removeQuery(name);
      exchange.setQuery(exchange.rawQuery === "" ? pair : `${exchange.rawQuery}&${pair}`);
    }
    return body;
  };
}

/** Two values in one line could not be told from one with a comma. */
function onePlace(text: string): Path {
  const path = parsePath(text);
  if (path.every(({ kind }) => kind === "name" || kind === "index")) return path;
  const hint = "write names and numbers of elements only, such as items[0].id";
  throw new Refusal(`${JSON.stringify(text)} may lead to several values`, hint);
}

/** Null where there is nothing to tell. */
function textAt(body: Json, path: Path): string | null {
  let value: Json | undefined = body;
  for (const segment of path) {
    if (segment.kind === "name") {
      value = isMap(value) && has(value, segment.name) ? value[segment.name] : undefined;
    } else if (segment.kind === "index") {
      value = Array.isArray(value) ? value[segment.index] : undefined;
    }
  }
  const text = scalarText(value) ?? "";
  if (text.length > LENGTH_MAX) throw tooLong();
  return text === "" ? null : text;
}

function bounded(value: string): string {
  if (value.length > LENGTH_MAX) throw tooLong();
  return value;
}

function tooLong(): BodyFlaw {
  return new BodyFlaw("unmappable", "value-too-long", "A value is too long for a head.");
}
