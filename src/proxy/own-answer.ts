import type { Fault } from "../base/faults.ts";
import { faults, problemContentType, renderProblem } from "../base/faults.ts";
import { httpDate } from "./http-date.ts";
import { reasonOf } from "../wire/http1/write-message.ts";
import type { Fields } from "../wire/fields.ts";
import type { ExchangeView } from "./exchange-view.ts";
import { createRequestId } from "./request-id.ts";

/** Seconds a client is asked to wait after an answer of 503. */
const RETRY_AFTER_SECONDS = "1";

/** What `OPTIONS *` is told, and who is refused a method that no route can allow. */
export const METHODS_OF_THE_GATEWAY = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/** Fills the response's head with a fault's answer (RFC 9457) and returns its body. */
export function ownAnswer(exchange: ExchangeView, fault: Fault): Buffer {
  const body = Buffer.from(renderProblem(fault, exchange.requestId), "latin1");
  const { response } = exchange;
  response.reset(fault.status, reasonOf(fault.status));
  const { fields } = response;
  fields.add("date", httpDate());
  fields.add("content-type", problemContentType);
  fields.add("content-length", String(body.length));
  if (fault === faults["method-not-allowed"]) fields.add("allow", exchange.match.allow);
  else if (fault.status === 405 && fault.headers?.["allow"] === undefined) {
    fields.add("allow", METHODS_OF_THE_GATEWAY);
  }
  if (fault.headers !== null) addHeaders(fields, fault.headers);
  if (fault.status === 503 && !fields.has("retry-after")) {
    fields.add("retry-after", RETRY_AFTER_SECONDS);
  }
  return body;
}

function addHeaders(fields: Fields, headers: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(headers)) fields.add(name, headers[name]!);
}

/** The same as bytes of an HTTP/1.1 connection that closes then, for where there is no exchange. */
export function wholeAnswer(fault: Fault): string {
  const body = renderProblem(fault, createRequestId());
  return (
    `HTTP/1.1 ${fault.status} ${reasonOf(fault.status)}\r\ndate: ${httpDate()}\r\n` +
    `content-type: ${problemContentType}\r\ncontent-length: ${body.length}\r\n` +
    `retry-after: ${RETRY_AFTER_SECONDS}\r\nConnection: close\r\n\r\n${body}`
  );
}
