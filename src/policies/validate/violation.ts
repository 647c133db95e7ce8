import type { FaultError } from "../../base/faults.ts";
import type { Finding } from "../../base/findings/finding.ts";

/** What is wrong with a value: for whoever sent it, and for operators, who count what is alike. */
export interface Flaw {
  /** JSON Pointer; "" for all of it. */
  readonly path: string;
  /** Follows the name of what it is about: `must be integer`. Made of what is described alone. */
  readonly message: string;
  /** Keyword of JSON Schema, or a word of our own. */
  readonly rule: string;
  /** `path` with `*` for indexes, and for names that no schema knows. */
  readonly field: string;
  /** Of what was there, but never the value: it may be a secret. `text of 12 characters`; "" for nothing. */
  readonly given: string;
}

/** A flaw of some part of a message. */
export interface Violation extends Flaw {
  readonly in: FaultError["in"];
  /** Of the parameter or header. */
  readonly name?: string;
  /** The name is the client's own. */
  readonly isMadeUp?: true;
}

/** One of all of a value, by rules that no schema has. */
export function flaw(rule: string, message: string, given = ""): Flaw {
  return { path: "", message, rule, field: "", given };
}

/** What the client is told. */
export function toFaultError({ in: part, name, path, message }: Violation): FaultError {
  return { in: part, ...(name === undefined ? {} : { name }), path, message };
}

/** What operators are told. */
export function toFinding(violation: Violation): Finding {
  const { in: part, name, isMadeUp, field, rule, message, given } = violation;
  const words = [part, isMadeUp === true ? "*" : name, field];
  const shown = words.filter((word) => word !== undefined && word !== "").join(" ");
  return { field: shown, rule, message, example: given };
}

/** A name that a client has made up, if it looks like one and not like something to be kept secret. */
export function tellName(name: string): string {
  if (/^[A-Za-z_](?:[A-Za-z_.-]|\d{1,3}(?!\d)){0,39}$/.test(name)) return `named ${name}`;
  return `a name of ${name.length} characters`;
}
