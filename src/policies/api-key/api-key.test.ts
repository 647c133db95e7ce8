import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { hashApiKey } from "../../policy/api-key-hash.ts";
import type { Consumers, Credential } from "../../policy/consumers.ts";
import { testEnvironment } from "../../testing/test-environment.ts";
import { testPolicy, type TestPolicySettings } from "../../testing/test-policy.ts";
import apiKey from "./api-key.ts";

const KEY = "Kq8ZrT4wXn2VbY6mJd0sFgHc";
const OTHER_KEY = "Pz5LhW9eRt1UoI7aSx3CvBnM";
const OLD_KEY = "0123456789abcdef0123456789abcdef";
const WRONG_KEY = "Kq8ZrT4wXn2VbY6mJd0sFgHd";

const consumers = {
  mobile: {
    groups: ["apps"],
    scopes: ["read", "write"],
    keys: [
      KEY,
      { value: OLD_KEY, name: "old", expires: "2026-01-02" },
      { hash: `sha256:${hashApiKey(OTHER_KEY)}`, name: "reader", scopes: ["read"] },
    ],
  },
};

type Options = Parameters<typeof testPolicy<typeof apiKey.schema>>[1];

async function gatewayWith(t: TestContext, options?: Options, more: TestPolicySettings = {}) {
  const subject = await testPolicy(apiKey, options, { document: { consumers }, ...more });
  t.after(() => subject.close());
  return subject;
}

test("api-key: a caller with a key passes, the service knows who it is and not by what", async (t) => {
  const subject = await gatewayWith(t);
  for (const protocol of ["HTTP/1.1", "HTTP/2"] as const) {
    const { status, sent, results } = await subject.request({
      protocol,
      headers: { "X-Api-Key": KEY, "x-other": "kept" },
    });
    assert.equal(status, 200);
    assert.deepEqual(results, { accepted: 1 });
    assert.equal(sent?.headers["x-consumer"], "mobile");
    assert.equal(sent?.headers["x-identity-groups"], "apps");
    assert.equal(sent?.headers["x-identity-method"], "api-key");
    assert.equal(sent?.headers["x-other"], "kept");
    assert.equal(sent?.headers["x-api-key"], undefined);
  }
});

test("api-key: without a key, with a wrong, an empty or an overlong one, 401 says what would do", async (t) => {
  const subject = await gatewayWith(t, { realm: 'the "api"' });
  for (const [key, problem] of [
    [undefined, "authentication-required"],
    [WRONG_KEY, "invalid-credentials"],
    [KEY.toLowerCase(), "invalid-credentials"],
    [KEY.slice(0, -1), "invalid-credentials"],
    [`${KEY}x`, "invalid-credentials"],
    ["", "invalid-credentials"],
    [KEY.repeat(100), "invalid-credentials"],
    [hashApiKey(KEY), "invalid-credentials"],
  ] as const) {
    const headers = key === undefined ? {} : { "x-api-key": key };
    const response = await subject.request({ headers });
    assert.equal(response.status, 401);
    assert.equal(response.problem?.name, problem, String(key));
    assert.equal(response.headers["www-authenticate"], 'ApiKey realm="the \\"api\\""');
    assert.equal(response.sent, undefined);
    assert.ok(key === undefined || key === "" || !JSON.stringify(response.problem).includes(key));
  }
});

test("api-key: a key holds until its expiry, remembered or not", async (t) => {
  const subject = await gatewayWith(t);
  const headers = { "x-api-key": OLD_KEY };
  assert.equal((await subject.request({ headers })).status, 200);
  subject.clock.advance("24h");
  const late = await subject.request({ headers });
  assert.equal(late.status, 401);
  assert.equal(late.problem?.code, "expired");
  assert.equal((await subject.request({ headers: { "x-api-key": KEY } })).status, 200);
});

