import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import { HANG_UP, type ServiceAnswer, type ServiceCall } from "../../testing/fake-service.ts";
import { testPolicy, type TestPolicySettings } from "../../testing/test-policy.ts";
import cache from "./cache.ts";

type Options = z.input<typeof cache.schema>;
type Answer = (call: ServiceCall, count: number) => ServiceAnswer | Promise<ServiceAnswer>;

const FRESH = { "cache-control": "max-age=60" };

/** A cache before a service whose calls are counted. */
async function scene(options: Options, answer: Answer, settings: TestPolicySettings = {}) {
  let count = 0;
  const subject = await testPolicy(cache, options, {
    service: (call) => answer(call, ++count),
    ...settings,
  });
  return Object.assign(subject, { asked: () => count });
}

const numbered: Answer = (_, count) => ({ headers: FRESH, body: `answer ${count}` });

test("cache: what the service allows to keep is answered without it, until it is stale", async () => {
  await using subject = await scene({}, numbered);
  const first = await subject.request({ path: "/a?b=1" });
  assert.equal(first.body, "answer 1");
  assert.match(first.headers["cache-status"] ?? "", /^gateward; fwd=uri-miss; .*stored$/);
  subject.clock.advance("59s");
  const second = await subject.request({ path: "/a?b=1" });
  assert.equal(second.body, "answer 1");
  assert.equal(second.headers["age"], "59");
  assert.equal(second.headers["cache-status"], "gateward; hit; ttl=1");
  assert.equal(second.sent, undefined);
  assert.deepEqual(second.results, { hit: 1 });
  subject.clock.advance("1s");
  assert.equal((await subject.request({ path: "/a?b=1" })).body, "answer 2");
});

test("cache: a hit has the headers of the answer, once each, and its length", async () => {
  const headers = { ...FRESH, "x-a": "1", date: "Sat, 21 Nov 2026 12:00:00 GMT" };
  await using subject = await scene({}, () => ({ headers, body: "four" }));
  await subject.request();
  const hit = await subject.request();
  assert.equal(hit.headers["x-a"], "1");
  assert.equal(hit.headers["date"], headers.date);
  assert.equal(hit.headers["content-length"], "4");
});

const notKept: Record<string, Record<string, string>> = {
  "nothing said": {},
  "no-store": { "cache-control": "max-age=60, no-store" },
  private: { "cache-control": "max-age=60, private" },
  "Vary: *": { ...FRESH, vary: "*" },
  "a cookie": { ...FRESH, "set-cookie": "a=1" },
  "max-age=0 and no validator": { "cache-control": "max-age=0" },
};
for (const [what, headers] of Object.entries(notKept)) {
  test(`cache: is not kept: ${what}`, async () => {
    await using subject = await scene({}, () => ({ headers }));
    await subject.request();
    await subject.request();
    assert.equal(subject.asked(), 2);
  });
}

const apart: Record<string, [Record<string, unknown>, Record<string, unknown>]> = {
  path: [{ path: "/a" }, { path: "/b" }],
  query: [{ path: "/?a=1" }, { path: "/?a=2" }],
  host: [{ headers: { host: "a.test" } }, { headers: { host: "b.test" } }],
  port: [{ headers: { host: "a.test" } }, { headers: { host: "a.test:81" } }],
  "a path that is spelled otherwise": [{ path: "/a" }, { path: "/b/../a" }],
};
for (const [what, [one, other]] of Object.entries(apart)) {
  test(`cache: answers are told apart by ${what}`, async () => {
    await using subject = await scene({}, numbered);
    await subject.request(one);
    assert.equal((await subject.request(other)).body, "answer 2");
    assert.equal((await subject.request(one)).body, "answer 1");
  });
}

test("cache: Vary tells answers apart, and none is given for another", async () => {
  const answer: Answer = ({ headers }) => ({
    headers: { ...FRESH, vary: "Accept-Language" },
    body: headers["accept-language"] ?? "none",
  });
  await using subject = await scene({}, answer);
  for (const _ of [1, 2]) {
    for (const language of ["de", "en"]) {
      const { body } = await subject.request({ headers: { "accept-language": language } });
      assert.equal(body, language);
    }
    assert.equal((await subject.request()).body, "none");
  }
  assert.equal(subject.asked(), 3);
});

