/** compile-split: the ways that requests of a route may go, and what each of them means. */
import { requestsTotal, splitRequestsTotal } from "../base/metrics/families.ts";
import type { Counter, MetricView } from "../base/metrics/metric-view.ts";
import type { Random } from "../base/random.ts";
import { compileLimitKey } from "../policy/limit-key.ts";
import type { CompiledHooks, Destination } from "../proxy/snapshot.ts";
import { Split, SplitCookie, type SplitBranch, type SplitKey } from "../proxy/split.ts";
import { compileDestination } from "./compile-destination.ts";
import { compileApplies, NO_HOOKS, type PolicyContext } from "./compile-policies.ts";
import type { FallbackCompiler } from "./compile-fallback.ts";
import type { RouteConfig } from "./config.ts";
import type { SplitBranchConfig, SplitConfig, StickySplitConfig } from "./schema/split.ts";

/** A service as a branch meets it. */
export interface SplitService {
  readonly destination: Destination | null;
  /** Of the service alone. */
  readonly own: CompiledHooks;
}

export interface SplitContext extends PolicyContext {
  readonly metrics: MetricView;
  readonly random: Random;
}

/** IPv6 addresses that share a prefix of this many bits are one client, who changes the rest at will. */
const IPV6_PREFIX = 64;

export class SplitCompiler {
  private readonly services: ReadonlyMap<string, SplitService>;
  private readonly fallbacks: FallbackCompiler;
  private readonly context: SplitContext;

  constructor(
    services: ReadonlyMap<string, SplitService>,
    fallbacks: FallbackCompiler,
    context: SplitContext,
  ) {
    this.services = services;
    this.fallbacks = fallbacks;
    this.context = context;
  }

  compile(route: RouteConfig, config: SplitConfig): Split {
    const { sticky, seed } = config;
    const { random } = this.context;
    const counters = new Map<string, Counter>();
    const requestsOf = (service: string): Counter => {
      const known = counters.get(service);
      if (known !== undefined) return known;
      const counter = this.context.metrics.counter(requestsTotal, [route.name, service]);
      counters.set(service, counter);
      return counter;
    };
    return new Split({
      branches: config.branches.map((branch) =>
        this.compileBranch(route, branch, requestsOf(branch.service)),
      ),
      seed,
      random,
      key: this.keyOf(sticky, route.name),
      cookie: sticky?.by === "cookie" ? new SplitCookie(sticky.name, sticky, random) : null,
    });
  }

  /**
   * What all branches answer browsers that ask beforehand: such a request says nothing of who will be calling, so
   * nobody can tell yet which of them it will be.
   */
  preflightsOf({ branches }: SplitConfig): CompiledHooks["onPreflight"] {
    const services = new Set(branches.map(({ service }) => service));
    return [...services].flatMap((service) => this.services.get(service)!.own.onPreflight);
  }

  private compileBranch(
    route: RouteConfig,
    branch: SplitBranchConfig,
    requests: Counter,
  ): SplitBranch {
    const { name, weight, when } = branch;
    const { metrics } = this.context;
    const { destination } = this.services.get(branch.service)!;
    const own = this.fallbacks.ownHooks(route, branch.service);
    const rewrite = branch.rewrite ?? route.rewrite;
    const way = compileDestination(destination!, {
      match: route.match,
      timeout: { ...route.timeout, ...branch.timeout },
      retry: route.retry,
      hedge: route.hedge,
      ...(rewrite === undefined ? {} : { rewrite }),
    });
    const applies = when === undefined ? null : compileApplies(when, this.context);
    return {
      name,
      destination: this.fallbacks.withFallback(route, {
        service: way.service,
        timeouts: way.timeouts,
        rewrite: way.rewrite,
        retry: way.retry,
        hedge: way.hedge,
        hooks: own === NO_HOOKS ? null : own,
        requests,
        fallback: null,
      }),
      weight,
      applies: applies && ((exchange) => applies(exchange, exchange.method)),
      chosen: metrics.counter(splitRequestsTotal, [route.name, name]),
    };
  }

  private keyOf(sticky: StickySplitConfig | null, route: string): SplitKey | null {
    if (sticky === null || sticky.by === "cookie") return null;
    const name = sticky.by === "header" ? sticky.name : "";
    return compileLimitKey(
      { parts: [{ from: sticky.by, name }], ipv6Prefix: IPV6_PREFIX },
      {
        place: { kind: "route", name: route },
        expression: (text) => this.context.expression(text),
      },
    );
  }
}
