/** redis-groups: a real Cluster, and a real master with a replica and Sentinels. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cleanup } from "./cleanup.ts";
import { freePort } from "./free-port.ts";
import { startRedis, type RedisServer } from "./redis-server.ts";
import { until } from "./until.ts";

const SLOTS = 16_384;
/** The bus of a Cluster listens on the port + 10000 by default, which may be none. */
const NODE_TIMEOUT_MS = 500;

/** Starts `masters` servers that share the slots, and a replica of the first. */
export async function startRedisCluster(
  t: Cleanup,
  masters = 3,
): Promise<{ masters: RedisServer[]; replica: RedisServer }> {
  const servers = await Promise.all(Array.from({ length: masters + 1 }, () => startNode(t)));
  const replica = servers.pop()!;
  const [first] = servers as [RedisServer];
  await Promise.all(
    servers.map(async (server, index) => {
      const [from, to] = [index, index + 1].map((one) => Math.floor((one * SLOTS) / masters));
      await server.command(`CLUSTER ADDSLOTSRANGE ${from} ${to! - 1}`);
      await server.command(`CLUSTER SET-CONFIG-EPOCH ${index + 1}`);
    }),
  );
  for (const server of [...servers, replica].slice(1)) {
    await first.command(`CLUSTER MEET 127.0.0.1 ${server.port} ${server.busPort}`);
  }
  const [id = ""] = /[0-9a-f]{40}/.exec(await first.command("CLUSTER MYID")) ?? [];
  await until(async () => (await replica.command(`CLUSTER REPLICATE ${id}`)).startsWith("+OK"));
  for (const server of [...servers, replica]) {
    await until(async () => (await server.command("CLUSTER INFO")).includes("cluster_state:ok"));
  }
  await until(async () =>
    (await replica.command("INFO replication")).includes("master_link_status:up"),
  );
  return { masters: servers, replica };
}

async function startNode(t: Cleanup): Promise<RedisServer> {
  const busPort = await freePort();
  const options = ["--cluster-enabled", "yes", "--cluster-port", `${busPort}`];
  const timeout = ["--cluster-node-timeout", `${NODE_TIMEOUT_MS}`];
  return await startRedis(t, {
    options: [...options, ...timeout, "--repl-diskless-sync-delay", "0"],
    busPort,
  });
}

/** Starts a master called `name`, a replica of it, and three Sentinels that agree within a second. */
export async function startSentinels(
  t: Cleanup,
  name: string,
): Promise<{ master: RedisServer; replica: RedisServer; sentinels: RedisServer[] }> {
  const diskless = ["--repl-diskless-sync-delay", "0"];
  const master = await startRedis(t, { options: diskless });
  const follow = ["--replicaof", "127.0.0.1", `${master.port}`, ...diskless];
  const replica = await startRedis(t, { options: follow });
  await until(async () =>
    (await replica.command("INFO replication")).includes("master_link_status:up"),
  );
  const sentinels = await Promise.all([1, 2, 3].map(() => startSentinel(t, name, master.port)));
  for (const sentinel of sentinels) {
    await until(async () => {
      const known = await sentinel.command(`SENTINEL MASTER ${name}`);
      const count = (key: string) => new RegExp(`${key}\\r\\n\\$\\d+\\r\\n(\\d+)`).exec(known)?.[1];
      return count("num-slaves") === "1" && count("num-other-sentinels") === "2";
    });
  }
  return { master, replica, sentinels };
}

/** A Sentinel writes what it finds out into its configuration file. */
async function startSentinel(t: Cleanup, name: string, masterPort: number): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "gateward-sentinel-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "sentinel.conf");
  writeFileSync(
    file,
    `sentinel monitor ${name} 127.0.0.1 ${masterPort} 2
sentinel down-after-milliseconds ${name} 300
sentinel failover-timeout ${name} 2000
`,
  );
  return await startRedis(t, { options: [file, "--sentinel"] });
}