test("cache: what is stale is validated, and what the 304 says holds from then on", async () => {
  const seen: (string | undefined)[] = [];
  await using subject = await scene({}, ({ headers }, count) => {
    seen.push(headers["if-none-match"]);
    const etag = { etag: '"1"', "x-count": String(count) };
    if (count > 1) return { status: 304, headers: { "cache-control": "max-age=10", ...etag } };
    return { headers: { ...FRESH, ...etag }, body: "kept" };
  });
  await subject.request();
  subject.clock.advance("61s");
  const { status, body, headers, results } = await subject.request();
  assert.deepEqual([status, body, headers["x-count"]], [200, "kept", "2"]);
  assert.deepEqual(results, { miss: 1, revalidated: 1 });
  assert.deepEqual(seen, [undefined, '"1"']);
  subject.clock.advance("9s");
  assert.equal((await subject.request()).headers["age"], "9");
  assert.equal(subject.asked(), 2);
});

test("cache: a client that has it already is told so, and the service is not asked for less", async () => {
  const answer: Answer = ({ headers }) => {
    assert.equal(headers["if-none-match"], undefined);
    return { headers: { ...FRESH, etag: 'W/"1"' }, body: "whole" };
  };
  await using subject = await scene({}, answer);
  const condition = { "if-none-match": '"0", "1"' };
  assert.equal((await subject.request({ headers: condition })).status, 200);
  const { status, body, headers } = await subject.request({ headers: condition });
  assert.deepEqual([status, body, headers["etag"]], [304, "", 'W/"1"']);
  assert.equal((await subject.request({ headers: { "if-none-match": '"2"' } })).status, 200);
});

test("cache: If-Modified-Since counts only without If-None-Match", async () => {
  const modified = "Sat, 21 Nov 2020 12:00:00 GMT";
  const headers = { ...FRESH, "last-modified": modified, etag: '"1"' };
  await using subject = await scene({}, () => ({ headers }));
  await subject.request();
  const since = { "if-modified-since": modified };
  assert.equal((await subject.request({ headers: since })).status, 304);
  const both = { ...since, "if-none-match": '"2"' };
  assert.equal((await subject.request({ headers: both })).status, 200);
});

const ranges: [what: string, headers: Record<string, string>, status: number, body: string][] = [
  ["its beginning", { range: "bytes=0-3" }, 206, "0123"],
  ["its end", { range: "bytes=-2" }, 206, "89"],
  ["the rest", { range: "bytes=8-" }, 206, "89"],
  ["more than there is", { range: "bytes=5-99" }, 206, "56789"],
  ["several are the whole", { range: "bytes=0-1,3-4" }, 200, "0123456789"],
  ["nonsense is the whole", { range: "bytes=4-2" }, 200, "0123456789"],
  ["beyond the end", { range: "bytes=10-" }, 416, ""],
  ["of nothing", { range: "bytes=-0" }, 416, ""],
  ["of the same", { range: "bytes=0-0", "if-range": '"1"' }, 206, "0"],
  ["of another", { range: "bytes=0-0", "if-range": '"2"' }, 200, "0123456789"],
];
for (const [what, headers, status, body] of ranges) {
  test(`cache: a range out of what is kept whole: ${what}`, async () => {
    await using subject = await scene({}, () => ({
      headers: { ...FRESH, etag: '"1"' },
      body: "0123456789",
    }));
    await subject.request();
    const response = await subject.request({ headers });
    assert.deepEqual([response.status, response.body], [status, body]);
    assert.equal(subject.asked(), 1);
    if (status === 416) assert.equal(response.headers["content-range"], "bytes */10");
  });
}

test("cache: HEAD is answered out of what GET has brought, and brings nothing itself", async () => {
  await using subject = await scene({}, numbered);
  await subject.request({ method: "HEAD" });
  await subject.request();
  const { status, headers, body } = await subject.request({ method: "HEAD" });
  assert.deepEqual([status, body, headers["content-length"]], [200, "", "8"]);
  assert.equal(subject.asked(), 2);
});

