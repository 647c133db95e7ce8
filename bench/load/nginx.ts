import { writeConfigFile } from "./config-file.ts";
import type { ProxyKind, ProxySetup } from "./proxy.ts";
import { listRoutePrefixes } from "./routes.ts";

/** More than any run sends: no connection is closed because of its age. */
export const UNLIMITED_REQUESTS = 1_000_000_000;

/** The `main` part that every nginx of the benchmark has. */
export function nginxMain(folder: string): string {
  return `
daemon off;
worker_processes 1;
${process.getuid?.() === 0 ? "user root;" : ""}
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events { worker_connections 19000; }
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
  keepalive_requests ${UNLIMITED_REQUESTS};`;
}

/** nginx as it is usually written for this: kept connections, forwarded headers, default buffers. */
export const nginx: ProxyKind = {
  name: "nginx",
  reloadSignal: "SIGHUP",
  watchesFile: false,
  writeConfig: (folder, setup) => writeConfigFile(folder, "nginx.conf", nginxConfig(folder, setup)),
  // -e: where it complains before it has read the configuration.
  command: (configFile) => ["nginx", "-e", "stderr", "-c", configFile],
};

function nginxConfig(folder: string, setup: ProxySetup): string {
  const flags = `${setup.tls ? " ssl" : ""}${setup.http2 ? " http2" : ""}`;
  return `${nginxMain(folder)}
http {${nginxHttp(folder)}
  variables_hash_max_size 2048;
  upstream bench {
    server 127.0.0.1:${setup.upstreamPort};
    keepalive 512;
    keepalive_requests ${UNLIMITED_REQUESTS};
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
