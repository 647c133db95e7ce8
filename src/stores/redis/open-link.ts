/** open-link: connections to Redis; the only place that knows @redis/client, which is loaded by its first use. */
import { createClient, createCluster, ErrorReply, type RedisClientOptions } from "@redis/client";
import type { OpenRedisLink, RedisAddress, RedisLink, RedisSettings } from "./redis-link.ts";

/** Of an idle connection: one that leads nowhere any more is noticed before a request needs it. */
const PING_INTERVAL_MS = 2000;
const SILENCE_MS_MAX = 5000;
/** How long a server of a Cluster may be away before the others are asked who took over. */
const CLUSTER_REFRESH_MS = 250;

export const openLink: OpenRedisLink = (settings, onDown) => {
  if (settings.kind === "cluster") return openCluster(settings, onDown);
  if (settings.kind === "sentinel") return openMaster(settings, onDown);
  return openServer(settings.nodes[0]!, settings, onDown);
};

async function openServer(
  address: RedisAddress,
  settings: RedisSettings,
  onDown: (reason: Error) => void,
): Promise<RedisLink> {
  const { username, password, database } = settings;
  const client = createClient({
    ...commonOptions,
    ...loginOptions(username, password),
    socket: { ...socketOptions(settings), host: address.host, port: address.port },
    database,
  });
  let isOpen = false;
  client.on("error", (error: Error) => {
    if (isOpen) onDown(error);
    isOpen = false;
  });
  try {
    await inTime(client.connect(), settings);
    // Answered by an error while the server still loads its data.
    await inTime(client.sendCommand(["PING"]), settings);
    isOpen = true;
  } catch (error) {
    client.destroy();
    throw error;
  }
  return {
    send: (_, command) => client.sendCommand(command),
    isReply,
    address: addressText(address),
    destroy() {
      isOpen = false;
      client.destroy();
    },
  };
}

/** Asks one Sentinel after the other where the master is; the first that leads to one is believed. */
async function openMaster(
  settings: RedisSettings,
  onDown: (reason: Error) => void,
): Promise<RedisLink> {
  let failure = new Error("no Sentinel");
  for (const sentinel of settings.nodes) {
    try {
      const master = await masterBy(sentinel, settings);
      const link = await openServer(master, settings, onDown);
      try {
        await confirmMaster(link, settings);
        return link;
      } catch (error) {
        link.destroy();
        throw error;
      }
    } catch (error) {
      failure = error as Error;
    }
  }
  throw failure;
}

async function masterBy(sentinel: RedisAddress, settings: RedisSettings): Promise<RedisAddress> {
  const { sentinelUsername: username, sentinelPassword: password } = settings;
  const link = await openServer(
    sentinel,
    { ...settings, username, password, database: 0 },
    () => {},
  );
  try {
    const command = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", settings.master];
    const answer = (await inTime(link.send("", command), settings)) as [string, string] | null;
    if (answer === null) throw new Error(`${link.address} knows no master ${settings.master}`);
    return { host: answer[0], port: Number(answer[1]) };
  } finally {
    link.destroy();
  }
}

/** A Sentinel may not have noticed yet that another server took over. */
async function confirmMaster(link: RedisLink, settings: RedisSettings): Promise<void> {
  const [role] = (await inTime(link.send("", ["ROLE"]), settings)) as [string];
  if (role !== "master") throw new Error(`${link.address} is no master any more`);
}

async function openCluster(
  settings: RedisSettings,
  onDown: (reason: Error) => void,
): Promise<RedisLink> {
  const { username, password, nodes } = settings;
  const cluster = createCluster({
    rootNodes: nodes.map(({ host, port }) => ({ socket: { host, port } })),
    defaults: {
      ...commonOptions,
      ...loginOptions(username, password),
      socket: {
        ...socketOptions(settings),
        reconnectStrategy: (retries: number) => Math.min(50 * 2 ** retries, 1000),
      },
    },
    RESP: 2,
    commandOptions: commonOptions.commandOptions,
    topologyRefreshOnReconnectionAttemptStrategy: CLUSTER_REFRESH_MS,
  });
  let isOpen = false;
  cluster.on("error", (error: Error) => {
    // While one server answers, the rest is found again through it.
    if (!isOpen || cluster.masters.some(({ client }) => client?.isReady === true)) return;
    isOpen = false;
    onDown(error);
  });
  try {
    await inTime(cluster.connect(), settings);
    isOpen = true;
  } catch (error) {
    cluster.destroy();
    throw error;
  }
  return {
    send: (key, command) => cluster.sendCommand(key, false, command),
    isReply,
    address: nodes.map(addressText).join(" "),
    destroy() {
      isOpen = false;
      cluster.destroy();
    },
  };
}

const commonOptions = {
  // What every server speaks; nothing here needs more.
  RESP: 2,
  disableOfflineQueue: true,
  pingInterval: PING_INTERVAL_MS,
  maintNotifications: "disabled",
  // The store has its own, which costs a tenth of an AbortSignal for each call.
  commandOptions: { timeout: 0 },
} as const satisfies RedisClientOptions<{}, {}, {}, 2>;

function loginOptions(username: string, password: string) {
  return {
    ...(username === "" ? {} : { username }),
    ...(password === "" ? {} : { password }),
  };
}

function socketOptions({ tls, connectTimeoutMs }: RedisSettings) {
  const common = {
    connectTimeout: connectTimeoutMs,
    socketTimeout: SILENCE_MS_MAX,
    reconnectStrategy: false,
  } as const;
  if (tls === null) return common;
  return {
    ...common,
    tls: true,
    rejectUnauthorized: tls.verifies,
    ...(tls.ca === "" ? {} : { ca: tls.ca }),
    ...(tls.cert === "" ? {} : { cert: tls.cert, key: tls.key }),
    ...(tls.serverName === "" ? {} : { servername: tls.serverName }),
  } as const;
}

/** A server may accept a connection and then say nothing. */
async function inTime<Value>(
  promise: Promise<Value>,
  { connectTimeoutMs }: RedisSettings,
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const fail = (): void => reject(new Error(`no connection within ${connectTimeoutMs} ms`));
    timer = setTimeout(fail, connectTimeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function isReply(error: unknown): boolean {
  return error instanceof ErrorReply;
}

function addressText({ host, port }: RedisAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
