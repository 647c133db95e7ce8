import { writeConfigFile } from "./config-file.ts";
import type { ProxyKind, ProxyName, ProxySetup } from "./proxy.ts";
import { listRoutePrefixes } from "./routes.ts";

/** More than any run sends: no connection is closed because of its age. */
export const requestsPerConnectionMax = 1_000_000_000;

/** Kept to the upstream, and added to what the clients may open; h2-tls has 640 requests in flight. */
export const upstreamConnectionsMax = 1024;

/** The `main` part that every nginx of the benchmark has. */
export function nginxMain(folder: string, connectionsMax: number): string {
  return `
daemon off;
worker_processes 1;
${process.getuid?.() === 0 ? "user root;" : ""}
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events { worker_connections ${connectionsMax + upstreamConnectionsMax}; }
`;
}

/** The lines of `http` that every nginx of the benchmark has. */
export function nginxHttp(folder: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((each) => `  ${each}_temp_path ${folder}/${each};`)
    .join("\n");
  return `
${temporary}
  access_log off;
  keepalive_timeout 600s;
  keepalive_requests ${requestsPerConnectionMax};`;
}

/** nginx as it is usually written for this: kept connections, forwarded headers, default buffers. */
export const nginx: ProxyKind = createNginx("nginx", {});

/**
 * The same with 16 kB buffers (as haproxy has) instead of 4 kB: half the CPU time for a response of
 * 100 kB, so comparing big responses with the default alone would flatter the others.
 */
export const nginxWideBuffers: ProxyKind = createNginx("nginx-16k", {
  serverLines: "proxy_buffer_size 16k; proxy_buffers 8 16k;",
});

/** Directives beside the usual ones, for its `http` and its `server`. */
export interface NginxLines {
  readonly httpLines?: string;
  readonly serverLines?: string;
}

/** The usual one that does something more, such as caching. */
export function nginxWith(lines: NginxLines): ProxyKind {
  return createNginx("nginx", lines);
}

function createNginx(name: ProxyName, lines: NginxLines): ProxyKind {
  return {
    name,
    reloadSignal: "SIGHUP",
    watchesFile: false,
    writeConfig: (folder, setup) =>
      writeConfigFile(folder, "nginx.conf", nginxConfig(folder, setup, lines)),
    // -e: where it complains before it has read the configuration.
    command: (configFile) => ["nginx", "-e", "stderr", "-c", configFile],
  };
}

function nginxConfig(
  folder: string,
  setup: ProxySetup,
  { httpLines = "", serverLines = "" }: NginxLines,
): string {
  const flags = `${setup.tls ? " ssl" : ""}${setup.http2 ? " http2" : ""}`;
  return `${nginxMain(folder, setup.connectionsMax)}
http {${nginxHttp(folder)}
  ${httpLines}
  upstream bench {
    server 127.0.0.1:${setup.upstreamPort};
    keepalive ${upstreamConnectionsMax};
    keepalive_requests ${requestsPerConnectionMax};
    keepalive_timeout 600s;
  }
  server {
    listen 127.0.0.1:${setup.port}${flags};
${tlsLines(setup)}
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header X-Forwarded-Proto $scheme;
    ${serverLines}
${locations(setup)}
  }
}
`;
}

function tlsLines(setup: ProxySetup): string {
  if (setup.tls === undefined) return "";
  return `
    ssl_certificate ${setup.tls.cert};
    ssl_certificate_key ${setup.tls.key};
    ssl_protocols TLSv1.3;`;
}

function locations(setup: ProxySetup): string {
  if (setup.routeCount === 0) return "    location / { proxy_pass http://bench; }";
  const lines = listRoutePrefixes(setup.routeCount).map(
    (prefix) => `    location ${prefix} { proxy_pass http://bench; }`,
  );
  return `${lines.join("\n")}\n    location / { return 404; }`;
}
