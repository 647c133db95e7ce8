import { isIP } from "node:net";
import type { ServiceConfig } from "../config.ts";
import { mistakeAt, warningAt, type DocumentPath, type Finding } from "../mistake.ts";
import type { HedgeConfig, RetryConfig } from "../../upstream/retry/retry-config.ts";

/** Names that only calls of gRPC answer with; those are POST. */
const GRPC = new Set<unknown>([
  "cancelled",
  "deadline-exceeded",
  "internal",
  "resource-exhausted",
  "unavailable",
]);

/** Rules on `retry` and `hedge`, of a service or of a route to it. */
export function checkRetry(
  retry: RetryConfig | undefined,
  hedge: HedgeConfig | null | undefined,
  service: Pick<ServiceConfig, "targets" | "timeout">,
  path: DocumentPath,
): Finding[] {
  const findings: Finding[] = [];
  if (retry !== undefined) findings.push(...checkPolicy(retry, service, [...path, "retry"]));
  if (hedge === null || hedge === undefined) return findings;
  const { targets, timeout } = service;
  // A name may stand for several addresses, each a target.
  if (targets.length === 1 && isIP(targets[0]!.host) !== 0) {
    const message = "a hedge needs a second target to ask";
    findings.push(warningAt([...path, "hedge"], message, "name another target, or drop it"));
  }
  if ("afterMs" in hedge && timeout.responseMs > 0 && hedge.afterMs >= timeout.responseMs) {
    const message = "a hedge after the response's timeout is never made";
    findings.push(mistakeAt([...path, "hedge"], message, "make it shorter than timeout.response"));
  }
  return findings;
}

function checkPolicy(
  retry: RetryConfig,
  { timeout }: Pick<ServiceConfig, "timeout">,
  path: DocumentPath,
): Finding[] {
  const { attempts, on, perTryMs, backoff, unsafe, idempotencyKey } = retry;
  const findings: Finding[] = [];
  if (attempts === 0) return findings;
  if (perTryMs > 0 && timeout.totalMs > 0 && perTryMs >= timeout.totalMs) {
    const message = "perTry leaves no time for another try within timeout.total";
    findings.push(mistakeAt([...path, "perTry"], message, "make it shorter"));
  }
  if (backoff.baseMs > backoff.maxMs) {
    const message = "backoff.base is longer than backoff.max";
    findings.push(mistakeAt([...path, "backoff"], message, "make max the longer one"));
  }
  const at = on.findIndex((condition) => GRPC.has(condition));
  if (at >= 0 && !unsafe && idempotencyKey === "") {
    const message = `calls of gRPC are POST, so ${on[at]} is never tried again`;
    findings.push(mistakeAt([...path, "on"], message, "write unsafe: true where calls may repeat"));
  }
  if (!on.includes("refused")) {
    const message = "without refused, kept connections that turn out closed fail requests";
    findings.push(warningAt([...path, "on"], message, "add refused"));
  }
  return findings;
}
