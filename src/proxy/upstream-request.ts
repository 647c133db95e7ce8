// HOT
import type { Target } from "../upstream/balance/target.ts";
import type { CompiledRewrite } from "../routing/rewrite.ts";
import type { ExchangeView } from "./exchange-view.ts";
import { HOST_LITERAL, HOST_TARGET } from "./snapshot.ts";
import type { Destination } from "./snapshot.ts";

/** The request target sent to the service: the path that was matched, rewritten and prefixed, and the query. */
export function prepareTarget(exchange: ExchangeView, { service, rewrite }: Destination): string {
  const { request, normalized } = exchange;
  if (service.rawPath) return service.pathPrefix + rawTarget(exchange, rewrite);
  if (rewrite !== null) return service.pathPrefix + rewrittenTarget(exchange, rewrite);
  const { text } = request.fields;
  if (service.pathPrefix === "" && normalized.text === text && !exchange.queryIsChanged) {
    // The target as it came, in one slice.
    return text.slice(normalized.start, request.targetEnd);
  }
  const path = service.pathPrefix + exchange.path;
  return exchange.rawQuery === "" ? path : path + "?" + exchange.rawQuery;
}

function rewrittenTarget(exchange: ExchangeView, rewrite: CompiledRewrite): string {
  const path = rewrite.path === null ? exchange.path : rewrite.path.render(exchange.match);
  const query = rewrite.query === null ? exchange.rawQuery : rewrite.query.apply(exchange.rawQuery);
  return query === "" ? path : path + "?" + query;
}

/** Path and query as the client sent them, of an absolute form too. */
function rawTarget(exchange: ExchangeView, rewrite: CompiledRewrite | null): string {
  const sent = sentTarget(exchange);
  const queryRewrite = rewrite === null ? null : rewrite.query;
  if (queryRewrite === null && !exchange.queryIsChanged) return sent;
  const mark = sent.indexOf("?");
  const path = mark < 0 ? sent : sent.slice(0, mark);
  const { rawQuery } = exchange;
  const query = queryRewrite === null ? rawQuery : queryRewrite.apply(rawQuery);
  return query === "" ? path : path + "?" + query;
}

function sentTarget(exchange: ExchangeView): string {
  const { target } = exchange.request;
  if (target.charCodeAt(0) === 0x2f) return target;
  const rest = target.slice(target.indexOf("//") + 2);
  const start = rest.search(/[/?]/);
  if (start < 0) return "/";
  return rest[start] === "/" ? rest.slice(start) : "/" + rest.slice(start);
}

/** The Host sent to the service; "" when the client's field goes on as it is. */
export function hostFor(
  exchange: ExchangeView,
  { service, rewrite }: Destination,
  target: Target,
): string {
  const { request } = exchange;
  const { hostMode } = service;
  let host = "";
  if (rewrite !== null && rewrite.host !== null) host = rewrite.host;
  else if (hostMode === HOST_TARGET) host = target.authority;
  else if (hostMode === HOST_LITERAL) host = service.hostLiteral;
  else if (request.hostIndex < 0)
    host = exchange.authority === "" ? target.authority : exchange.authority;
  else if (request.fields.text.charCodeAt(request.targetStart) !== 0x2f) host = exchange.authority;
  if (host !== "" && request.hostIndex >= 0) request.fields.removeAt(request.hostIndex);
  return host;
}
