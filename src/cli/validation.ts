/** validation: what `gateward validation` does: tells what did not fit in a gateway that runs. */
import { adminAddress, type AdminPlace } from "./admin-address.ts";
import { askAdmin } from "./ask-admin.ts";
import { EXIT_FAILURE, EXIT_MISTAKE, EXIT_OK } from "./exit-code.ts";
import { tableLines } from "./table.ts";

interface ValidationField {
  readonly field: string;
  readonly rule: string;
  readonly message: string;
  readonly count: number;
  readonly lastAt: string;
  readonly examples: readonly string[];
}

interface ValidationOperation {
  readonly at: string;
  readonly operation: string;
  readonly of: "request" | "response";
  readonly messages: number;
  readonly refused: number;
  readonly fields: readonly ValidationField[];
  readonly leftOut: number;
}

/** As the admin API has it. */
export interface Validation {
  readonly since: string;
  readonly places: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly operations: readonly ValidationOperation[];
  readonly leftOut: number;
}

export type ValidationAction = "text" | "json" | "clear";

export async function validation(place: AdminPlace, action: ValidationAction): Promise<number> {
  const address = await adminAddress(place);
  if (address === undefined) return EXIT_MISTAKE;
  const answer =
    action === "clear"
      ? await askAdmin<{ cleared: true }>(address, "/validation/clear", {}, isCleared)
      : await askAdmin<Validation>(address, "/validation", undefined, isValidation);
  if (answer.trouble !== undefined) {
    console.error(`gateward: ${answer.trouble}`);
    return EXIT_FAILURE;
  }
  const { value } = answer;
  if ("cleared" in value) console.log("all is forgotten, and counted anew");
  else console.log(action === "json" ? jsonOf(value) : textOf(value));
  return EXIT_OK;
}

function isCleared(answer: { cleared?: unknown }): boolean {
  return answer.cleared === true;
}

function isValidation(answer: Partial<Validation>): boolean {
  return Array.isArray(answer.operations) && answer.places !== undefined;
}

function textOf({ since, places, operations, leftOut }: Validation): string {
  const lines = [`since ${since}`];
  for (const [at, results] of Object.entries(places)) lines.push(placeLine(at, results));
  if (Object.keys(places).length === 0) lines.push("the policy validate is used nowhere");
  else if (operations.length === 0) lines.push("", "nothing was found that does not fit");
  for (const operation of operations) lines.push("", ...operationLines(operation));
  if (leftOut > 0) lines.push("", `${leftOut} more findings that there was no room for`);
  return lines.map(printable).join("\n");
}

/** Since the start, whatever has been cleared. */
function placeLine(at: string, results: Readonly<Record<string, number>>): string {
  const count = (...names: string[]) => names.reduce((sum, name) => sum + (results[name] ?? 0), 0);
  const requests = count("valid", "invalid", "unknown", "unchecked");
  const responses = count("response-valid", "response-invalid", "response-unchecked");
  const wrong = `${count("invalid")} not as described, ${count("unknown")} of no described operation`;
  const parts = [`${requests} requests since the start, ${wrong}`];
  if (responses > 0) {
    parts.push(`${responses} responses, ${count("response-invalid")} not as described`);
  }
  return `${at}: ${parts.join("; ")}`;
}

function operationLines(operation: ValidationOperation): string[] {
  const { at, of, messages, refused, fields, leftOut } = operation;
  const some = messages === 1 ? `1 ${of}` : `${messages} ${of}s`;
  const rows = fields.map(({ count, field, message, rule, lastAt, examples }) => {
    const second = lastAt.replace(/\.\d+Z$/, "Z");
    return [`  ${count}`, field, message, rule, second, examples.join(", ")];
  });
  const heading = ["  COUNT", "FIELD", "WHAT", "RULE", "LAST", "SEEN"];
  return [
    `${operation.operation} (${at}): ${some}, ${refused} refused`,
    ...tableLines([heading, ...rows]),
    ...(leftOut === 0 ? [] : [`  ${leftOut} more, of fields that there was no room for`]),
  ];
}

/** A terminal takes them for orders, and documents may have any in their names. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

function printable(text: string): string {
  return text.replace(UNPRINTABLE, (one) => `\\u{${one.codePointAt(0)!.toString(16)}}`);
}

/** The same value to a program. */
function jsonOf(value: Validation): string {
  const lines = JSON.stringify(value, null, 2).split("\n");
  return lines.map((line) => line.replace(UNPRINTABLE, escapedUnits)).join("\n");
}

/** As JSON has it (RFC 8259, section 7): by units of UTF-16. */
function escapedUnits(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}
