/**
 * faults: what went wrong in an exchange, whose doing it was, and whether to try again, as a value;
 * and the `application/problem+json` body (RFC 9457) that tells the client.
 */
import {
  clientFaults,
  gatewayFaults,
  malformedRequestCodes,
  upstreamFaults,
} from "./fault-catalogue.ts";
import type { FaultText, RetrySafe, Whose } from "./fault-catalogue.ts";

export type { RetrySafe, Whose } from "./fault-catalogue.ts";

/** Problem types are names, not pages: nothing is served or fetched under this address. */
export const problemTypeBase = "https://gateward.dev/problems/";

/** Media type of every body that `renderProblem` makes. */
export const problemContentType = "application/problem+json";

// `<` is escaped too: a browser that sniffs the body must not find markup in echoed input.
const unsafeInAscii = /[^ !#-;=-[\]-~]/;
const unsafeEach = /[<\u007f-\uffff]/g;

/** One kind of fault; compared by identity, never copied. */
export interface FaultType {
  /** Kebab-case; also the flag in the access log and the label in metrics. */
  readonly name: string;
  /** The `type` member of the problem body. */
  readonly uri: string;
  readonly status: number;
  readonly title: string;
  readonly whose: Whose;
  readonly retrySafe: RetrySafe;
  /** After the answer the connection must be closed. */
  readonly closes: boolean;
  /** Never answered, only logged; `status` is what the log shows. */
  readonly logOnly: boolean;
  /** In place of an answer the client's request is broken off; `status` is what the log shows. */
  readonly breaksOff: boolean;
  readonly cause: string;
  readonly remedy: string;
  /** The problem body up to and including the status, ready to be continued by `,` or `}`. */
  readonly bodyStart: string;
}

/**
 * Makes a fault type. The gateway's own are in `faultTypes`; a policy defines those it answers
 * with beside its code.
 */
export function defineFaultType(name: string, text: FaultText): FaultType {
  const uri = problemTypeBase + name;
  return Object.freeze({
    name,
    uri,
    status: text.status,
    title: text.title,
    whose: text.whose,
    retrySafe: text.retrySafe,
    closes: text.closes ?? false,
    logOnly: text.logOnly ?? false,
    breaksOff: text.breaksOff ?? false,
    cause: text.cause,
    remedy: text.remedy,
    bodyStart: `{"type":${quoteAscii(uri)},"title":${quoteAscii(text.title)},"status":${text.status}`,
  });
}

export type FaultName =
  | keyof typeof clientFaults
  | keyof typeof upstreamFaults
  | keyof typeof gatewayFaults;

/** The catalogue: every fault type of the gateway itself, by name. */
export const faultTypes: Readonly<Record<FaultName, FaultType>> = compileTypes({
  ...clientFaults,
  ...upstreamFaults,
  ...gatewayFaults,
});

export type MalformedRequestCode = keyof typeof malformedRequestCodes;

/** One of several things that are wrong with a message. Plain data for the client, without internals. */
export interface FaultError {
  /** Part of the message. */
  readonly in: "path" | "query" | "header" | "cookie" | "body" | "status";
  /** Of the parameter or header. */
  readonly name?: string;
  /** JSON Pointer into the value (RFC 6901); "" for all of it. */
  readonly path: string;
  readonly message: string;
}

/**
 * One fault that happened. A value, not an Error: it captures no stack, so that a flood of bad
 * requests costs no more than good ones; it may be thrown where that is the only way out.
 */
export class Fault {
  readonly type: FaultType;
  readonly whose: Whose;
  readonly retrySafe: RetrySafe;
  /** A sentence for the client, without internals; empty when the title says it all. */
  readonly detail: string;
  /** Which of several rules was broken, kebab-case; empty when there is but one. */
  readonly code: string;
  /** Sent with the answer, by lower-case name; null for none. */
  readonly headers: Readonly<Record<string, string>> | null;
  /** The member `errors` of the problem body: everything that is wrong, at once; null for none. */
  readonly errors: readonly FaultError[] | null;

  constructor(
    type: FaultType,
    detail = "",
    code = "",
    headers: Readonly<Record<string, string>> | null = null,
    errors: readonly FaultError[] | null = null,
  ) {
    this.type = type;
    this.whose = type.whose;
    this.retrySafe = type.retrySafe;
    this.detail = detail;
    this.code = code;
    this.headers = headers;
    this.errors = errors;
  }

  get status(): number {
    return this.type.status;
  }

  get name(): string {
    return this.type.name;
  }
}

/** Faults without a detail, made once: the usual case needs no allocation. */
export const faults: Readonly<Record<FaultName, Fault>> = compileFaults();

/** The `malformed-request` faults, made once, by code. */
export const malformedRequests: Readonly<Record<MalformedRequestCode, Fault>> =
  compileMalformedRequests();

/**
 * The problem body: pure ASCII, so that its length in characters is its length in bytes and it can
 * be joined to a latin1 head. `requestId` may hold anything; empty leaves the member out.
 */
export function renderProblem(fault: Fault, requestId: string): string {
  let body = fault.type.bodyStart;
  if (fault.code !== "") body += `,"code":${quoteAscii(fault.code)}`;
  if (fault.detail !== "") body += `,"detail":${quoteAscii(fault.detail)}`;
  if (requestId !== "") body += `,"requestId":${quoteAscii(requestId)}`;
  if (fault.errors !== null) body += `,"errors":${asciiJson(fault.errors)}`;
  return body + "}";
}

/** A JSON string literal of ASCII characters only. */
function quoteAscii(text: string): string {
  if (!unsafeInAscii.test(text)) return `"${text}"`;
  return asciiJson(text);
}

/** JSON of ASCII characters only. `<` stands in strings alone, where it may be escaped. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(unsafeEach, escapeUnit);
}

function escapeUnit(unit: string): string {
  return "\\u" + unit.charCodeAt(0).toString(16).padStart(4, "0");
}

function compileTypes(texts: Record<FaultName, FaultText>): Record<FaultName, FaultType> {
  const types = {} as Record<FaultName, FaultType>;
  for (const name of Object.keys(texts) as FaultName[]) {
    types[name] = defineFaultType(name, texts[name]);
  }
  return Object.freeze(types);
}

function compileFaults(): Record<FaultName, Fault> {
  const made = {} as Record<FaultName, Fault>;
  for (const name of Object.keys(faultTypes) as FaultName[])
    made[name] = new Fault(faultTypes[name]);
  return Object.freeze(made);
}

function compileMalformedRequests(): Record<MalformedRequestCode, Fault> {
  const made = {} as Record<MalformedRequestCode, Fault>;
  for (const code of Object.keys(malformedRequestCodes) as MalformedRequestCode[]) {
    made[code] = new Fault(faultTypes["malformed-request"], malformedRequestCodes[code], code);
  }
  return Object.freeze(made);
}
