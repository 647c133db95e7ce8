import type { Fault } from "../base/faults.ts";
import type { Counter } from "../base/metrics/metric-view.ts";
import type { Exchange } from "../policy/exchange.ts";
import type { StatusSet } from "../policy/values/status-set.ts";
import { isIdempotent } from "./upstream-fault.ts";
import type { CompiledRespond, Destination } from "./snapshot.ts";

/** Another service is asked. */
export interface ServiceStep {
  readonly kind: "service";
  readonly destination: Destination;
  /** Also requests that it may matter to get twice, and that the first service may have got. */
  readonly unsafe: boolean;
  /** Takes out of a request what the first service's own policies have put in; null where it has none. */
  readonly undo: ((exchange: Exchange) => void) | null;
  readonly taken: Counter;
}

/** The gateway answers. */
export interface RespondStep {
  readonly kind: "respond";
  answer(exchange: Exchange): CompiledRespond;
  readonly taken: Counter;
}

/** A policy has kept what answers, such as `cache`. */
export interface CachedStep {
  readonly kind: "cached";
  readonly taken: Counter;
}

export type FallbackStep = ServiceStep | RespondStep | CachedStep;

interface FallbackSettings {
  readonly steps: readonly FallbackStep[];
  /** Any failure of a service to answer. */
  readonly onFailure: boolean;
  /** What it answers with. */
  readonly statuses: StatusSet;
  /** Clients are told in a header. */
  readonly tells: boolean;
}

/** What answers where a service cannot: the first of these steps that does. */
export class Fallback {
  readonly steps: readonly FallbackStep[];
  readonly tells: boolean;
  private readonly onFailure: boolean;
  private readonly statuses: StatusSet;
  private readonly asksServices: boolean;
  private readonly asksUnsafe: boolean;

  constructor({ steps, onFailure, statuses, tells }: FallbackSettings) {
    this.steps = steps;
    this.tells = tells;
    this.onFailure = onFailure;
    this.statuses = statuses;
    this.asksServices = steps.some(({ kind }) => kind === "service");
    this.asksUnsafe = steps.some((step) => step.kind === "service" && step.unsafe);
  }

  takesFault({ whose }: Fault): boolean {
    return this.onFailure && whose === "upstream";
  }

  takesStatus(status: number): boolean {
    return this.statuses.has(status);
  }

  /** Whether the body of such a request is of use once the service has been sent it. */
  resends(method: string): boolean {
    return this.asksServices && (this.asksUnsafe || isIdempotent(method));
  }
}
