import { z } from "zod";
import { parsedText } from "../../policy/values/parsed-text.ts";
import { duration } from "../../policy/values/duration.ts";
import { count, flag } from "../../policy/values/number.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { section } from "../../policy/values/section.ts";
import { listOf, text } from "../../policy/values/text.ts";
import { parseAddress, parseHost } from "./address.ts";
import { parseRedisUrl } from "./redis-url.ts";

/** TLS towards Redis; files are read with the document. */
export interface RedisTlsConfig {
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
  serverName?: string | undefined;
  verify: boolean;
}

export interface RedisNodeConfig {
  host: string;
  port: number;
}

/** The Redis or Valkey of the document, normalised. */
export interface RedisConfig {
  kind: "single" | "sentinel" | "cluster";
  /** The server; the Sentinels; some of a Cluster's servers. */
  nodes: RedisNodeConfig[];
  /** What the Sentinels call the master; "" without them. */
  master: string;
  /** "" for the default user. */
  username: string;
  /** "" for none. */
  password: string;
  sentinelUsername: string;
  sentinelPassword: string;
  database: number;
  tls: RedisTlsConfig | false;
  /** Before every key. */
  prefix: string;
  timeoutMs: number;
  connectTimeoutMs: number;
}

const PORT = 6379;
const SENTINEL_PORT = 26_379;
const URL_HINT = "write redis://user:password@host:6379/0, or rediss:// for TLS";

const url = parsedText(parseRedisUrl, {
  what: "a Redis URL",
  hint: URL_HINT,
  pattern: "^rediss?://",
  sample: "redis://127.0.0.1:6379",
});

/** A number would be repeated by the ordinary refusal. */
const NO_PASSWORD = "expected a password; put it in quotes";
const password = z.string({ error: NO_PASSWORD }).min(1, { error: NO_PASSWORD });

const tlsOptions = section({
  ca: text("the path of a PEM file")
    .optional()
    .describe("PEM file with the authorities to trust. Default: those of Node."),
  cert: text("the path of a PEM file")
    .optional()
    .describe("PEM file with the client certificate shown to Redis."),
  key: text("the path of a PEM file").optional().describe("PEM file with its private key."),
  serverName: parsedText(parseHost, {
    what: "a host name",
    hint: "write it like redis.example.com",
  })
    .optional()
    .describe("Name sent (SNI) and expected in the certificate. Default: the server's host."),
  verify: flag().prefault(true).describe("`false` accepts any certificate: for development only."),
});

const tls = z
  .union([flag(), tlsOptions], { error: "expected true, false, or a map of ca, cert, key" })
  .transform((value): RedisTlsConfig | false => (value === true ? { verify: true } : value));

const redisObject = section({
  url: url.optional().describe("One server: `redis://user:password@host:6379/0`, or `rediss://`."),
  nodes: listOf(address(PORT), "an address")
    .optional()
    .describe("A Cluster: `host:port` of one or more of its servers; the others are found."),
  sentinels: listOf(address(SENTINEL_PORT), "an address")
    .optional()
    .describe("Sentinels, `host:port`, that know where `master` is; port 26379 by default."),
  master: text("a master's name")
    .optional()
    .describe("What the Sentinels call the master. Default: `mymaster`."),
  username: text("a user name").optional().describe("ACL user; also in the URL."),
  password: password.optional().describe("Password; also in the URL."),
  sentinelUsername: text("a user name").optional().describe("ACL user at the Sentinels."),
  sentinelPassword: password.optional().describe("Password at the Sentinels."),
  database: count({ max: 65_535 })
    .optional()
    .describe("Number of the database; also in the URL. Default: 0, the only one of a Cluster."),
  tls: tls.optional().describe("TLS: `true`, or a map of options. A `rediss://` URL means `true`."),
  prefix: z
    .string({ error: "expected a prefix; put it in quotes" })
    .max(100, { error: "too long; at most 100 characters" })
    .regex(/^[!-z|~]*$/, { error: "not a prefix; visible ASCII without braces" })
    .prefault("gateward:")
    .describe("Put before every key, so that several gateways can share a server."),
  timeout: duration({ maxMs: 60_000 })
    .prefault("250ms")
    .describe("How long an answer may take before a request goes on without it."),
  connectTimeout: duration({ maxMs: 60_000 })
    .prefault("2s")
    .describe("How long it may take to connect, TLS and login included."),
}).transform((value, context): RedisConfig => {
  const mistake = mistakeIn(value);
  if (mistake === undefined) return normalised(value);
  const { message, hint } = mistake;
  context.issues.push({ code: "custom", message, params: { hint }, input: undefined });
  return z.NEVER;
});

