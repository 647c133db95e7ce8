// HOT
import { CONTENT_TYPE } from "../wire/known-header.ts";
import type { Exchange } from "./exchange.ts";

/**
 * Content-Type of the request's body; undefined without one, and where there are several: which of them
 * counts is for no two servers the same.
 */
export function sentContentType(exchange: Exchange): string | undefined {
  const { fields } = exchange.request;
  const index = fields.indexOfId(CONTENT_TYPE);
  if (index < 0) return undefined;
  for (let other = index + 1; other < fields.count; other++) {
    if (fields.ids[other] === CONTENT_TYPE && fields.removed[other] === 0) return undefined;
  }
  return fields.valueAt(index);
}
