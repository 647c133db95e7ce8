import { readStrictJson } from "../../base/strict-json.ts";
import { FormPairs } from "./form-pairs.ts";
import { judgeMultipart, type MultipartCheck } from "./multipart-body.ts";
import { readFormParameter, type Parameter } from "./parameter.ts";
import { Unreadable } from "./parameter-styles.ts";
import { escapeName } from "./json-pointer.ts";
import type { CheckValue } from "./schema-set.ts";
import { flaw, type Violation } from "./violation.ts";

/** How a body of one content type is read and checked; null where it passes as it is. */
export type BodyCheck =
  | { readonly kind: "json"; readonly check: CheckValue | null; readonly depthMax: number }
  | { readonly kind: "text"; readonly check: CheckValue | null }
  | {
      readonly kind: "form";
      /** Of the fields that are described. */
      readonly fields: readonly Parameter[];
      readonly check: CheckValue | null;
    }
  | MultipartCheck;

/** Everything that is wrong with a body; its bytes are not changed. */
export function judgeBody(
  body: Buffer,
  how: BodyCheck,
  boundary: string,
  errors: Violation[],
): void {
  if (how.kind === "multipart") {
    judgeMultipart(body, boundary, how, errors);
    return;
  }
  if (how.kind === "form") {
    judgeForm(body, how.fields, how.check, errors);
    return;
  }
  let value: unknown = body;
  if (how.kind === "json") {
    const read = readStrictJson(body, how.depthMax);
    if (read.flaw !== undefined) {
      errors.push({ in: "body", ...flaw("json", read.flaw) });
      return;
    }
    value = read.value;
  } else {
    value = body.toString("utf8");
  }
  judge(value, how.check, errors);
}

function judge(value: unknown, check: CheckValue | null, errors: Violation[]): void {
  const flaws = check === null ? null : check(value);
  if (flaws === null) return;
  for (const one of flaws) errors.push({ in: "body", ...one });
}

function judgeForm(
  body: Buffer,
  fields: readonly Parameter[],
  check: CheckValue | null,
  errors: Violation[],
): void {
  const pairs = FormPairs.ofForm(body.toString("latin1"));
  const map = new Map<string, unknown>();
  const taken = new Set<string>();
  let isReadable = !pairs.hasBrokenName;
  if (!isReadable)
    errors.push({ in: "body", ...flaw("encoding", "has a name that is not correctly encoded") });
  for (const field of fields) {
    const value = readFormParameter(field, pairs);
    for (const name of namesOf(field)) taken.add(name);
    if (value instanceof Unreadable) {
      const path = `/${escapeName(field.name)}`;
      errors.push({ in: "body", ...value.flaw, path, field: path });
      isReadable = false;
    } else if (value !== undefined) map.set(field.name, value);
  }
  for (const [name, raws] of pairs.entries()) {
    if (taken.has(name) || fields.some((field) => isDeepNameOf(field, name))) continue;
    const values = raws.map((raw) => pairs.decode(raw));
    map.set(name, values.length === 1 ? values[0] : values);
  }
  if (isReadable) judge(Object.fromEntries(map), check, errors);
}

function namesOf({ name, shape, style, explode }: Parameter): Iterable<string> {
  return style === "form" && explode && shape.kind === "map" ? shape.properties.keys() : [name];
}

function isDeepNameOf({ name, style }: Parameter, given: string): boolean {
  return style === "deepObject" && given.startsWith(`${name}[`);
}
