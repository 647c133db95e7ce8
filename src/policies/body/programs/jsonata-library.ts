/** jsonata-library: the library for JSONata programs, loaded when the first of them is met. */
import { createRequire } from "node:module";
import type Jsonata from "jsonata";
import { Refusal } from "../../../policy/values/refusal.ts";

/** How deep a program may call itself. */
const STACK_MAX = 500;
/** How many elements one list of its may have. */
const SEQUENCE_MAX = 1_000_000;
const HINT = "see https://docs.jsonata.org for the language";

export type Program = Jsonata.Expression;

let library: typeof Jsonata | undefined;

function load(): typeof Jsonata {
  return (library ??= createRequire(import.meta.url)("jsonata") as typeof Jsonata);
}

/** @throws Refusal for what is no program, with the place */
export function checkProgram(text: string): void {
  // It would run what comes in a body.
  if (/\$eval\b/.test(text)) throw new Refusal("$eval is not there", "write out what it would run");
  try {
    load()(text);
  } catch (error) {
    const { message, position } = error as Partial<Jsonata.JsonataError>;
    const place = position === undefined ? "" : ` at column ${position}`;
    throw new Refusal(`not a JSONata program: ${String(message)}${place}`, HINT);
  }
}

/** Compiles a program that has been checked; its guards look at the time and depth between steps. */
export function compileProgram(text: string, timeoutMs: number): Program {
  const program = load()(text, { timeout: timeoutMs, stack: STACK_MAX, sequence: SEQUENCE_MAX });
  program.assign("eval", undefined);
  // The library's own goes through text, which makes doubles of long numbers.
  program.registerFunction("clone", (value: unknown) => copied(value), "<(oa)-:o>");
  return program;
}

function copied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copied);
  // Numbers that keep their digits are frozen, and may be shared.
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, copied(one)]));
}
