import type { z } from "zod";
import { MisplacedKeys } from "./misplaced-keys.ts";
import { mistakeAt, type DocumentPath, type Finding } from "./mistake.ts";
import { policyOptionKeys } from "./policy-option-keys.ts";
import type { PolicySchemas } from "./schema/policy-use.ts";
import { unknownKey } from "../policy/values/section.ts";
import { shown } from "../policy/values/shown.ts";

/** How `suggestion` begins where a name is like the one that is written. */
const SLIP = "did you mean";

type Issue = z.core.$ZodIssue;

/** The schema's issues as findings: one for each thing the author has to change. */
export function findingsOf(
  issues: readonly Issue[],
  data: unknown,
  policies: PolicySchemas,
): Finding[] {
  const misplaced = new MisplacedKeys(policies);
  return issues.flatMap((issue) => fromIssue(issue, [], { data, policies, misplaced }));
}

interface Context {
  data: unknown;
  policies: PolicySchemas;
  misplaced: MisplacedKeys;
}

/** The value at a path of the data; undefined where there is none. */
export function valueAt(data: unknown, path: DocumentPath): unknown {
  let value = data;
  for (const part of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part))
      return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

function fromIssue(issue: Issue, base: DocumentPath, context: Context): Finding[] {
  const { data } = context;
  const path = [...base, ...(issue.path as (string | number)[])];
  if (issue.code === "unrecognized_keys") return unknownKeys(issue, path, context);
  if (issue.code === "invalid_union") {
    const meant = meantBranch(issue, path, data);
    if (meant !== undefined) return meant.flatMap((one) => fromIssue(one, path, context));
  }
  if (issue.code === "invalid_key") {
    const [message, hint] = splitSentence(issue.issues[0]?.message ?? issue.message);
    return [{ ...mistakeAt(path, message, hint), atKey: true }];
  }
  const [message, hint] = splitSentence(inWords(issue, valueAt(data, path)));
  if (issue.code === "custom") {
    return [mistakeAt(path, message, (issue.params?.["hint"] as string | undefined) ?? hint)];
  }
  const value = valueAt(data, path);
  // "expected a, found nothing; write it like b" says less than "missing; write it like b".
  if (value === undefined) return [mistakeAt(path, "missing", hint ?? wanted(message))];
  if (value === null) return [mistakeAt(path, "has no value", hint ?? wanted(message))];
  return [mistakeAt(path, message, hint)];
}

/** Messages of an object's unknown keys stand one to a line, in the order of the keys. */
function unknownKeys(
  issue: z.core.$ZodIssueUnrecognizedKeys,
  path: DocumentPath,
  { policies, misplaced }: Context,
): Finding[] {
  const messages = !issue.message.startsWith("Unrecognized")
    ? issue.message.split("\n")
    : issue.keys.map((key) => unknownKey(key, policyOptionKeys(path, policies)));
  return issue.keys.map((key, index) => {
    const [message, near] = splitSentence(messages[index]!);
    // What may be a slip of the keyboard is taken for one.
    const hint = near?.startsWith(SLIP) ? near : (misplaced.hintFor(path, key) ?? near);
    return { ...mistakeAt([...path, key], message, hint), atKey: true };
  });
}

/**
 * Of a choice between a string, a map, a list and so on, the issues of the one whose shape was
 * written: the author meant that one. Undefined when none has the shape, or several.
 */
function meantBranch(
  issue: z.core.$ZodIssueInvalidUnion,
  path: DocumentPath,
  data: unknown,
): Issue[] | undefined {
  const input = valueAt(data, path);
  const near = issue.errors.filter((issues) => !issues.some((one) => isOtherShape(one, input)));
  return near.length === 1 ? near[0] : undefined;
}

/** True for an issue that refuses the value for what kind of thing it is. */
function isOtherShape(issue: Issue, input: unknown): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === "invalid_type") return true;
  if (issue.code === "invalid_value") return typeof input !== "string";
  if (issue.code !== "invalid_union") return false;
  if (issue.errors.length === 0) return false;
  return issue.errors.every((issues) => issues.some((one) => isOtherShape(one, input)));
}

const KINDS: Record<string, string> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map",
  record: "a map",
};

/**
 * The message of the issue, or our own words for what the schema library says by itself: a policy's
 * schema need not spell out every sentence.
 */
function inWords(issue: Issue, value: unknown): string {
  if (!/^(Invalid|Too|Unrecognized)\b/.test(issue.message)) return issue.message;
  const found = `found ${shown(value)}`;
  switch (issue.code) {
    case "invalid_type":
      return `expected ${KINDS[issue.expected] ?? issue.expected}, ${found}`;
    case "invalid_value":
      return `expected ${issue.values.map((one) => shown(one)).join(" or ")}, ${found}`;
    case "too_small":
      return `expected at least ${String(issue.minimum)}${unitOf(issue.origin)}, ${found}`;
    case "too_big":
      return `expected at most ${String(issue.maximum)}${unitOf(issue.origin)}, ${found}`;
    case "invalid_format":
      return `expected ${issue.format}, ${found}`;
    default:
      return `this value does not fit, ${found}`;
  }
}

function unitOf(origin: string): string {
  if (origin === "string") return " characters";
  return origin === "array" ? " elements" : "";
}

/** "expected a duration, found 5" -> "a duration is needed". */
function wanted(message: string): string | undefined {
  const what = /^expected (.+?)(?:, found .*)?$/.exec(message)?.[1];
  return what === undefined ? undefined : `give ${what}`;
}

/** `what is wrong; what would be right` in two. */
function splitSentence(sentence: string): [message: string, hint: string | undefined] {
  const split = sentence.indexOf("; ");
  if (split === -1) return [sentence, undefined];
  return [sentence.slice(0, split), sentence.slice(split + 2)];
}