test("api-key: a key that is narrowed has only its own scopes", async (t) => {
  const subject = await gatewayWith(t);
  const scopesOf = async (key: string) =>
    (await subject.request({ headers: { "x-api-key": key } })).sent?.headers["x-identity-scopes"];
  assert.equal(await scopesOf(KEY), "read write");
  assert.equal(await scopesOf(OTHER_KEY), "read");
});

test("api-key: several keys are refused, even right ones, wherever they are", async (t) => {
  const options = { in: [{ header: "x-api-key" }, { query: "key" }, { cookie: "key" }] };
  const subject = await gatewayWith(t, options);
  for (const request of [
    { headers: { "x-api-key": [KEY, KEY] } },
    { headers: { "x-api-key": [KEY, OTHER_KEY] } },
    { headers: { "x-api-key": KEY }, path: `/?key=${WRONG_KEY}` },
    { path: `/?key=${KEY}&key=${WRONG_KEY}` },
    { path: `/?key=${WRONG_KEY}&k%65y=${KEY}` },
    { headers: { cookie: `key=${KEY}; key=${OTHER_KEY}` } },
  ]) {
    const { status, problem } = await subject.request(request);
    assert.equal(status, 401, JSON.stringify(request));
    assert.equal(problem?.code, "several-keys");
  }
});

test("api-key: a key in the query is taken out of it, in every spelling, and the rest stays", async (t) => {
  const subject = await gatewayWith(t, { in: { query: "api_key" } });
  for (const [path, sentPath] of [
    [`/a?api_key=${KEY}`, "/a"],
    [`/a?x=1&api_key=${KEY}`, "/a?x=1"],
    [`/a?api%5Fkey=${KEY}&x=%20&y`, "/a?x=%20&y"],
    [`/a?api_key=%4B${KEY.slice(1)}&x`, "/a?x"],
  ] as const) {
    const { status, sent } = await subject.request({ path });
    assert.equal(status, 200, path);
    assert.equal(sent?.target, sentPath);
  }
});

test("api-key: a key in a cookie is taken out of them, and the others stay", async (t) => {
  const subject = await gatewayWith(t, { in: { cookie: "key" } });
  const one = await subject.request({ headers: { cookie: `a=1; key=${KEY}; b=2` } });
  assert.equal(one.sent?.headers["cookie"], "a=1; b=2");
  const only = await subject.request({ headers: { cookie: `key=${KEY}` } });
  assert.equal(only.status, 200);
  assert.equal(only.sent?.headers["cookie"], undefined);
});

test("api-key: a key in Authorization has its scheme before it; other schemes are others' business", async (t) => {
  const subject = await gatewayWith(t, { in: { authorization: "Bearer" } });
  for (const [authorization, status] of [
    [`Bearer ${KEY}`, 200],
    [`bearer  ${KEY}`, 200],
    [`Bearer ${WRONG_KEY}`, 401],
    [`Bearer`, 401],
    [`Basic ${KEY}`, 401],
    [`Bearer${KEY}`, 401],
    [KEY, 401],
  ] as const) {
    const response = await subject.request({ headers: { authorization } });
    assert.equal(response.status, status, authorization);
    assert.equal(response.sent?.headers["authorization"], undefined);
    if (status === 401) assert.equal(response.headers["www-authenticate"], 'Bearer realm="api"');
  }
  const other = await subject.request({ headers: { authorization: "Basic YTpi" } });
  assert.equal(other.problem?.name, "authentication-required");
});

test("api-key: forward leaves the key in", async (t) => {
  const subject = await gatewayWith(t, {
    in: [{ header: "x-key" }, { query: "key" }],
    forward: true,
  });
  const inHeader = await subject.request({ headers: { "x-key": KEY } });
  assert.equal(inHeader.sent?.headers["x-key"], KEY);
  const inQuery = await subject.request({ path: `/?key=${KEY}` });
  assert.equal(inQuery.sent?.target, `/?key=${KEY}`);
});

