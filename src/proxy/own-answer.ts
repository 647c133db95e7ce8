import type { Fault } from "../base/faults.ts";
import { faults, problemContentType, renderProblem } from "../base/faults.ts";
import { httpDate } from "./http-date.ts";
import { reasonOf } from "../wire/http1/write-message.ts";
import type { ExchangeView } from "./exchange-view.ts";

/** Seconds a client is asked to wait after an answer of 503. */
const RETRY_AFTER_SECONDS = "1";

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
  if (fault.status === 503) fields.add("retry-after", RETRY_AFTER_SECONDS);
  return body;
}
