import type { ConnectionOptions } from "node:tls";
import { targetAuthority } from "../balance/target.ts";
import type { TargetSettings } from "../balance/target.ts";
import type { ExpectedAnswer } from "./expected-answer.ts";
import { grpcProbe } from "./grpc-probe.ts";
import type { HealthConfig } from "./health-config.ts";
import { http1Probe } from "./http1-probe.ts";
import { http2Probe } from "./http2-probe.ts";
import type { Probe } from "./probe.ts";
import type { ProbePlace } from "./probe-socket.ts";
import { tcpProbe } from "./tcp-probe.ts";

/** What the targets of a service have in common for checks. */
export interface ServiceProbes {
  readonly config: HealthConfig;
  /** Of requests to the service. */
  readonly http2: boolean;
  /** The service's fixed Host; "" for none. */
  readonly host: string;
  readonly expected: ExpectedAnswer;
  /** How connections to a target are secured where they are. */
  tlsOf(target: TargetSettings): () => ConnectionOptions;
}

/** How one target is checked. */
export function compileProbe(service: ServiceProbes, target: TargetSettings): Probe {
  const { config, expected } = service;
  const { protocol, method, path, headers, timeoutMs } = config;
  const place: ProbePlace = {
    host: target.address,
    port: config.port === 0 ? target.port : config.port,
    path: target.socketPath,
    tls: isSecure(config, target) ? service.tlsOf(target) : null,
  };
  if (protocol === "tcp") return tcpProbe(place);
  const authority = config.host || service.host || targetAuthority(target);
  if (protocol === "grpc") {
    return grpcProbe(place, { service: config.service, authority, headers, timeoutMs });
  }
  const asked = {
    method,
    path,
    authority,
    headers: { "user-agent": "gateward-health", ...headers },
  };
  return usesHttp2(config, service.http2)
    ? http2Probe(place, asked, expected)
    : http1Probe(place, asked, expected);
}

/** Whether checks of a service speak HTTP/2. @param http2 whether requests to it do */
export function usesHttp2({ protocol }: HealthConfig, http2: boolean): boolean {
  if (protocol === "auto" || protocol === "https") return http2;
  return protocol === "h2c" || protocol === "grpc";
}

/** Whether checks of a target go over TLS. */
export function isSecure({ protocol }: HealthConfig, { scheme }: TargetSettings): boolean {
  if (protocol === "https") return true;
  return scheme === "https" && (protocol === "auto" || protocol === "grpc");
}
