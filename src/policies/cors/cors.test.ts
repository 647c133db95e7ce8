import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import type { Reply } from "../../policy/reply.ts";
import { runPolicy } from "../../../test/support/policy-run.ts";
import type { Headers } from "../../../test/support/policy-run.ts";
import cors from "./cors.ts";

type Options = z.input<typeof cors.schema>;

const app = "https://app.example.com";

/** What a browser asks before a page of `origin` sends such a request. */
async function preflight(options: Options, origin: string, method = "PUT", headers: Headers = {}) {
  const { verdict } = await runPolicy(cors, options, {
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": method, ...headers },
  });
  const answer = verdict as Reply;
  assert.equal(answer.status, 204);
  assert.equal(answer.body.length, 0);
  return answer.headers;
}

/** Header lines of CORS, and Vary, of the answer to a page's own request. */
async function answered(options: Options, headers: Headers = {}, responseHeaders: Headers = {}) {
  const run = await runPolicy(cors, options, { headers, responseHeaders });
  assert.equal(run.verdict, undefined);
  return run.answered.filter((line) => /^(access-control-|vary:)/.test(line));
}

const allowOrigin = (origin: string) => `access-control-allow-origin: ${origin}`;

/** Rule, origin of the page, whether it may. */
const origins: [rule: string | { regex: string }, origin: string, isAllowed: boolean][] = [
  [app, app, true],
  [app, "https://app.example.com:443", false],
  [app, "http://app.example.com", false],
  [app, "https://app.example.com:8443", false],
  [app, "https://app.example.com.evil.example", false],
  [app, "https://evil-app.example.com", false],
  [app, "https://APP.example.com", false],
  [app, "null", false],
  [app, "", false],
  [app, `${app}, ${app}`, false],
  ["https://APP.example.com:443", app, true],
  ["https://*.example.com", "https://a.example.com", true],
  ["https://*.example.com", "https://a.b.example.com", true],
  ["https://*.example.com", "https://example.com", false],
  ["https://*.example.com", "https://.example.com", false],
  ["https://*.example.com", "https://evilexample.com", false],
  ["https://*.example.com", "https://evil.example/.example.com", false],
  ["https://*.example.com", "https://evil.example#.example.com", false],
  ["https://*.example.com", "https://a.example.com:8443", false],
  ["https://*.example.com", "http://a.example.com", false],
  ["https://*.example.com:8443", "https://a.example.com:8443", true],
  ["https://*.example.com:*", "https://a.example.com:1", true],
  ["https://*.example.com:443", "https://a.example.com", true],
  ["http://localhost:*", "http://localhost", true],
  ["http://localhost:*", "http://localhost:5173", true],
  ["http://localhost:*", "http://localhost:5173x", false],
  ["http://localhost:*", "http://localhost.evil.example:5173", false],
  ["http://[::1]:3000", "http://[::1]:3000", true],
  ["capacitor://localhost", "capacitor://localhost", true],
  ["null", "null", true],
  [{ regex: "https://pr-\\d+\\.example\\.com" }, "https://pr-12.example.com", true],
  [{ regex: "https://pr-\\d+\\.example\\.com" }, "https://pr-12.example.com.evil.example", false],
  [{ regex: "https://pr-\\d+\\.example\\.com" }, "xhttps://pr-12.example.com", false],
];

for (const [rule, origin, isAllowed] of origins) {
  const shown = typeof rule === "string" ? rule : rule.regex;
  test(`cors: ${shown} ${isAllowed ? "takes" : "does not take"} the origin ${JSON.stringify(origin)}`, async () => {
    const headers = await preflight({ origins: rule }, origin);
    assert.equal(headers["access-control-allow-origin"], isAllowed ? origin : undefined);
    const lines = await answered({ origins: rule }, { origin });
    assert.deepEqual(lines, isAllowed ? ["vary: Origin", allowOrigin(origin)] : ["vary: Origin"]);
  });
}

test("cors: a preflight is told all that pages may do, and for how long that holds", async () => {
  assert.deepEqual(await preflight({ origins: app }, app), {
    vary: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
    "access-control-max-age": "600",
    "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
    "access-control-allow-origin": app,
  });
});

test("cors: a page of another origin is told nothing", async () => {
  assert.deepEqual(await preflight({ origins: app }, "https://evil.example"), { vary: "Origin" });
});

test("cors: any method and any header are answered with those asked for", async () => {
  const asked = { "access-control-request-headers": "authorization,x-one" };
  const options = { origins: app, methods: "*", headers: "*" };
  const headers = await preflight(options, app, "REPORT", asked);
  assert.equal(headers["access-control-allow-methods"], "REPORT");
  assert.equal(headers["access-control-allow-headers"], "authorization,x-one");
});

test("cors: what no browser writes is not sent back", async () => {
  const asked = { "access-control-request-headers": "x-one<script>, x y" };
  const headers = await preflight({ origins: app }, app, "PUT", asked);
  assert.equal(headers["access-control-allow-headers"], undefined);
});

test("cors: listed methods and headers are told whatever is asked for", async () => {
  const options = { origins: app, methods: ["PUT"], headers: ["X-One", "x-two"] };
  const asked = { "access-control-request-headers": "x-three" };
  const headers = await preflight(options, app, "DELETE", asked);
  assert.equal(headers["access-control-allow-methods"], "PUT");
  assert.equal(headers["access-control-allow-headers"], "x-one, x-two");
});

