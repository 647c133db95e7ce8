import type { AccessRecord } from "./access-record.ts";

/**
 * How a value is turned into JSON. `octets` came over the wire and is escaped afresh; `name` and `text`
 * are one of few different values (a host or browser; a name from the config), so the escaped form of the
 * last one is remembered; `count` is an integer; `micros` is microseconds, printed as milliseconds; `time`
 * is Unix milliseconds; `worker` is the same for every line a worker writes.
 */
export type AccessFieldKind = "time" | "octets" | "name" | "text" | "count" | "micros" | "worker";

export interface AccessField {
  /** The key in the line, and the name by which the config asks for it. */
  readonly name: string;
  readonly kind: AccessFieldKind;
  /** Property of the record, or a header's name in lower case when `source` says so. */
  readonly property: string;
  readonly source: "record" | "requestHeader" | "responseHeader";
  /** One line for the reference docs. */
  readonly about: string;
}

type RecordProperty = Exclude<keyof AccessRecord, "requestHeader" | "responseHeader">;
type RequestHeader = { header: string };
type Row = readonly [string, AccessFieldKind, RecordProperty | RequestHeader | "", string];

/** Name, kind, where it is read, what it means. */
const rows: readonly Row[] = [
  ["time", "time", "startedAtMs", "When the request began: RFC 3339, UTC, milliseconds"],
  ["requestId", "octets", "requestId", "The request id"],
  ["client", "octets", "clientAddress", "Address of the client, seen through trusted proxies"],
  ["method", "name", "method", "Request method"],
  ["scheme", "text", "scheme", "`http` or `https`"],
  ["host", "name", "host", "The `Host` the client asked for"],
  ["path", "octets", "path", "Path as received, without the query"],
  ["query", "octets", "query", "The query as received; it may hold secrets"],
  ["protocol", "text", "protocol", "`HTTP/1.0`, `HTTP/1.1` or `HTTP/2.0`"],
  ["status", "count", "status", "Status sent; 0 when the client left before there was one"],
  ["grpcStatus", "text", "grpcStatus", "What the service said in gRPC: `ok`, `unavailable`"],
  ["requestBytes", "count", "requestBodyBytes", "Body bytes received from the client"],
  ["responseBytes", "count", "responseBodyBytes", "Body bytes sent to the client"],
  ["durationMs", "micros", "durationUs", "From the first byte in to the last byte out"],
  [
    "upstreamMs",
    "micros",
    "upstreamUs",
    "From the end of the request to the head of the service's answer",
  ],
  ["route", "text", "routeName", "Name of the route"],
  ["service", "text", "serviceName", "Name of the service"],
  ["target", "text", "targetUrl", "Target that answered, or the last one tried"],
  ["attempts", "count", "attempts", "How many targets were tried; 0 when none was needed"],
  ["retried", "text", "retriedFor", "Why a try was followed by another, of several the last"],
  [
    "retryForgone",
    "text",
    "retryForgone",
    "What stood against a retry or a hedge that was due: `budget`, `unsafe`",
  ],
  ["hedge", "text", "hedge", "A second try beside a slow first: `won`, `lost`, `failed`"],
  ["consumer", "text", "consumer", "Name of the consumer that called"],
  ["subject", "text", "subject", "Who called, as a token or a directory names it"],
  ["credential", "text", "credential", "Name of the consumer's credential, never the credential"],
  ["identity", "text", "identityMethod", "The policy that found out who called: `api-key`"],
  ["fault", "text", "faultCode", "What went wrong, a code from the fault catalogue"],
  ["failure", "text", "failure", "What the service failed with that a fallback stood in for"],
  ["fallback", "text", "fallback", "What answered in its place: `service`, `respond`, `cached`"],
  ["userAgent", "name", { header: "user-agent" }, "The `User-Agent` header"],
  ["referer", "octets", { header: "referer" }, "The `Referer` header"],
  ["worker", "worker", "", "Index of the worker that served the request"],
];

/** Every field with a name of its own. `time` leads each line, asked for or not. */
export const accessFields: readonly AccessField[] = rows.map(([name, kind, from, about]) =>
  typeof from === "string"
    ? { name, kind, property: from, source: "record", about }
    : { name, kind, property: from.header, source: "requestHeader", about },
);

const byName = new Map(accessFields.map((each) => [each.name, each]));

/** RFC 9110, section 5.1: a header name is a token. */
const headerField = /^(request|response)\.header\.([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128})$/;

/**
 * The field a config means by a name: one of `accessFields`, or `request.header.NAME` or
 * `response.header.NAME`. `undefined` when there is none.
 */
export function parseAccessField(name: string): AccessField | undefined {
  const known = byName.get(name);
  if (known !== undefined) return known;
  const parts = headerField.exec(name);
  if (parts === null) return undefined;
  const source = parts[1] === "request" ? "requestHeader" : "responseHeader";
  return { name, kind: "octets", property: parts[2]!.toLowerCase(), source, about: "" };
}