test("cache: an unsafe request that succeeds takes away what it may have changed", async () => {
  await using subject = await scene({}, ({ method }, count) => {
    if (method === "GET") return { headers: FRESH, body: `answer ${count}` };
    return { status: method === "PUT" ? 204 : 500, headers: { location: "/list?all" } };
  });
  const get = async (path: string) => (await subject.request({ path })).body;
  await get("/item");
  await get("/list?all");
  await subject.request({ method: "DELETE", path: "/item" });
  assert.equal(await get("/item"), "answer 1");
  await subject.request({ method: "PUT", path: "/item" });
  assert.equal(await get("/item"), "answer 5");
  assert.equal(await get("/list?all"), "answer 6");
});

for (const vary of [{}, { vary: "accept" }] as Record<string, string>[]) {
  const what = vary["vary"] === undefined ? "" : " of several";
  test(`cache: an answer${what} that was on its way while it was changed is not kept`, async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    await using subject = await scene({}, async ({ method, path }, count) => {
      if (method === "PUT") return { status: 204 };
      if (path === "/item" && count === 2) await promise;
      return { headers: { ...FRESH, ...vary }, body: `answer ${count}` };
    });
    await subject.request({ path: "/other" });
    const old = subject.gateway.request({ path: "/item" });
    await subject.request({ method: "PUT", path: "/item" });
    resolve();
    assert.equal((await old).body, "answer 2");
    assert.equal((await subject.request({ path: "/item" })).body, "answer 4");
    assert.equal((await subject.request({ path: "/item" })).body, "answer 4");
    assert.equal((await subject.request({ path: "/other" })).body, "answer 1");
  });
}

test("cache: a change of an address takes all of its answers away, also under way", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using subject = await scene({}, async ({ method, headers }, count) => {
    if (method === "PUT") return { status: 204 };
    if (headers["accept"] === "slow") await promise;
    return { headers: { ...FRESH, vary: "accept" }, body: `answer ${count}` };
  });
  const get = async (accept: string) => (await subject.request({ headers: { accept } })).body;
  assert.equal(await get("a"), "answer 1");
  const slow = get("slow");
  await subject.request({ method: "PUT" });
  resolve();
  await slow;
  assert.equal(await get("a"), "answer 4");
});

test("cache: a service cannot take away what is of another origin", async () => {
  await using subject = await scene({}, ({ method }, count) => {
    if (method === "GET") return { headers: FRESH, body: `answer ${count}` };
    return { status: 201, headers: { location: "http://b.test/" } };
  });
  await subject.request({ headers: { host: "b.test" } });
  await subject.request({ method: "POST", headers: { host: "a.test" } });
  assert.equal((await subject.request({ headers: { host: "b.test" } })).body, "answer 1");
});

test("cache: many who ask at once for the same make one request", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using subject = await scene({}, async (_, count) => {
    await promise;
    return { headers: FRESH, body: `answer ${count}` };
  });
  const all = Array.from({ length: 50 }, () => subject.gateway.request({ path: "/" }));
  resolve();
  const bodies = new Set((await Promise.all(all)).map(({ body }) => body));
  assert.deepEqual([...bodies], ["answer 1"]);
  assert.equal(subject.asked(), 1);
});

test("cache: what turns out not to be kept is not waited for again", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using subject = await scene({}, async (_, count) => {
    await promise;
    return { body: `answer ${count}` };
  });
  const all = [1, 2, 3].map(() => subject.gateway.request({ path: "/" }));
  resolve();
  const bodies = new Set((await Promise.all(all)).map(({ body }) => body));
  assert.equal(bodies.size, 3);
});

test("cache: who waits goes on when the one who asked is gone", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using subject = await scene({}, async (_, count) => {
    if (count === 1) await promise;
    return { headers: FRESH, body: `answer ${count}` };
  });
  const first = subject.gateway.start({ path: "/" });
  first.response.catch(() => {});
  const second = subject.gateway.request({ path: "/" });
  first.leave();
  assert.equal((await second).body, "answer 2");
  resolve();
});