test("api-key: a known key costs one look-up until keys change, an unknown one each time", () => {
  const lookups: string[] = [];
  const consumer = { name: "a", groups: [], roles: [], scopes: [], metadata: {}, plan: "" };
  const fake = {
    version: 1,
    isKnown: true,
    byName: () => consumer,
    find(kind: string, id: string): Credential | undefined {
      lookups.push(`${kind} ${id}`);
      if (!this.isKnown || id !== hashApiKey(KEY)) return undefined;
      const rest = { name: "", secret: "", expiresAtMs: Infinity, scopes: [] };
      return { kind: "api-key", consumer, ...rest };
    },
  };
  const environment = testEnvironment(apiKey, { consumers: fake satisfies Consumers });
  const policy = apiKey.compileAuthenticator!(apiKey.schema.parse({}), environment);
  const ask = (key: string) =>
    policy.authenticate({ header: () => key, request: { fields: { remove() {} } } } as never);
  const first = ask(KEY);
  assert.ok(first !== null && "consumer" in first);
  assert.equal(ask(KEY), first);
  assert.equal(lookups.length, 1);
  void ask(WRONG_KEY);
  void ask(WRONG_KEY);
  assert.equal(lookups.length, 3);
  fake.isKnown = false;
  fake.version = 2;
  assert.equal((ask(KEY) as { name?: string }).name, "invalid-credentials");
});

test("api-key: a place that is listed twice, or is none, is refused", () => {
  const parse = (options: unknown) => apiKey.schema.safeParse(options);
  for (const place of [
    [],
    {},
    { header: "a", query: "b" },
    { authorization: "a b" },
    { cookie: "a b" },
  ]) {
    assert.equal(parse({ in: place }).success, false, JSON.stringify(place));
  }
  const options = apiKey.schema.parse({ in: [{ header: "X-Key" }, { header: "x-key" }] });
  assert.deepEqual(
    apiKey.check!(options, {} as never).map(({ path }) => path),
    [["in", 1]],
  );
});

/** Time of one wrong key in the middle of many, microseconds; both kinds in turn, so that noise meets both. */
function medianTimes(ask: (key: string) => unknown, keys: readonly [string, string]) {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < 4000; round++) {
    const which = round % 2;
    const startedAt = performance.now();
    for (let count = 0; count < 5; count++) ask(keys[which]!);
    times[which]!.push(performance.now() - startedAt);
  }
  return times.map((all) => all.toSorted((one, other) => one - other)[all.length >> 1]! * 200);
}

test("api-key: a wrong key takes as long as another, however much of it is right", () => {
  // Only hashes are looked up, as the test above shows, so there is nothing to be read out of time. This is a
  // second look: a comparison that ends at the first wrong character of 512 would show.
  const right = KEY.repeat(20);
  const keys = [`${right.slice(0, -1)}!`, "!".repeat(right.length)] as const;
  const consumer = { name: "a", groups: [], roles: [], scopes: [], metadata: {}, plan: "" };
  const rest = { name: "", secret: "", expiresAtMs: Infinity, scopes: [] };
  const credentials = new Map([
    [hashApiKey(right), { kind: "api-key" as const, consumer, ...rest }],
  ]);
  const find = (_: string, id: string) => credentials.get(id);
  const store = { version: 0, byName: () => undefined, find };
  const environment = testEnvironment(apiKey, { consumers: store });
  const policy = apiKey.compileAuthenticator!(apiKey.schema.parse({}), environment);
  const request = { fields: { remove() {} } };
  const ask = (key: string) => policy.authenticate({ header: () => key, request } as never);
  assert.ok("subject" in (ask(right) as object));
  const ratios = Array.from({ length: 5 }, () => {
    const [near, far] = medianTimes(ask, keys);
    return near! / far!;
  });
  assert.ok(
    ratios.some((ratio) => ratio > 0.9 && ratio < 1.1),
    ratios.join(", "),
  );
});
