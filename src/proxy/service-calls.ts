import { faults } from "../base/faults.ts";
import { PRIORITY_NORMAL } from "../base/priorities.ts";
import type { ServiceAnswer, ServiceRequest } from "../policy/service-call.ts";
import { NO_HOOKS } from "./no-hooks.ts";
import type { ProxyRuntime } from "./proxy-runtime.ts";
import { ServiceCall } from "./service-call.ts";
import { HANDLE_SERVICE } from "./snapshot.ts";
import type { CompiledRoute, CompiledService, Snapshot } from "./snapshot.ts";

/** Objects kept for reuse. */
const SPARE_MAX = 256;

/** Calls to the services of one snapshot. Each holds the snapshot: its connections stay until it is over. */
export class ServiceCalls {
  private readonly runtime: ProxyRuntime;
  private snapshot: Snapshot | null;
  private isClosed: boolean;
  /** By the name of the service. */
  private readonly routes: Map<string, CompiledRoute>;
  private readonly spare: ServiceCall[];

  constructor(runtime: ProxyRuntime) {
    this.runtime = runtime;
    this.snapshot = null;
    this.isClosed = false;
    this.routes = new Map();
    this.spare = [];
  }

  /** The snapshot is compiled: from now on its policies may call. */
  open(snapshot: Snapshot): void {
    this.snapshot = snapshot;
  }

  /** The snapshot is gone; what its policies still want to ask, nobody is asked any more. */
  close(): void {
    this.isClosed = true;
    this.routes.clear();
    this.spare.length = 0;
  }

  /** Rejects with a Fault when no answer comes. */
  async call(name: string, request: ServiceRequest): Promise<ServiceAnswer> {
    const { snapshot } = this;
    if (this.isClosed) return await Promise.reject(faults["no-target"]);
    if (snapshot === null) throw new Error("services cannot be called while policies are compiled");
    const route = this.routeTo(name, request, snapshot);
    const call = this.spare.pop() ?? new ServiceCall(this.runtime, this);
    return await call.send(snapshot, route, request);
  }

  /** @internal for ServiceCall */
  takeBack(call: ServiceCall): void {
    if (this.spare.length < SPARE_MAX) this.spare.push(call);
  }

  private routeTo(name: string, { host, timeoutMs }: ServiceRequest, snapshot: Snapshot) {
    let route = this.routes.get(name);
    if (route === undefined) {
      const service = snapshot.services.get(name);
      if (service === undefined) throw new Error(`no service named "${name}"`);
      route = routeOfCalls(service, snapshot);
      this.routes.set(name, route);
    }
    if (host === undefined && timeoutMs === undefined) return route;
    const { service, timeouts } = route.destination!;
    const destination = {
      service,
      rewrite: host === undefined ? null : { path: null, query: null, host },
      timeouts: timeoutMs === undefined ? timeouts : { ...timeouts, totalMs: timeoutMs },
      retry: service.retry,
      hedge: service.hedge,
      hooks: null,
      requests: null,
      fallback: null,
    };
    return { ...route, destination };
  }
}

/** A route without policies, whose counters nobody adds to. */
function routeOfCalls(service: CompiledService, snapshot: Snapshot): CompiledRoute {
  return {
    name: "",
    handler: HANDLE_SERVICE,
    destination: {
      service,
      rewrite: null,
      timeouts: service.timeouts,
      retry: service.retry,
      hedge: service.hedge,
      hooks: null,
      requests: null,
      fallback: null,
    },
    split: null,
    rawPath: true,
    priority: PRIORITY_NORMAL,
    redirect: null,
    respond: null,
    hooks: NO_HOOKS,
    requests: snapshot.unmatchedRequests,
    duration: snapshot.unmatchedDuration,
  };
}
