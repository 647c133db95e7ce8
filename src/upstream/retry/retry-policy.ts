// HOT
import type { Random } from "../../base/random.ts";
import type { RetryCondition, RetryConfig } from "./retry-config.ts";
import { readPushback, readRetryAfter } from "./retry-after.ts";
import type { AnswerFields } from "./retry-after.ts";

/** Why a request is tried again: bits of what a policy retries. */
export const RETRY_CONNECT = 1;
export const RETRY_REFUSED = 2;
export const RETRY_RESET = 4;
export const RETRY_TIMEOUT = 8;
/** An HTTP status, or that of gRPC. */
export const RETRY_STATUS = 16;

/** What an answer comes to. */
export const ANSWER_STANDS = -1;
/** Another try would be due, but its service wants none, or none as soon as it would be waited for. */
export const ANSWER_PUTS_OFF = -2;
/** Another try is due after the policy's own backoff. */
export const ANSWER_BACKS_OFF = 0;

const STATUS_COUNT = 600;

/** gRPC's numbers of the statuses that can be named. */
const GRPC_STATUSES: Readonly<Record<string, number>> = {
  cancelled: 1,
  "deadline-exceeded": 4,
  "resource-exhausted": 8,
  internal: 13,
  unavailable: 14,
};

/** When a request is tried again; compiled from the `retry` of a service or a route. */
export class RetryPolicy {
  /** Tries after the first. */
  readonly attempts: number;
  /** RETRY_ bits. */
  readonly on: number;
  readonly perTryMs: number;
  readonly bodyBytesMax: number;
  /** "" for none. */
  readonly idempotencyKey: string;
  readonly unsafe: boolean;
  /** Something may have to be sent again that has been sent: bodies are kept meanwhile. */
  readonly repeats: boolean;
  /** 1 at the statuses that are tried again. */
  private readonly statuses: Uint8Array;
  /** Bits by gRPC's numbers. */
  private readonly grpcStatuses: number;
  private readonly baseMs: number;
  private readonly backoffMaxMs: number;
  private readonly retryAfterMaxMs: number;

  constructor(config: RetryConfig) {
    const conditions = config.attempts === 0 ? NOTHING : config.on;
    this.statuses = new Uint8Array(STATUS_COUNT);
    let on = 0;
    let grpcStatuses = 0;
    // cold: once per service and route
    for (const condition of conditions) {
      on |= bitOf(condition);
      markStatuses(this.statuses, condition);
      if (typeof condition === "string") grpcStatuses |= grpcBit(condition);
    }
    this.attempts = config.attempts;
    this.on = on;
    this.perTryMs = config.perTryMs;
    this.bodyBytesMax = config.bodyBytes;
    this.idempotencyKey = config.idempotencyKey;
    this.unsafe = config.unsafe;
    this.repeats = (on & (RETRY_RESET | RETRY_TIMEOUT | RETRY_STATUS)) !== 0;
    this.grpcStatuses = grpcStatuses;
    this.baseMs = config.backoff.baseMs;
    this.backoffMaxMs = config.backoff.maxMs;
    this.retryAfterMaxMs = config.retryAfterMs;
  }

  /**
   * Whether an answer is worth another try.
   *
   * @returns ANSWER_STANDS, ANSWER_PUTS_OFF, ANSWER_BACKS_OFF, or how many milliseconds the service has asked to wait
   */
  judge(status: number, fields: AnswerFields): number {
    if (this.statuses[status] === 1) {
      const asked = fields.get("retry-after");
      // Too many requests: only who is told when to come back does so.
      if (asked === undefined) return status === 429 ? ANSWER_STANDS : ANSWER_BACKS_OFF;
      return this.bounded(readRetryAfter(asked, fields.get("date")));
    }
    if (this.grpcStatuses === 0 || status !== 200) return ANSWER_STANDS;
    const grpcStatus = fields.get("grpc-status");
    if (grpcStatus === undefined || !this.hasGrpcStatus(Number(grpcStatus))) return ANSWER_STANDS;
    const asked = fields.get("grpc-retry-pushback-ms");
    return asked === undefined ? ANSWER_BACKS_OFF : this.bounded(readPushback(asked));
  }

  /** Statuses of trailers-only answers stand in the head (gRPC over HTTP/2). */
  private hasGrpcStatus(status: number): boolean {
    return status >= 1 && status <= 16 && (this.grpcStatuses & (1 << status)) !== 0;
  }

  private bounded(askedMs: number): number {
    return askedMs < 0 || askedMs > this.retryAfterMaxMs ? ANSWER_PUTS_OFF : askedMs;
  }

  /**
   * Milliseconds before another try, at random up to a bound that doubles with each (full jitter), as Envoy has
   * it: those that failed together do not come back together.
   *
   * @param retry 1 for the first
   */
  backoffMs(retry: number, random: Random): number {
    const growing = this.baseMs * (2 ** Math.min(retry, 30) - 1);
    return random.below(Math.min(growing, this.backoffMaxMs)) + 1;
  }
}

const NOTHING: readonly RetryCondition[] = [];

function bitOf(condition: RetryCondition): number {
  switch (condition) {
    case "connect-failure":
      return RETRY_CONNECT;
    case "refused":
      return RETRY_REFUSED;
    case "reset":
      return RETRY_RESET;
    case "timeout":
      return RETRY_TIMEOUT;
    default:
      return RETRY_STATUS;
  }
}

function grpcBit(condition: string): number {
  const status = GRPC_STATUSES[condition];
  return status === undefined ? 0 : 1 << status;
}

function markStatuses(statuses: Uint8Array, condition: RetryCondition): void {
  if (typeof condition === "number") statuses[condition] = 1;
  else if (condition === "5xx") statuses.fill(1, 500, 600);
  else if (condition === "gateway-error") statuses.fill(1, 502, 505);
  // The one that another try may well get past, as Envoy has it.
  else if (condition === "retriable-4xx") statuses[409] = 1;
}
