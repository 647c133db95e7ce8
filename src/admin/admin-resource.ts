import type { IncomingHttpHeaders } from "node:http";
import {
  Fault,
  type FaultName,
  faultTypes,
  problemContentType,
  renderProblem,
} from "../base/faults.ts";
import type { GatewayView } from "../runtime/gateway-view.ts";

export interface AdminReply {
  status: number;
  contentType: string;
  body: string;
}

/** One resource of the admin API: read with GET or HEAD, or written with POST. */
export type AdminResource = ReadResource | WriteResource;

interface NamedResource {
  /** `NAME` stands for any one segment. */
  path: string;
  /** One line for the index. */
  about: string;
}

export interface ReadResource extends NamedResource {
  read(gateway: GatewayView, headers: IncomingHttpHeaders): AdminReply;
}

export interface WriteResource extends NamedResource {
  /**
   * @param body what was sent as JSON
   * @param name what stands for `NAME` in the path, "" without
   */
  write(gateway: GatewayView, body: unknown, name: string): AdminReply;
}

export function jsonReply(status: number, value: unknown): AdminReply {
  return { status, contentType: "application/json", body: `${JSON.stringify(value, null, 2)}\n` };
}

export function textReply(status: number, text: string): AdminReply {
  return { status, contentType: "text/plain; charset=utf-8", body: `${text}\n` };
}

export function problemReply(name: FaultName, detail: string): AdminReply {
  const fault = new Fault(faultTypes[name], detail);
  return { status: fault.status, contentType: problemContentType, body: renderProblem(fault, "") };
}
