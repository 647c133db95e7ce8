import { compilePattern } from "../policy/values/pattern.ts";
import { compileStatusSet } from "../policy/values/status-set.ts";
import type { ServiceConfig } from "../config/config.ts";
import type { TargetSettings } from "../upstream/balance/target.ts";
import { type ServiceProbes, usesHttp2 } from "../upstream/health/compile-probe.ts";
import type { ExpectedAnswer } from "../upstream/health/expected-answer.ts";
import type { HealthBody, HealthConfig } from "../upstream/health/health-config.ts";
import type { ClientSecurity } from "./client-security.ts";

/**
 * What the targets of a service are checked by, and a text that is equal for equal settings: checks with the same go
 * on over a reload as if nothing had happened.
 *
 * @throws Error that names the file when certificate, key or authorities cannot be used.
 */
export function serviceProbes(
  service: ServiceConfig,
  config: HealthConfig,
  secure: { security: ClientSecurity; materials: Readonly<Record<string, string>> },
): { probes: ServiceProbes; identity: string } {
  const http2 = usesHttp2(config, service.http2);
  const { tls, identity } = secure.security.of({ ...service, http2 }, secure.materials);
  const host = service.host.value;
  const probes: ServiceProbes = {
    config,
    http2: service.http2,
    host,
    expected: expectedAnswer(config),
    tlsOf: (target: TargetSettings) => () => tls.connectOptions(target.url, target.host),
  };
  return { probes, identity: JSON.stringify([config, http2, host, identity]) };
}

function expectedAnswer({ status, body }: HealthConfig): ExpectedAnswer {
  return { status: compileStatusSet(status), body: bodyTest(body) };
}

function bodyTest(body: HealthBody): ExpectedAnswer["body"] {
  if (body.kind === "any") return null;
  if (body.kind === "regex") return compilePattern(body.text);
  return { test: (text) => text.includes(body.text) };
}
