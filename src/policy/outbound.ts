/** Requests of the gateway's own to servers that are no services of the document. */
export type { OutboundRequest, OutboundResponse } from "../base/outbound/outbound.ts";
