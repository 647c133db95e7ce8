/** compile-fallback: what answers where a service cannot. */
import { fallbacksTotal, requestsTotal } from "../base/metrics/families.ts";
import type { Counter, MetricView } from "../base/metrics/metric-view.ts";
import type { Clock } from "../policy/environment.ts";
import { compileTemplate } from "../policy/template.ts";
import { PLAIN_TEXT } from "../policy/template/value-encoding.ts";
import { compileStatusSet } from "../policy/values/status-set.ts";
import { Fallback, type FallbackStep, type RespondStep } from "../proxy/fallback.ts";
import type { CompiledHooks, CompiledRespond, Destination } from "../proxy/snapshot.ts";
import { compileDestination } from "./compile-destination.ts";
import { joinHooks, NO_HOOKS, type PolicyContext } from "./compile-policies.ts";
import type { RouteConfig, ServiceConfig } from "./config.ts";
import { OwnChanges } from "./own-changes.ts";
import { FAILURE, type FallbackConfig, type FallbackStepConfig } from "./schema/fallback.ts";

export interface FallbackContext extends PolicyContext {
  readonly metrics: MetricView;
}

/** A service as a fallback meets it. */
interface OtherService {
  readonly destination: Destination | null;
  /** Of the service alone. */
  readonly own: CompiledHooks;
}

/** That of the route, or else of the service. */
export function fallbackOf(
  route: Pick<RouteConfig, "fallback">,
  service: Pick<ServiceConfig, "fallback"> | undefined,
): FallbackConfig | undefined {
  return route.fallback ?? service?.fallback;
}

export class FallbackCompiler {
  private readonly configs: Readonly<Record<string, ServiceConfig>>;
  private readonly services: ReadonlyMap<string, OtherService>;
  private readonly context: FallbackContext;
  /** By the name of the service whose policies make them. */
  private readonly changes = new Map<string, OwnChanges>();

  constructor(
    configs: Readonly<Record<string, ServiceConfig>>,
    services: ReadonlyMap<string, OtherService>,
    context: FallbackContext,
  ) {
    this.configs = configs;
    this.services = services;
    this.context = context;
  }

  /** The destination of a route, with what the route or the service falls back on. */
  withFallback(route: RouteConfig, destination: Destination): Destination {
    const { name } = destination.service;
    const config = fallbackOf(route, this.configs[name]);
    if (config === undefined) return destination;
    const { on, header } = config;
    const steps = config.steps
      // A split's branch may be what the others fall back on.
      .filter((step) => step.kind !== "service" || step.service !== name)
      .map((step) => this.compileStep(route, name, step));
    if (steps.length === 0) return destination;
    const fallback = new Fallback({
      steps,
      onFailure: on.includes(FAILURE),
      statuses: compileStatusSet(on.filter((one) => one !== FAILURE)),
      tells: header,
    });
    return { ...destination, fallback };
  }

  /** The service's own policies, watched where what they do to a request is not for others. */
  ownHooks(route: RouteConfig, service: string): CompiledHooks {
    const { own } = this.services.get(service)!;
    const changes = this.changesOf(route, service);
    return changes === null ? own : joinHooks(joinHooks(changes.before, own), changes.after);
  }

  /** null where nothing the service's policies do is to be taken back. */
  changesOf(route: RouteConfig, service: string): OwnChanges | null {
    const config = fallbackOf(route, this.configs[service]);
    const asksOthers = config?.steps.some(({ kind }) => kind === "service") === true;
    if (!asksOthers || this.services.get(service)!.own === NO_HOOKS) return null;
    const known = this.changes.get(service) ?? new OwnChanges();
    this.changes.set(service, known);
    return known;
  }

  private compileStep(route: RouteConfig, from: string, step: FallbackStepConfig): FallbackStep {
    const { metrics } = this.context;
    const taken = metrics.counter(fallbacksTotal, [from, step.kind]);
    if (step.kind === "cached") return { kind: "cached", taken };
    if (step.kind === "respond") return this.compileRespond(step, taken);
    const { destination, own } = this.services.get(step.service)!;
    const rewrite = step.rewrite ?? route.rewrite;
    const way = compileDestination(destination!, {
      match: route.match,
      timeout: step.timeout,
      retry: undefined,
      hedge: undefined,
      ...(rewrite === undefined ? {} : { rewrite }),
    });
    const changes = this.changesOf(route, from);
    return {
      kind: "service",
      destination: {
        ...way,
        hooks: own === NO_HOOKS ? null : own,
        requests: metrics.counter(requestsTotal, [route.name, step.service]),
        fallback: null,
      },
      unsafe: step.unsafe,
      undo: changes && ((exchange) => changes.undo(exchange)),
      taken,
    };
  }

  private compileRespond(
    { respond, text }: Extract<FallbackStepConfig, { kind: "respond" }>,
    taken: Counter,
  ): RespondStep {
    const { status, headers, body } = respond;
    const fixed: CompiledRespond = { status, headers, body: Buffer.from(body) };
    if (text === undefined) return { kind: "respond", answer: () => fixed, taken };
    const expression = (source: string) => this.context.expression(source);
    const template = compileTemplate(text, PLAIN_TEXT, { clock: CLOCK, expression });
    const typed = { "content-type": "text/plain; charset=utf-8", ...headers };
    return {
      kind: "respond",
      answer(exchange) {
        const rendered = template.render(exchange);
        if (rendered === undefined) return fixed;
        return { status, headers: typed, body: Buffer.from(rendered) };
      },
      taken,
    };
  }
}

const CLOCK: Clock = { now: () => Date.now() };
