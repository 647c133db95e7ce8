/** service-calls: the services of a document with real connections, in this process, and calls to them. */
import { DeadlineWheel } from "../../src/base/deadline-wheel.ts";
import { silentLog } from "../../src/base/log/log.ts";
import { MetricView } from "../../src/base/metrics/metric-view.ts";
import { Random } from "../../src/base/random.ts";
import { WheelClock } from "../../src/base/shared-clock.ts";
import { RECORD_INTS } from "../../src/base/shared-records.ts";
import { compileSnapshot } from "../../src/config/compile.ts";
import { validate } from "../../src/config/validate.ts";
import { ProxyRuntime } from "../../src/proxy/proxy-runtime.ts";
import { ServiceCalls } from "../../src/proxy/service-calls.ts";
import type { Snapshot } from "../../src/proxy/snapshot.ts";
import { plainRules } from "../../src/upstream/balance/rotation-rules.ts";
import { TargetRegistry } from "../../src/upstream/balance/target-registry.ts";
import { PoolKeeper } from "../../src/upstream/pool-keeper.ts";
import { ServiceTargets } from "../../src/upstream/service-targets.ts";
import type { Cleanup } from "./cleanup.ts";

export interface CallingProxy {
  readonly proxy: ProxyRuntime;
  readonly snapshot: Snapshot;
  readonly calls: ServiceCalls;
  /** How tries ended: positions of `upstreamResult`, in the order in which they did. */
  readonly results: number[];
}

/** @param services as users write them; plain HTTP only. */
export function startCallingProxy(
  t: Cleanup,
  services: Record<string, unknown>,
  document: Record<string, unknown> = {},
): CallingProxy {
  const routes = [{ match: "/", service: Object.keys(services)[0] }];
  const { config, findings } = validate({ ...document, services, routes }, {});
  if (config === undefined) throw new Error(JSON.stringify(findings));
  const wheel = new DeadlineWheel(10);
  wheel.start();
  t.after(() => wheel.stop());
  const proxy = new ProxyRuntime(wheel, silentLog);
  const pools = new PoolKeeper(wheel);
  const registry = new TargetRegistry();
  const sharedClock = new WheelClock(wheel, 0);
  const metrics = MetricView.discarding();
  const results: number[] = [];
  const counter = { add() {}, addAt: (position: number) => void results.push(position) };
  const opened: ServiceTargets[] = [];
  const snapshot = compileSnapshot(config, {
    policies: {},
    environmentOf: () => {
      throw new Error("no policies here");
    },
    expression: () => {
      throw new Error("no policies here");
    },
    revision: 1,
    metrics,
    accessLog: null,
    random: new Random(1),
    recordOf: () => new Int32Array(RECORD_INTS),
    overload: null as never,
    guardsOf: () => [],
    targetsOf: (name, service) => {
      const { connections, timeout } = service;
      const settings = {
        connectionsMax: connections.max,
        waitingMax: connections.waiting,
        idleMax: connections.idle,
        idleTimeoutMs: connections.idleTimeoutMs,
        connectTimeoutMs: timeout.connectMs,
        pipelining: service.pipelining,
      };
      const targets = new ServiceTargets(
        {
          service: name,
          configured: service.targets,
          balance: service.balance,
          rules: plainRules,
          context: { clock: wheel, sharedClock, random: new Random(1) },
          registry,
          slotOf: () => undefined,
          resultsOf: () => counter as never,
          acquirePool: ({ address, port, socketPath, key }) =>
            pools.acquire({ target: key, http2: service.http2, settings, security: "" }, () => ({
              host: address,
              port,
              path: socketPath,
              tls: null,
              onSession: null,
              onFailure: () => {},
            })),
          guardsOf: () => [],
          releasePool: (pool) => pools.release(pool),
        },
        {},
      );
      opened.push(targets);
      return targets;
    },
  });
  proxy.swap(snapshot);
  t.after(() => {
    for (const targets of opened) targets.dispose();
  });
  const calls = new ServiceCalls(proxy);
  calls.open(snapshot);
  return { proxy, snapshot, calls, results };
}