test("cors: credentials are allowed where that is said, and to the one origin only", async () => {
  const options = { origins: [app, "https://*.example.org"], credentials: true };
  const headers = await preflight(options, app);
  assert.equal(headers["access-control-allow-credentials"], "true");
  assert.deepEqual(await answered(options, { origin: "https://a.example.org" }), [
    "vary: Origin",
    allowOrigin("https://a.example.org"),
    "access-control-allow-credentials: true",
  ]);
  assert.deepEqual(await answered(options, { origin: "https://evil.example" }), ["vary: Origin"]);
});

test("cors: what is open to every page is the same for all, so that caches may keep it", async () => {
  const open = { origins: "*" };
  assert.deepEqual(await answered(open, { origin: app }), [allowOrigin("*")]);
  assert.deepEqual(await answered(open), [allowOrigin("*")]);
  const headers = await preflight(open, app);
  assert.equal(headers["access-control-allow-origin"], "*");
});

test("cors: an answer that depends on the origin says so to caches, without an origin too", async () => {
  const closed = { origins: app };
  assert.deepEqual(await answered(closed), ["vary: Origin"]);
  const vary = (value: string) => answered(closed, { origin: app }, { vary: value });
  assert.deepEqual((await vary("Accept")).slice(0, 2), ["vary: Accept", "vary: Origin"]);
  for (const value of ["origin", "Accept, Origin", "*", "ORIGIN, accept"]) {
    assert.deepEqual(await vary(value), [`vary: ${value}`, allowOrigin(app)]);
  }
  assert.equal((await vary("X-Origin")).length, 3);
});

test("cors: headers of the service's own are replaced, however they are spelled", async () => {
  const own = {
    "Access-Control-Allow-Origin": "*",
    "ACCESS-CONTROL-ALLOW-CREDENTIALS": "true",
    "access-control-expose-headers": "x-secret",
    "access-control-allow-private-network": "true",
  };
  assert.deepEqual(await answered({ origins: app }, { origin: "https://evil.example" }, own), [
    "vary: Origin",
  ]);
  assert.deepEqual(
    await answered({ origins: app, exposeHeaders: "X-Total" }, { origin: app }, own),
    ["vary: Origin", allowOrigin(app), "access-control-expose-headers: x-total"],
  );
});

test("cors: a private network is opened where that is said and asked for", async () => {
  const asked = { "access-control-request-private-network": "true" };
  const name = "access-control-allow-private-network";
  assert.equal((await preflight({ origins: app }, app, "PUT", asked))[name], undefined);
  const open = { origins: app, privateNetwork: true };
  assert.equal((await preflight(open, app, "PUT", asked))[name], "true");
  assert.equal((await preflight(open, app))[name], undefined);
});

test("cors: OPTIONS without the question is a request like any other", async () => {
  for (const headers of [{ origin: app }, { "access-control-request-method": "PUT" }]) {
    const run = await runPolicy(cors, { origins: app }, { method: "OPTIONS", headers });
    assert.equal(run.verdict, undefined);
  }
});

test("cors: the age of an answer is told in whole seconds, 0 for none", async () => {
  for (const [maxAge, seconds] of [
    ["0s", "0"],
    ["1h", "3600"],
    ["1500ms", "1"],
  ] as const) {
    const headers = await preflight({ origins: app, maxAge }, app);
    assert.equal(headers["access-control-max-age"], seconds);
  }
});

function mistakesOf(options: Options, place: "route" | "plan" = "route"): string[] {
  const surroundings = {
    place,
    earlier: [],
    services: [],
    consumers: [],
    plans: [],
    hasRedis: false,
  };
  return cors.check!(cors.schema.parse(options), surroundings).map(({ message }) => message);
}

test("cors: credentials for every page, for none in particular, or with every header are refused", () => {
  assert.deepEqual(mistakesOf({ origins: app, credentials: true }), []);
  assert.deepEqual(mistakesOf({ origins: ["*", "null"] }), []);
  assert.equal(mistakesOf({ origins: "*", credentials: true }).length, 1);
  assert.equal(mistakesOf({ origins: [app, "null"], credentials: true }).length, 1);
  assert.equal(mistakesOf({ origins: app, credentials: true, exposeHeaders: "*" }).length, 1);
});

test("cors: a plan cannot have it, since a preflight says nothing of the caller", () => {
  assert.equal(mistakesOf({ origins: app }, "plan").length, 1);
});

test("cors: what is no origin, no method or no expression is refused", () => {
  const wrong: Options[] = [
    { origins: "app.example.com" },
    { origins: `${app}/path` },
    { origins: "https://a.*.example.com" },
    { origins: "https://*" },
    { origins: "*.example.com" },
    { origins: { regex: "(a)\\1" } },
    { origins: { regex: "(?=a)b" } },
    { origins: app, methods: "patch" },
    { origins: app, methods: "GET POST" },
    { origins: app, headers: "x y" },
  ];
  for (const options of wrong) {
    assert.equal(cors.schema.safeParse(options).success, false, JSON.stringify(options));
  }
});