test("cache: while one fetches anew, others are given what is stale", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const headers = { "cache-control": "max-age=60, stale-while-revalidate=30" };
  await using subject = await scene({}, async (_, count) => {
    if (count === 2) await promise;
    return { headers, body: `answer ${count}` };
  });
  await subject.request();
  subject.clock.advance("70s");
  const fetching = subject.gateway.request({ path: "/" });
  const { body, results } = await subject.request();
  assert.equal(body, "answer 1");
  assert.deepEqual(results, { stale: 1 });
  resolve();
  assert.equal((await fetching).body, "answer 2");
});

for (const [what, failure] of [
  ["answers 503", { status: 503 }],
  ["hangs up", HANG_UP],
] as const) {
  test(`cache: a service that ${what} is stood in for by what is stale`, async () => {
    const headers = { "cache-control": "max-age=60, stale-if-error=60" };
    await using subject = await scene({}, (_, count) => {
      return count === 1 ? { headers, body: "stale" } : failure;
    });
    await subject.request();
    subject.clock.advance("90s");
    for (const _ of [1, 2]) {
      const { status, body } = await subject.request();
      assert.deepEqual([status, body], [200, "stale"]);
    }
    subject.clock.advance("90s");
    assert.ok((await subject.request()).status >= 500);
  });
}

test("cache: what must be revalidated is never given stale", async () => {
  const headers = { "cache-control": "max-age=60, must-revalidate, stale-if-error=60" };
  await using subject = await scene({ staleIfError: "1h" }, (_, count) => {
    return count === 1 ? { headers } : { status: 503 };
  });
  await subject.request();
  subject.clock.advance("61s");
  assert.equal((await subject.request()).status, 503);
});

test("cache: a body that breaks off is not kept", async () => {
  await using subject = await scene({}, (_, count) => {
    async function* pieces() {
      yield "begun";
      if (count === 1) throw new Error("broken");
      yield " and ended";
    }
    return { headers: FRESH, body: pieces() };
  });
  await subject.request().catch(() => {});
  assert.equal((await subject.request()).body, "begun and ended");
  assert.equal((await subject.request()).body, "begun and ended");
  assert.equal(subject.asked(), 2);
});

test("cache: a body beyond maxBytes passes and is not kept, told beforehand or not", async () => {
  await using subject = await scene({ maxBytes: 4 }, ({ path }) => {
    async function* pieces() {
      yield "123";
      yield "45";
    }
    return { headers: FRESH, body: path === "/told" ? "12345" : pieces() };
  });
  for (const path of ["/told", "/told", "/streamed", "/streamed"]) {
    assert.equal((await subject.request({ path })).body, "12345");
  }
  assert.equal(subject.asked(), 4);
});

// Whose answers they are

const alice = { method: "test", subject: "alice" };
const bob = { method: "test", subject: "bob" };

test("cache: what a known caller is sent reaches no other", async () => {
  await using subject = await scene({}, numbered);
  await subject.request({ identity: alice });
  assert.equal((await subject.request({ identity: bob })).body, "answer 2");
  assert.equal((await subject.request({ identity: alice })).body, "answer 3");
  assert.equal((await subject.request()).body, "answer 4");
});

test("cache: what is asked for with Authorization is kept only where that is allowed", async () => {
  const headers = { authorization: "Basic eA==" };
  for (const [control, asked] of [
    ["max-age=60", 2],
    ["max-age=60, public", 1],
    ["s-maxage=60", 1],
    ["max-age=60, must-revalidate", 1],
  ] as const) {
    await using subject = await scene({}, () => ({ headers: { "cache-control": control } }));
    await subject.request({ headers });
    await subject.request({ headers });
    assert.equal(subject.asked(), asked, control);
  }
});

test("cache: what was kept for nobody is not given to who brings Authorization", async () => {
  await using subject = await scene({}, numbered);
  await subject.request();
  const headers = { authorization: "Basic eA==" };
  assert.equal((await subject.request({ headers })).body, "answer 2");
  assert.equal((await subject.request()).body, "answer 1");
});

test("cache: with the caller in the key each has answers of its own", async () => {
  const needsCaller = { key: { identity: true } };
  await using subject = await scene(needsCaller, numbered);
  for (const _ of [1, 2]) {
    assert.equal((await subject.request({ identity: alice })).body, "answer 1");
    assert.equal((await subject.request({ identity: bob })).body, "answer 2");
  }
});

