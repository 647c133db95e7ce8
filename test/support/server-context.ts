import { DeadlineWheel } from "../../src/base/deadline-wheel.ts";
import type { ExchangeSource, ServerContext } from "../../src/wire/server-context.ts";

/** What a listener gives its connections, with limits and timeouts that no test meets by chance. */
export function serverContext(
  exchanges: ExchangeSource,
  changes: Partial<ServerContext> = {},
): ServerContext {
  return {
    key: "test",
    localPort: 0,
    wheel: new DeadlineWheel(10),
    exchanges,
    limits: { headBytesMax: 32 * 1024, uriBytesMax: 8 * 1024, fieldCountMax: 100 },
    timeouts: { headMs: 60_000, idleMs: 60_000, bodyMs: 60_000, writeMs: 60_000 },
    connectionRequestsMax: 0,
    draining: false,
    ...changes,
  };
}
