import { join } from "node:path";
import { writeConfigFile } from "./config-file.ts";
import { upstreamConnectionsMax } from "./nginx.ts";
import type { ProxyKind, ProxySetup } from "./proxy.ts";
import { listRoutePrefixes } from "./routes.ts";

/** Gateward with one worker. Written as YAML, because that is what its users write and reload. */
export const gateward: ProxyKind = {
  name: "gateward",
  reloadSignal: "SIGHUP",
  watchesFile: true,
  writeConfig: (folder, setup) =>
    writeConfigFile(folder, "gateward.yaml", gatewardConfig(setup, join(folder, "access.log"))),
  // With the Node that runs the benchmark: an older one in PATH would start a second process.
  command: (configFile, context) => [
    process.execPath,
    context.gatewardPath,
    "start",
    "--config",
    configFile,
  ],
};

function gatewardConfig(setup: ProxySetup, accessLogFile: string): string {
  const patterns =
    setup.routeCount === 0
      ? ["/*"]
      : listRoutePrefixes(setup.routeCount).map((prefix) => `${prefix}:id`);
  const routes = patterns.map((path) => `  - match: { path: "${path}" }\n    service: bench`);
  return `listen:
  - host: 127.0.0.1
    port: ${setup.port}
    http2: ${setup.http2}
${tlsLines(setup)}
admin: false
workers: 1
log: { level: warn, access: ${setup.accessLog ? JSON.stringify(accessLogFile) : "false"} }
timeouts: { idle: 10m }
services:
  bench:
    targets: ["http://127.0.0.1:${setup.upstreamPort}"]
    pipelining: ${setup.pipelining}
    connections: { idle: ${upstreamConnectionsMax}, idleTimeout: 10m }
${setup.gatewardLines}
routes:
${routes.join("\n")}
`;
}

function tlsLines(setup: ProxySetup): string {
  if (setup.tls === undefined) return "";
  return `    tls:
      cert: ${JSON.stringify(setup.tls.cert)}
      key: ${JSON.stringify(setup.tls.key)}
      minVersion: "1.3"
`;
}
