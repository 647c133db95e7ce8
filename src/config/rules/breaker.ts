import { formatDuration } from "../../policy/values/duration.ts";
import type { ServiceConfig } from "../config.ts";
import { mistakeAt, warningAt, type DocumentPath, type Finding } from "../mistake.ts";

/** What the options of a service's breaker mean together. */
export function checkBreaker(
  { breaker, timeout }: ServiceConfig,
  service: DocumentPath,
): Finding[] {
  if (breaker === null) return [];
  const path = [...service, "breaker"];
  const { errors, slow, openMs, openMaxMs, failures } = breaker;
  const findings: Finding[] = [];
  const byErrors = errors > 0 && failures.length > 0;
  if (!byErrors && (slow === null || slow.share === 0)) {
    const hint = "give errors or slow a share above 0%, or drop breaker";
    findings.push(mistakeAt(path, "a breaker that nothing opens", hint));
  }
  if (openMaxMs < openMs) {
    const message = `openMax is shorter than open (${formatDuration(openMs)})`;
    findings.push(mistakeAt([...path, "openMax"], message, "make it at least as long"));
  }
  if (slow !== null && timeout.responseMs > 0 && slow.afterMs > timeout.responseMs) {
    const message = `no answer takes that long: timeout.response is ${formatDuration(timeout.responseMs)}`;
    findings.push(warningAt([...path, "slow", "after"], message, "make it shorter"));
  }
  return findings;
}
