import type { FaultError } from "../../base/faults.ts";
import { readStrictJson } from "../../base/strict-json.ts";
import { FormPairs } from "./form-pairs.ts";
import { judgeMultipart, type MultipartCheck } from "./multipart-body.ts";
import { readFormParameter, type Parameter } from "./parameter.ts";
import { Unreadable } from "./parameter-styles.ts";
import type { CheckValue } from "./schema-set.ts";

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
  errors: FaultError[],
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
      errors.push({ in: "body", path: "", message: read.flaw });
      return;
    }
    value = read.value;
  } else {
    value = body.toString("utf8");
  }
  judge(value, how.check, errors);
}

function judge(value: unknown, check: CheckValue | null, errors: FaultError[]): void {
  const flaws = check === null ? null : check(value);
  if (flaws === null) return;
  for (const { path, message } of flaws) errors.push({ in: "body", path, message });
}

function judgeForm(
  body: Buffer,
  fields: readonly Parameter[],
  check: CheckValue | null,
  errors: FaultError[],
): void {
  const pairs = FormPairs.ofForm(body.toString("latin1"));
  const map = new Map<string, unknown>();
  const taken = new Set<string>();
  let isReadable = !pairs.hasBrokenName;
  if (!isReadable)
    errors.push({ in: "body", path: "", message: "has a name that is not correctly encoded" });
  for (const field of fields) {
    const value = readFormParameter(field, pairs);
    for (const name of namesOf(field)) taken.add(name);
    if (value instanceof Unreadable) {
      errors.push({ in: "body", path: `/${field.name}`, message: value.message });
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
