import type { Exchange } from "../../policy/exchange.ts";
import { sentContentType } from "../../policy/sent-content-type.ts";
import type { BodyCheck } from "./body-check.ts";
import type { CompiledOperation } from "./compiled-operation.ts";
import { findContent, isReadableCharset, parseContentType } from "./content-type.ts";
import { FormPairs } from "./form-pairs.ts";
import {
  judgeValue,
  readFormParameter,
  readHeaderParameter,
  readPathParameter,
  type Parameter,
} from "./parameter.ts";
import { flaw, tellName, type Violation } from "./violation.ts";

/** What is to be done with a body: nothing, a look at it, or a refusal for its type. */
export type BodyPlan =
  | { readonly kind: "pass" }
  | { readonly kind: "check"; readonly how: BodyCheck; readonly boundary: string }
  | {
      readonly kind: "wrong-type";
      readonly message: string;
      /** The type that was sent, where there is one. */
      readonly given: string;
      readonly accept: string;
    };

const PASS: BodyPlan = { kind: "pass" };

/** Adds everything that is wrong with a request's head. */
export function judgeHead(
  exchange: Exchange,
  { request }: CompiledOperation,
  values: readonly string[] | null,
  refusesUnknownQuery: boolean,
  errors: Violation[],
): void {
  for (let index = 0; index < request.path.length; index++) {
    const parameter = request.path[index]!;
    if (parameter === null) continue;
    const raw = values === null ? exchange.param(parameter.name) : values[index];
    // A single operation may be asked for by a path that has no such place.
    if (raw !== undefined) judgeValue(parameter, readPathParameter(parameter, raw), errors);
  }
  if (request.query.length > 0 || refusesUnknownQuery) {
    judgeQuery(exchange.rawQuery, request.query, refusesUnknownQuery, errors);
  }
  if (request.headers.length > 0) judgeHeaders(exchange.request.fields, request.headers, errors);
  if (request.cookies.length > 0) {
    const pairs = FormPairs.ofCookies(exchange.header("cookie") ?? "");
    for (const parameter of request.cookies) {
      judgeValue(parameter, readFormParameter(parameter, pairs), errors);
    }
  }
}

function judgeQuery(
  query: string,
  parameters: readonly Parameter[],
  refusesUnknown: boolean,
  errors: Violation[],
): void {
  const pairs = FormPairs.ofForm(query);
  if (pairs.hasBrokenName) {
    const message = "has a name that is not correctly percent-encoded UTF-8";
    errors.push({ in: "query", ...flaw("encoding", message) });
  }
  for (const parameter of parameters) {
    const raws = pairs.get(parameter.name);
    if (parameter.allowsEmpty && raws.length === 1 && raws[0] === "") continue;
    judgeValue(parameter, readFormParameter(parameter, pairs), errors);
  }
  if (!refusesUnknown) return;
  for (const name of pairs.names()) {
    if (parameters.some((parameter) => takes(parameter, name))) continue;
    const unknown = flaw("unknown", "is not known here", tellName(name));
    errors.push({ in: "query", name: name.slice(0, 100), ...unknown, isMadeUp: true });
  }
}

function takes({ name, style, explode, shape, isJson }: Parameter, given: string): boolean {
  if (isJson) return given === name;
  if (style === "deepObject") return given.startsWith(`${name}[`);
  if (style === "form" && explode && shape.kind === "map") return shape.properties.has(given);
  return given === name;
}

/** Also of responses. */
export function judgeHeaders(
  fields: { each(visit: (name: string, value: string) => void): void },
  parameters: readonly Parameter[],
  errors: Violation[],
): void {
  const lines = new Map<string, string[]>(parameters.map(({ name }) => [name.toLowerCase(), []]));
  fields.each((name, value) => lines.get(name.toLowerCase())?.push(value));
  for (const parameter of parameters) {
    const given = lines.get(parameter.name.toLowerCase())!;
    judgeValue(parameter, readHeaderParameter(parameter, given), errors);
  }
}

/** What the head says of the body that follows. */
export function planBody(
  exchange: Exchange,
  { request }: CompiledOperation,
  errors: Violation[],
): BodyPlan {
  const { bodies } = request;
  if (!exchange.request.hasBody) {
    if (request.isBodyRequired) errors.push({ in: "body", ...flaw("required", "is required") });
    return PASS;
  }
  if (request.hasNoBody) {
    errors.push({ in: "body", ...flaw("no-body", "must not be present") });
    return PASS;
  }
  if (bodies === null) return PASS;
  const coding = exchange.header("content-encoding");
  if (coding !== undefined && coding.toLowerCase() !== "identity") {
    return wrongType("The body is compressed and cannot be checked.", bodies, tellType(coding));
  }
  return planFor(sentContentType(exchange), bodies);
}

/** By a Content-Type; undefined for none, or several. */
export function planFor(
  written: string | undefined,
  bodies: ReadonlyMap<string, BodyCheck | null>,
): BodyPlan {
  if (written === undefined) return wrongType("There is no one Content-Type.", bodies);
  const sent = parseContentType(written);
  if (sent === null) return wrongType("The Content-Type is malformed.", bodies);
  const how = findContent(bodies, sent.type);
  if (how === undefined) {
    return wrongType("The Content-Type is none of those described.", bodies, tellType(sent.type));
  }
  const { boundary } = sent;
  if (sent.type.startsWith("multipart/") && boundary === "") {
    return wrongType("The Content-Type has no boundary.", bodies);
  }
  if (how === null) return PASS;
  if (!isReadableCharset(sent.charset)) return wrongType("The charset is not UTF-8.", bodies);
  return { kind: "check", how, boundary };
}

function wrongType(
  message: string,
  bodies: ReadonlyMap<string, BodyCheck | null>,
  given = "",
): BodyPlan {
  return { kind: "wrong-type", message, given, accept: [...bodies.keys()].join(", ") };
}

/** A type or a coding, if it looks like one. */
function tellType(text: string): string {
  return /^[a-z]+(?:\/[a-z0-9.+-]{1,60})?$/i.test(text) && text.length <= 80 ? text : "";
}
