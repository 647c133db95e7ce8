import type { Finding, FindingSubject } from "../base/findings/finding.ts";
import type { Log } from "../base/log/log.ts";
import type { Random } from "../base/random.ts";
import type { Counter } from "../base/metrics/metric-view.ts";
import type { CacheKind, CacheStore } from "./cache-store.ts";
import type { Consumers } from "./consumers.ts";
import type { Expression } from "./expression.ts";
import type { ConcurrencyTable, LimitTable } from "./limit-tables.ts";
import type { OutboundRequest, OutboundResponse } from "./outbound.ts";
import type { QuotaCounts } from "./quota-counts.ts";
import type { RedisStore } from "./redis-store.ts";
import type { ServiceAnswer, ServiceRequest } from "./service-call.ts";

/** Where in the document a policy is written. */
export type PlaceKind = "gateway" | "service" | "route" | "plan" | "consumer";

export interface PolicyPlace {
  readonly kind: PlaceKind;
  /** Of the service, route, plan or consumer; "" at the top of the document. */
  readonly name: string;
}

/**
 * Tells operators what is wrong with messages, over days: `GET /validation` on the admin address has it of all
 * workers. Of bounded size: of an operation's findings the rarest are left out where there are too many.
 */
export interface Findings {
  /**
   * What one message was found to be, all at once. Costs some lookups for each; for a message that nothing is
   * wrong with, do not call it.
   */
  note(
    subject: Omit<FindingSubject, "policy" | "at">,
    isRefused: boolean,
    findings: readonly Finding[],
  ): void;
}

/** Wall-clock time; the test kit moves it. */
export interface Clock {
  /** Epoch milliseconds; read once for each event, so that it costs little. */
  now(): number;
}

/**
 * What a policy may use, given to it when it is compiled for one place in the configuration. One object
 * for each use; all of it is of this worker, unless it says otherwise.
 */
export interface PolicyEnvironment {
  readonly place: PolicyPlace;
  /**
   * Names this use of the policy, the same in every worker and after a reload as long as it stays where it
   * is: `route orders/rate-limit/0`. What is counted or kept under it is this use's own.
   */
  readonly id: string;
  readonly clock: Clock;
  /** Chance, repeatable under test; what it gives can be guessed, so never for tokens, keys or ids. */
  readonly random: Random;
  readonly log: Log;
  readonly findings: Findings;
  readonly consumers: Consumers;
  /** Exact counts that all workers share, by any key. */
  readonly limits: LimitTable;
  /** Exact and lasting counts of what is used in a period, that all workers share. */
  readonly quotas: QuotaCounts;
  /** Exact numbers of what is under way in all workers, by any key. */
  readonly concurrency: ConcurrencyTable;
  /** `gateward_policy_results_total` for one of the definition's `results`. @throws for another */
  counter(result: string): Counter;
  /** Content of a file that the definition's `files` named. */
  file(path: string): string;
  /**
   * A value that outlives reloads: made the first time any use asks for this key, disposed once no
   * configuration in use asks for it. Options that it depends on belong into the key.
   */
  keep<Value extends Partial<Disposable>>(key: string, make: () => Value): Value;
  /** The document's Redis. @throws when it has none; `check` has said so where `redis` is among the needs */
  redis(): RedisStore;
  /**
   * Where responses are kept: in memory that all workers share, or in the document's Redis. Outlives reloads.
   * @throws for `redis` when the document has none, for `memory` when it uses neither `cache` nor the policy `cache`
   */
  cache(kind: CacheKind): CacheStore;
  /**
   * Asks one of the document's services, as it is in the configuration that this use belongs to: over its
   * connections, with its balancing, deadlines, retries and metrics. Rejects with a Fault where no answer
   * comes; thrown on by a hook, the client is answered with it.
   */
  call(service: string, request: ServiceRequest): Promise<ServiceAnswer>;
  /** Asks any HTTP server: an identity provider, a key server. Not for what each request waits on. */
  fetch(request: OutboundRequest): Promise<OutboundResponse>;
  /** Compiles a CEL expression over the exchange. @throws Refusal saying what is wrong with it */
  expression(text: string): Expression;
}
