/** cache-64: an answer out of the cache, beside nginx's and Varnish's. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { BenchContext } from "../context.ts";
import { gateward } from "../gateward.ts";
import { nginxWith } from "../nginx.ts";
import type { ProbeAnswer } from "../probe.ts";
import type { ProxyKind } from "../proxy.ts";
import type { Scenario, ScenarioResult } from "../scenario.ts";
import { jsonPaths } from "../upstream.ts";
import { varnish } from "../varnish.ts";
import { compare, type Contender } from "./comparison.ts";

/** A disk would only be written to once, but this leaves no doubt. */
const memoryFolder = "/dev/shm";
const gatewardLines = "policies:\n  - cache: { ttl: 1h }\n";

export const cache: Scenario = {
  name: "cache-64",
  title: "answers out of the cache, 64 keep-alive connections, 100 bytes and 10 kB of JSON",
  async run(context: BenchContext): Promise<ScenarioResult> {
    const parent = existsSync(memoryFolder) ? memoryFolder : context.folder;
    const folder = mkdtempSync(join(parent, "gateward-bench-"));
    const remove = (): void => rmSync(folder, { recursive: true, force: true });
    process.on("exit", remove);
    try {
      return await compare(context, [
        ...contendersFor(jsonPaths.small, "100 B", join(folder, "small")),
        ...contendersFor(jsonPaths.kb10, "10 kB", join(folder, "large")),
      ]);
    } finally {
      process.off("exit", remove);
      remove();
    }
  },
};

function contendersFor(path: string, size: string, folder: string): Contender[] {
  const contender = (kind: ProxyKind, lines = ""): Contender => ({
    label: `${kind.name}, ${size}`,
    kind,
    setup: { gatewardLines: lines },
    requests: { path },
    isRight: isStored,
  });
  const beside = `nginx, ${size}`;
  return [
    contender(cachingNginx(folder)),
    { ...contender(varnish), beside },
    { ...contender(gateward, gatewardLines), beside, targetRatio: 1 },
  ];
}

/** The service's own mark, which differs from answer to answer, comes twice. */
function isStored(first: ProbeAnswer, second: ProbeAnswer): boolean {
  const mark = second.headers["x-served"];
  return mark !== undefined && mark === first.headers["x-served"];
}

/**
 * nginx as whoever wants hits cheap sets it up: files in memory, and kept open. Without sendfile: at these sizes reading
 * and one write cost less than the three or five calls it takes, by 12 and 17 % (measured).
 */
function cachingNginx(folder: string): ProxyKind {
  return nginxWith({
    httpLines: `
  proxy_cache_path ${folder} levels=1:2 keys_zone=bench:10m max_size=256m inactive=1h use_temp_path=off;
  open_file_cache max=1000 inactive=1h;
  open_file_cache_valid 1h;`,
    serverLines: `
    proxy_cache bench;
    proxy_cache_valid 200 1h;`,
  });
}
