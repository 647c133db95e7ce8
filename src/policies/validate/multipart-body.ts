import { readStrictJson } from "../../base/strict-json.ts";
import { findContent, isJsonType, isReadableCharset, parseContentType } from "./content-type.ts";
import { readParts, utf8Of, type Part } from "./multipart-parts.ts";
import { SEVERAL, Unreadable } from "./parameter-styles.ts";
import type { CheckValue } from "./schema-set.ts";
import { escapeName } from "./json-pointer.ts";
import { coerce, type ValueShape } from "./value-shape.ts";
import { flaw, tellName, type Flaw, type Violation } from "./violation.ts";

/** A field as it is described. */
export interface MultipartField {
  readonly name: string;
  readonly isList: boolean;
  /** Of one value: of the items where it is a list. */
  readonly shape: ValueShape;
  /** How one value is read: as it is, as text, or as JSON. */
  readonly form: "bytes" | "text" | "json";
  /** Content types that a part may have; null where the form says it. */
  readonly types: ReadonlyMap<string, true> | null;
}

export interface MultipartCheck {
  readonly kind: "multipart";
  readonly fields: ReadonlyMap<string, MultipartField>;
  readonly check: CheckValue | null;
  readonly depthMax: number;
}

/** Everything that is wrong with a body of multipart/form-data; the errors of a field name it by its path. */
export function judgeMultipart(
  body: Buffer,
  boundary: string,
  { fields, check, depthMax }: MultipartCheck,
  errors: Violation[],
): void {
  const read = readParts(body, boundary);
  if (read.flaw !== undefined) {
    errors.push({ in: "body", ...flaw("multipart", read.flaw) });
    return;
  }
  const values = new Map<string, unknown[]>();
  let isReadable = true;
  for (const part of read.parts) {
    const value = valueOf(part, fields.get(part.name), depthMax);
    if (value instanceof Unreadable) {
      errors.push({ in: "body", ...partFlaw(part.name, fields, value.flaw) });
      isReadable = false;
      continue;
    }
    const list = values.get(part.name);
    if (list === undefined) values.set(part.name, [value]);
    else list.push(value);
  }
  const map: [string, unknown][] = [];
  for (const [name, list] of values) {
    const field = fields.get(name);
    if (list.length > 1 && field?.isList === false) {
      errors.push({ in: "body", ...partFlaw(name, fields, SEVERAL.flaw) });
      isReadable = false;
    }
    const [only] = list;
    // A list of JSON comes as a part for each item, or whole in one.
    const isWhole = list.length === 1 && field?.form === "json" && Array.isArray(only);
    const isList = list.length > 1 || (field?.isList === true && !isWhole);
    map.push([name, isList ? list : only]);
  }
  const flaws = !isReadable || check === null ? null : check(Object.fromEntries(map));
  for (const one of flaws ?? []) errors.push({ in: "body", ...one });
}

function valueOf(
  { name, contentType, content }: Part,
  field: MultipartField | undefined,
  depthMax: number,
): unknown {
  const type = parseContentType(contentType === "" ? "text/plain" : contentType);
  if (type === null) return new Unreadable("content-type", "has a malformed Content-Type");
  // It would be how text in the other parts is encoded (RFC 7578, section 4.6).
  if (name === "_charset_" && !isReadableCharset(content.toString("latin1").toLowerCase())) {
    return new Unreadable("encoding", "must be UTF-8");
  }
  if (field === undefined) return utf8Of(content) ?? content.toString("latin1");
  const { form, types, shape } = field;
  const isExpected =
    types !== null
      ? findContent(types, type.type) !== undefined
      : form === "bytes" ||
        (form === "json"
          ? contentType === "" || isJsonType(type.type)
          : type.type === "text/plain");
  if (!isExpected)
    return new Unreadable("content-type", "has a Content-Type that is not described");
  if (form === "bytes") return content.toString("latin1");
  if (!isReadableCharset(type.charset)) return new Unreadable("encoding", "must be UTF-8");
  if (form === "json") {
    const read = readStrictJson(content, depthMax);
    return read.flaw === undefined ? read.value : new Unreadable("json", read.flaw);
  }
  const text = utf8Of(content);
  return text === undefined ? new Unreadable("encoding", "must be UTF-8") : coerce(text, shape);
}

/** With its place; names that are not described are the client's own. */
function partFlaw(
  name: string,
  fields: ReadonlyMap<string, MultipartField>,
  { rule, message, given }: Flaw,
): Flaw {
  const path = `/${escapeName(name.slice(0, 100))}`;
  if (fields.has(name)) return { path, message, rule, field: path, given };
  return { path, message, rule, field: "/*", given: tellName(name) };
}
