import assert from "node:assert/strict";
import { test } from "node:test";
import { validate } from "../validate.ts";
import type { RedisConfig } from "./redis.ts";

const defaults: RedisConfig = {
  kind: "single",
  nodes: [{ host: "127.0.0.1", port: 6379 }],
  master: "",
  username: "",
  password: "",
  sentinelUsername: "",
  sentinelPassword: "",
  database: 0,
  tls: false,
  prefix: "gateward:",
  timeoutMs: 250,
  connectTimeoutMs: 2000,
};

const written: readonly (readonly [unknown, Partial<RedisConfig>])[] = [
  ["redis://127.0.0.1", {}],
  ["redis://127.0.0.1:6379/0", {}],
  ["redis://127.0.0.1:7000/3", { nodes: [{ host: "127.0.0.1", port: 7000 }], database: 3 }],
  ["redis://[::1]:7000", { nodes: [{ host: "::1", port: 7000 }] }],
  ["redis://:p%40ss@127.0.0.1", { password: "p@ss" }],
  ["redis://gate:pass@127.0.0.1", { username: "gate", password: "pass" }],
  ["rediss://127.0.0.1", { tls: { verify: true } }],
  [{ url: "redis://127.0.0.1", password: "pass" }, { password: "pass" }],
  [
    { url: "redis://127.0.0.1", prefix: "", timeout: "1s", connectTimeout: "5s" },
    { prefix: "", timeoutMs: 1000, connectTimeoutMs: 5000 },
  ],
  [
    { url: "rediss://127.0.0.1", tls: { serverName: "Cache.Internal", verify: "false" } },
    { tls: { serverName: "cache.internal", verify: false } },
  ],
  [
    { nodes: ["a:7000", "b"] },
    {
      kind: "cluster",
      nodes: [
        { host: "a", port: 7000 },
        { host: "b", port: 6379 },
      ],
    },
  ],
  [{ nodes: "::1" }, { kind: "cluster", nodes: [{ host: "::1", port: 6379 }] }],
  [
    { sentinels: ["a", "b:7000"], master: "cache", database: 2, sentinelPassword: "s" },
    {
      kind: "sentinel",
      nodes: [
        { host: "a", port: 26_379 },
        { host: "b", port: 7000 },
      ],
      master: "cache",
      database: 2,
      sentinelPassword: "s",
    },
  ],
];

for (const [document, expected] of written) {
  test(`redis: ${JSON.stringify(document)} is understood`, () => {
    const { config, findings } = validate({ redis: document }, {});
    assert.deepEqual(config?.redis, { ...defaults, ...expected }, JSON.stringify(findings));
  });
}

const SECRET = "s3cr3t";

const refused: readonly (readonly [unknown, RegExp])[] = [
  [`http://:${SECRET}@127.0.0.1`, /not a URL of Redis; write redis:/],
  [`redis://:${SECRET}@x@127.0.0.1`, /not a URL of Redis; write @ in a password as %40/],
  [`redis://:${SECRET}%@127.0.0.1`, /stray %/],
  [`redis://:${SECRET}@`, /names no host/],
  [`redis://:${SECRET}@127.0.0.1/x`, /no database/],
  [`redis://:${SECRET}@127.0.0.1?x=1`, /query or fragment/],
  [SECRET, /not a URL of Redis/],
  [[SECRET], /expected where Redis is/],
  [6379, /where Redis is/],
  [{}, /does not say where Redis is; url for one server, nodes for a Cluster, or sentinels/],
  [{ url: "redis://a", nodes: ["b"] }, /several places/],
  [{ nodes: [] }, /no addresses/],
  [{ nodes: ["redis://a"] }, /an address is no URL; write host:port/],
  [{ nodes: ["a"], database: 1 }, /only database 0/],
  [{ nodes: ["a"], master: "m" }, /options of Sentinels without sentinels/],
  [{ url: `redis://:${SECRET}@a`, password: "x" }, /password both in the URL and beside it/],
  [{ url: "redis://a", tls: true }, /differ about TLS/],
  [{ url: "rediss://a", tls: false }, /differ about TLS/],
  [{ url: "rediss://a", tls: { cert: "a.pem" } }, /needs both/],
  [{ url: "redis://a", password: 12345 }, /expected a password; put it in quotes$/m],
  [{ url: "redis://a", prefix: "{x}" }, /without braces/],
  [{ url: "redis://a", timeout: 250 }, /write the unit/],
  [{ url: `redis://:${SECRET}@a`, pasword: "x" }, /unknown key "pasword"; did you mean "password"/],
];

for (const [document, sentence] of refused) {
  test(`redis: ${JSON.stringify(document)} is refused, and no password is shown`, () => {
    const { config, findings } = validate({ redis: document }, {});
    assert.equal(config, undefined);
    const said = findings.map(({ message, hint }) => `${message}; ${hint ?? ""}`).join("\n");
    assert.match(said, sentence);
    assert.doesNotMatch(said, new RegExp(SECRET));
  });
}

test("redis: a certificate that nobody verifies is warned of", () => {
  const { findings } = validate({ redis: { url: "rediss://a", tls: { verify: false } } }, {});
  const found = findings.find(({ path }) => path[0] === "redis");
  assert.equal(found?.level, "warning");
  assert.deepEqual(found?.path, ["redis", "tls", "verify"]);
});
