import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeConfigFile } from "./config-file.ts";
import { orderOf } from "./json-bodies.ts";
import { nginxHttp, nginxMain } from "./nginx.ts";
import { freePort } from "./port.ts";
import { probeUntilAnswered } from "./probe.ts";
import { assertRunning } from "./process.ts";
import type { Cores, ProcessSet } from "./process.ts";

export const response100k = { path: "/100k.bin", bytes: 100_000 };
export const response10m = { path: "/10m.bin", bytes: 10_000_000 };
export const response100m = { path: "/100m.bin", bytes: 100_000_000 };
export const response1g = { path: "/1g.bin", bytes: 1_000_000_000 };
/** JSON documents of about so many bytes. What each answers with `x-served` differs from answer to answer. */
export const jsonPaths = {
  small: "/100b.json",
  kb1: "/1k.json",
  kb10: "/10k.json",
  kb100: "/100k.json",
};
/** Answers once the request body has been read. */
export const postPath = "/post";

/** Accepts every request that forward-auth asks about, and every token. */
export const authPath = "/auth";
export const introspectionPath = "/introspect";

/** From the proxy, which keeps one for each request in flight. */
const connectionsMax = 1000;

/** 100 bytes of JSON: what every other path answers. */
export const smallJson = `{"id":123,"name":"Ada Lovelace","note":"${"x".repeat(58)}"}`;

/** Starts the nginx that answers everything and returns its port. */
export async function startUpstream(
  processes: ProcessSet,
  parentFolder: string,
  cores: Cores,
): Promise<number> {
  const folder = join(parentFolder, "upstream");
  const files = join(folder, "files");
  mkdirSync(files, { recursive: true });
  for (const { path, bytes } of [response100k, response10m, response100m, response1g]) {
    writeFileSync(files + path, "");
    truncateSync(files + path, bytes); // sparse: takes no room on the disk
  }
  writeFileSync(files + postPath, "");
  writeFileSync(files + jsonPaths.small, smallJson);
  writeFileSync(files + jsonPaths.kb1, orderOf(1000));
  writeFileSync(files + jsonPaths.kb10, orderOf(10_000));
  writeFileSync(files + jsonPaths.kb100, orderOf(100_000));
  const port = await freePort();
  const configFile = writeConfigFile(folder, "nginx.conf", upstreamConfig(folder, files, port));
  const process = processes.start(
    "upstream nginx",
    ["nginx", "-e", "stderr", "-c", configFile],
    cores,
    join(folder, "output.log"),
  );
  await probeUntilAnswered({ port, tls: undefined, requestHeaders: {} }, "/", () =>
    assertRunning(process),
  );
  return port;
}

// nginx's `return` answers before the body is there, and a static file refuses a POST with 405. A
// mirror makes nginx read the whole body first, as a real service does; then the 405 becomes a 200.
function upstreamConfig(folder: string, files: string, port: number): string {
  return `${nginxMain(folder, connectionsMax)}
http {${nginxHttp(folder)}
  default_type application/json;
  root ${files};
  sendfile on;
  tcp_nopush on;
  open_file_cache max=10;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { return 200 '${smallJson}'; }
    location ~ \\.bin$ { }
    location ~ \\.json$ { add_header X-Served $request_id; }
    location = ${authPath} { return 204; }
    location = ${introspectionPath} {
      return 200 '{"active":true,"sub":"client-1","iss":"bench","exp":4102444800}';
    }
    location = ${postPath} { mirror /sink; error_page 405 =200 @accepted; }
    location = /sink { internal; return 204; }
    location @accepted { return 200 '${smallJson}'; }
  }
}
`;
}
