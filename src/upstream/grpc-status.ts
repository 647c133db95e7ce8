// HOT
/** Statuses of gRPC, which stand in trailers behind a 200, or in the head of an answer without messages. */
import { grpcStatuses } from "../base/metrics/families.ts";

/** Anything else than gRPC. */
export const NO_GRPC_STATUS = -1;

const UNKNOWN = 2;
const DEADLINE_EXCEEDED = 4;

/**
 * By number, as Envoy has it (`grpcToHttpStatus`) but for one: a method that a service does not know is what a path
 * is that it does not know. Any client can ask for one, and is not to have targets ejected by it.
 */
const HTTP_STATUSES = [
  200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 404, 500, 503, 500, 401,
] as const;

interface Fields {
  get(name: string): string | undefined;
}

/** @returns 0 to 16, or NO_GRPC_STATUS; what is no status of gRPC is `unknown`, as its own clients have it */
export function readGrpcStatus(fields: Fields): number {
  const text = fields.get("grpc-status");
  if (text === undefined) return NO_GRPC_STATUS;
  const status = Number(text);
  return text !== "" && Number.isInteger(status) && status >= 0 && status < HTTP_STATUSES.length
    ? status
    : UNKNOWN;
}

/**
 * What guards are told of an answer of HTTP: what it says in gRPC, if it does.
 *
 * @param asked headers of the request
 */
export function toldStatusOf(status: number, grpcStatus: number, asked: Fields): number {
  if (status !== 200 || grpcStatus === NO_GRPC_STATUS) return status;
  // Who says how little time there is can have it exceeded, and is not to have targets ejected by that either.
  if (grpcStatus === DEADLINE_EXCEEDED && asked.get("grpc-timeout") !== undefined) return status;
  return HTTP_STATUSES[grpcStatus]!;
}

export function nameOfGrpcStatus(grpcStatus: number): string {
  return grpcStatus === NO_GRPC_STATUS ? "" : grpcStatuses[grpcStatus]!;
}
