import type { IncomingHttpHeaders } from "node:http";
import type { GatewayView } from "../runtime/gateway-view.ts";

export interface AdminReply {
  status: number;
  contentType: string;
  body: string;
}

/** One resource of the admin API. All of them are read with GET or HEAD. */
export interface AdminResource {
  path: string;
  /** One line for the index. */
  about: string;
  read(gateway: GatewayView, headers: IncomingHttpHeaders): AdminReply;
}

export function jsonReply(status: number, value: unknown): AdminReply {
  return { status, contentType: "application/json", body: `${JSON.stringify(value, null, 2)}\n` };
}

export function textReply(status: number, text: string): AdminReply {
  return { status, contentType: "text/plain; charset=utf-8", body: `${text}\n` };
}
