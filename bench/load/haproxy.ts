import { writeConfigFile } from "./config-file.ts";
import type { ProxyKind, ProxySetup } from "./proxy.ts";
import { listRoutePrefixes } from "./routes.ts";

/**
 * haproxy with one thread. Master-worker mode is what makes a reload possible; its master sleeps.
 * Reload: SIGUSR2 to the master, which starts a new worker and lets the old one finish.
 */
export const haproxy: ProxyKind = {
  name: "haproxy",
  reloadSignal: "SIGUSR2",
  watchesFile: false,
  writeConfig(folder, setup) {
    const map = listRoutePrefixes(setup.routeCount).map((prefix) => `${prefix} bench`);
    const mapFile = writeConfigFile(folder, "routes.map", `${map.join("\n")}\n`);
    return writeConfigFile(folder, "haproxy.cfg", haproxyConfig(setup, mapFile));
  },
  command: (configFile) => ["haproxy", "-W", "-db", "-f", configFile],
};

/**
 * haproxy closes kept connections to the upstream once a quarter of 2 x maxconn files is open: with a
 * maxconn that only just suffices it connects anew for every request, at three times the CPU time.
 */
const connectionsMaxLeast = 4000;

// no strict-limits: 2 x maxconn files may be more than an unprivileged process gets; idle clients
// need one file each, so it does not matter here.
function haproxyConfig(setup: ProxySetup, mapFile: string): string {
  const alpn = setup.http2 ? "h2,http/1.1" : "http/1.1";
  const tls = setup.tls && ` ssl crt ${setup.tls.both} ssl-min-ver TLSv1.3 alpn ${alpn}`;
  const backend =
    setup.routeCount === 0
      ? "  default_backend bench"
      : `  use_backend %[path,map_beg(${mapFile})]`;
  return `
global
  nbthread 1
  maxconn ${Math.max(setup.connectionsMax, connectionsMaxLeast)}
  no strict-limits
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  timeout http-keep-alive 600s
  http-reuse always
frontend front
  bind 127.0.0.1:${setup.port}${tls ?? ""}
  option forwardfor
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Proto ${setup.tls ? "https" : "http"}
${backend}
backend bench
  server upstream 127.0.0.1:${setup.upstreamPort} pool-max-conn -1
`;
}
