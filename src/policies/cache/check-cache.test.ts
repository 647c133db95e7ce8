import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import type { PolicySurroundings } from "../../policy/policy.ts";
import { cacheOptions } from "./cache-options.ts";
import { testGateway } from "../../testing/index.ts";
import { checkCache } from "./check-cache.ts";

const surroundings: PolicySurroundings = {
  place: "route",
  earlier: [],
  services: [],
  consumers: [],
  plans: [],
  hasRedis: false,
};

/** Paths of what is said of the options, warnings with a `?`. */
function mistakes(options: z.input<typeof cacheOptions>, hasRedis = false): string[] {
  const found = checkCache(cacheOptions.parse(options), { ...surroundings, hasRedis });
  return found.map(({ path, isWarning }) => `${path?.join(".")}${isWarning === true ? "?" : ""}`);
}

const cases: [what: string, options: z.input<typeof cacheOptions>, found: string[]][] = [
  ["nothing of the defaults", {}, []],
  ["Redis where there is none", { store: "redis" }, ["store"]],
  ["that nothing says how long", { respect: false }, ["respect"]],
  ["nothing of ttl alone", { respect: false, ttl: "1m" }, []],
  ["query beside ignoreQuery", { key: { query: ["a"], ignoreQuery: ["b"] } }, ["key.ignoreQuery"]],
  [
    "a caller in the key who is not known yet",
    { shared: true, key: { identity: true } },
    ["shared"],
  ],
  [
    "answers for all beside answers of each",
    { authorized: true, key: { identity: true } },
    ["authorized", "authorized?"],
  ],
  [
    "secrets in the key",
    { key: { headers: ["authorization", "cookie"] } },
    ["key.headers?", "key.headers?"],
  ],
  ["answers for all", { authorized: true }, ["authorized?"]],
];
for (const [what, options, found] of cases) {
  test(`cache: check tells ${what}`, () => {
    assert.deepEqual(mistakes(options), found);
  });
}

test("cache: check takes Redis where there is one", () => {
  assert.deepEqual(mistakes({ store: "redis" }, true), []);
});

test("cache: check refuses a cache behind another that every request meets", async () => {
  const document = (unless: object) => ({
    services: { shop: "http://127.0.0.1:3001" },
    policies: [{ cache: { ttl: "1m" }, ...unless }],
    routes: [{ match: "/*", service: "shop", policies: [{ cache: { ttl: "1h" } }] }],
  });
  await assert.rejects(testGateway(document({})), /another cache before this one/);
  await using gateway = await testGateway(document({ unless: "/*" }));
  assert.equal((await gateway.request()).status, 200);
});