/** `redis`: where machines keep what they share. */
export const redis = z.union(
  [url.transform((parsed): RedisConfig => normalised({ ...DEFAULTS, url: parsed })), redisObject],
  // A URL may hold a password, so it is not shown.
  { error: `expected where Redis is; ${URL_HINT}, or a map` },
);

type RedisObject = {
  url?: ReturnType<typeof parseRedisUrl> | undefined;
  nodes?: RedisNodeConfig[] | undefined;
  sentinels?: RedisNodeConfig[] | undefined;
  master?: string | undefined;
  username?: string | undefined;
  password?: string | undefined;
  sentinelUsername?: string | undefined;
  sentinelPassword?: string | undefined;
  database?: number | undefined;
  tls?: RedisTlsConfig | false | undefined;
  prefix: string;
  timeout: number;
  connectTimeout: number;
};

const DEFAULTS = { prefix: "gateward:", timeout: 250, connectTimeout: 2000 };

function mistakeIn(value: RedisObject): { message: string; hint: string } | undefined {
  const { nodes, sentinels } = value;
  const given = [value.url, nodes, sentinels].filter((one) => one !== undefined).length;
  if (given !== 1) {
    const hint = "url for one server, nodes for a Cluster, or sentinels";
    return { message: given === 0 ? "it does not say where Redis is" : "several places", hint };
  }
  if (nodes?.length === 0 || sentinels?.length === 0) {
    return { message: "no addresses", hint: "name at least one host:port" };
  }
  const ofSentinels = [value.master, value.sentinelUsername, value.sentinelPassword];
  if (sentinels === undefined && ofSentinels.some((one) => one !== undefined)) {
    return { message: "options of Sentinels without sentinels", hint: "drop them" };
  }
  if (nodes !== undefined && (value.database ?? 0) !== 0) {
    return { message: "a Cluster has only database 0", hint: "drop database, use prefix" };
  }
  return mistakeInUrl(value) ?? mistakeInTls(value.tls);
}

function mistakeInUrl(value: RedisObject) {
  const { url: parsed } = value;
  if (parsed === undefined) return undefined;
  for (const key of ["username", "password", "database"] as const) {
    if (value[key] === undefined || parsed[key] === undefined) continue;
    return { message: `${key} both in the URL and beside it`, hint: "write it once" };
  }
  if (value.tls === undefined || (value.tls !== false) === parsed.isSecure) return undefined;
  return {
    message: "the URL and tls differ about TLS",
    hint: "rediss:// means TLS, redis:// none",
  };
}

function mistakeInTls(value: RedisTlsConfig | false | undefined) {
  if (value === undefined || value === false) return undefined;
  if ((value.cert === undefined) === (value.key === undefined)) return undefined;
  return {
    message: "cert without key, or key without cert",
    hint: "a client certificate needs both",
  };
}

function normalised(value: RedisObject): RedisConfig {
  const { url: parsed, nodes, sentinels, prefix } = value;
  return {
    kind: sentinels !== undefined ? "sentinel" : nodes !== undefined ? "cluster" : "single",
    nodes: sentinels ?? nodes ?? [{ host: parsed!.host, port: parsed!.port ?? PORT }],
    master: sentinels === undefined ? "" : (value.master ?? "mymaster"),
    username: value.username ?? parsed?.username ?? "",
    password: value.password ?? parsed?.password ?? "",
    sentinelUsername: value.sentinelUsername ?? "",
    sentinelPassword: value.sentinelPassword ?? "",
    database: value.database ?? parsed?.database ?? 0,
    tls: value.tls ?? (parsed?.isSecure === true ? { verify: true } : false),
    prefix,
    timeoutMs: value.timeout,
    connectTimeoutMs: value.connectTimeout,
  };
}

/** Schema of `host:port`; the port may be left out. */
function address(portDefault: number) {
  const parse = (written: string): RedisNodeConfig => {
    if (written.includes("/")) throw new Refusal("an address is no URL", "write host:port");
    const hasPort = /:\d+$/.test(written) && !/^[0-9a-f:]*::[0-9a-f:]*$/i.test(written);
    if (!hasPort) return { host: parseHost(written), port: portDefault };
    const { host, port } = parseAddress(written, "127.0.0.1");
    if (port === 0) throw new Refusal("port 0 cannot be connected to");
    return { host, port };
  };
  const hint = "write it like redis-1.internal:6379";
  return parsedText(parse, { what: "an address", hint, sample: `redis-1.internal:${portDefault}` });
}