// Poisoning

const misleading = {
  "x-http-method-override": "POST",
  "x-original-url": "/admin",
  "x-forwarded-prefix": "/evil",
};
for (const [name, value] of Object.entries(misleading)) {
  test(`cache: what ${name} has brought about is for nobody else`, async () => {
    await using subject = await scene({}, numbered);
    await subject.request({ headers: { [name]: value } });
    assert.equal((await subject.request()).body, "answer 2");
  });
}

test("cache: a GET with a body neither brings nor gets anything", async () => {
  await using subject = await scene({}, numbered);
  await subject.request({ body: "poison" });
  assert.equal((await subject.request()).body, "answer 2");
  assert.equal((await subject.request({ body: "poison" })).body, "answer 3");
});

test("cache: errors that a malformed request brings about are not kept, whatever they say", async () => {
  for (const status of [400, 405, 414, 431, 500]) {
    await using subject = await scene({ ttl: "1m" }, () => ({ status, headers: FRESH }));
    await subject.request();
    await subject.request();
    assert.equal(subject.asked(), 2, String(status));
  }
});

test("cache: what the key leaves out of the query the service is not sent", async () => {
  const targets: string[] = [];
  await using subject = await scene(
    { key: { ignoreQuery: ["utm_*"], sortQuery: true } },
    ({ path, query }) => {
      targets.push(`${path} ${String(query)}`);
      return { headers: FRESH };
    },
  );
  await subject.request({ path: "/?b=2&utm_a=%3Cscript%3E&a=1" });
  await subject.request({ path: "/?a=1&b=2&%75tm_b" });
  await subject.request({ path: "/?a=1&b=3" });
  assert.equal(targets.length, 2);
  assert.ok(!targets[0]!.includes("utm"));
});

test("cache: tricks with paths do not reach what is kept under another", async () => {
  await using subject = await scene({}, ({ method }, count) => ({
    headers: FRESH,
    body: `${method} ${count}`,
  }));
  await subject.request({ path: "/account/x.css" });
  for (const path of ["/account", "/account/", "/account/x.css%2f", "/account/x.css?"]) {
    const { body } = await subject.request({ path }).catch(() => ({ body: "" }));
    if (path !== "/account/x.css?") assert.notEqual(body, "GET 1", path);
  }
});

// Clients

test("cache: clients have no say, unless clientControl gives it to them", async () => {
  const headers = { "cache-control": "no-cache, no-store" };
  await using deaf = await scene({}, numbered);
  await deaf.request();
  assert.equal((await deaf.request({ headers })).body, "answer 1");
  await using subject = await scene({ clientControl: true }, numbered);
  await subject.request();
  const ask = async (control: string) =>
    await subject.request({ headers: { "cache-control": control } });
  subject.clock.advance("10s");
  assert.equal((await ask("max-age=11")).body, "answer 1");
  assert.equal((await ask("min-fresh=50")).body, "answer 1");
  assert.equal((await ask("no-store, no-cache")).body, "answer 2");
  assert.equal((await ask("max-age=9")).body, "answer 3");
  assert.equal((await subject.request()).body, "answer 3");
  subject.clock.advance("70s");
  assert.equal((await ask("max-stale=15")).body, "answer 3");
  const refusal = await ask("only-if-cached");
  assert.equal(refusal.problem?.name, "not-cached");
});

test("cache: heuristic freshness only where it is asked for", async () => {
  const answer: Answer = (_, count) => ({
    headers: { "last-modified": "Sat, 21 Nov 2020 12:00:00 GMT" },
    body: `answer ${count}`,
  });
  await using subject = await scene({ heuristic: true }, answer);
  await subject.request();
  assert.equal((await subject.request()).body, "answer 1");
});

test("cache: a cookie is kept where setCookie says so", async () => {
  const headers = { ...FRESH, "set-cookie": "a=1" };
  await using subject = await scene({ setCookie: true }, () => ({ headers }));
  await subject.request();
  assert.deepEqual((await subject.request()).setCookies, ["a=1"]);
});
