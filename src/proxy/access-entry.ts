// HOT
import type { AccessRecord } from "../base/log/access-record.ts";
import { hedgesTotal, retriesForgoneTotal, retriesTotal } from "../base/metrics/families.ts";
import { nameOfGrpcStatus } from "../upstream/grpc-status.ts";
import { type ExchangeView, NOT_FORGONE, NOT_HEDGED } from "./exchange-view.ts";

const retryReasons = retriesTotal.fixed!.values;
const obstacles = retriesForgoneTotal.fixed!.values;
const hedgeOutcomes = hedgesTotal.fixed!.values;

/** Shows a finished exchange to the access log. One for a worker, pointed at one exchange after the other. */
export class AccessEntry implements AccessRecord {
  private exchange: ExchangeView | null;

  constructor() {
    this.exchange = null;
  }

  of(exchange: ExchangeView): this {
    this.exchange = exchange;
    return this;
  }

  get startedAtMs(): number {
    return performance.timeOrigin + this.exchange!.startedAt;
  }

  get durationUs(): number {
    return Math.round((this.exchange!.endedAt - this.exchange!.startedAt) * 1000);
  }

  get upstreamUs(): number {
    const { answeredAt, sentAt } = this.exchange!;
    return answeredAt === 0 ? -1 : Math.round((answeredAt - sentAt) * 1000);
  }

  get clientAddress(): string {
    return this.exchange!.clientAddress;
  }

  get method(): string {
    return this.exchange!.request.method;
  }

  get scheme(): string {
    return this.exchange!.scheme;
  }

  get host(): string {
    return this.exchange!.authority;
  }

  get path(): string {
    const { request } = this.exchange!;
    const { target } = request;
    const mark = target.indexOf("?");
    return mark < 0 ? target : target.slice(0, mark);
  }

  get query(): string {
    return this.exchange!.rawQuery;
  }

  get protocol(): string {
    return this.exchange!.protocol;
  }

  get status(): number {
    return this.exchange!.status;
  }

  get grpcStatus(): string {
    return nameOfGrpcStatus(this.exchange!.grpcStatus);
  }

  get responseBodyBytes(): number {
    return this.exchange!.responseBodyBytes;
  }

  get requestBodyBytes(): number {
    return this.exchange!.requestBodyBytes;
  }

  get routeName(): string {
    return this.exchange!.routeName;
  }

  get serviceName(): string {
    return this.exchange!.serviceName;
  }

  get targetUrl(): string {
    const { target } = this.exchange!;
    return target === null ? "" : target.key;
  }

  get attempts(): number {
    return this.exchange!.attempts;
  }

  get retriedFor(): string {
    const { retriedFor } = this.exchange!;
    // RETRY_ bits are in the order of the label's values.
    return retriedFor === 0 ? "" : retryReasons[31 - Math.clz32(retriedFor)]!;
  }

  get retryForgone(): string {
    const { retryForgone } = this.exchange!;
    return retryForgone === NOT_FORGONE ? "" : obstacles[retryForgone]!;
  }

  get hedge(): string {
    const { hedgeOutcome } = this.exchange!;
    return hedgeOutcome === NOT_HEDGED ? "" : hedgeOutcomes[hedgeOutcome]!;
  }

  get requestId(): string {
    return this.exchange!.requestId;
  }

  get consumer(): string {
    const { identity } = this.exchange!;
    return identity === null || identity.consumer === null ? "" : identity.consumer.name;
  }

  get subject(): string {
    const { identity } = this.exchange!;
    return identity === null ? "" : identity.subject;
  }

  get credential(): string {
    const { identity } = this.exchange!;
    return identity === null ? "" : identity.credential;
  }

  get identityMethod(): string {
    const { identity } = this.exchange!;
    return identity === null ? "" : identity.method;
  }

  get faultCode(): string {
    const { fault } = this.exchange!;
    return fault === null ? "" : fault.name;
  }

  get failure(): string {
    return this.exchange!.failure;
  }

  get fallback(): string {
    return this.exchange!.fallbackKind;
  }

  requestHeader(name: string): string {
    return this.exchange!.request.fields.get(name) ?? "";
  }

  responseHeader(name: string): string {
    return this.exchange!.response.fields.get(name) ?? "";
  }
}
