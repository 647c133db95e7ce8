/** stale-while-revalidate: what clients are given, and what is asked behind their backs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cacheScene, type CountedAnswer } from "../../../test/support/cache-scene.ts";
import { until } from "../../../test/support/until.ts";
import { HANG_UP } from "../../testing/fake-service.ts";

const headers = { "cache-control": "max-age=60, stale-while-revalidate=600" };

/** Stores an answer and lets it get stale. */
async function staleScene(
  answer: CountedAnswer,
  options: Parameters<typeof cacheScene>[0] = {},
  settings: Parameters<typeof cacheScene>[2] = {},
) {
  const subject = await cacheScene(options, answer, settings);
  await subject.request({ path: "/a" });
  subject.clock.advance("61s");
  /** Until so many requests to the service are over. */
  const ended = (count: number) =>
    until(() => subject.gateway.metric("gateward_upstream_requests_total") === count);
  return Object.assign(subject, { ended });
}

test("stale-while-revalidate: all are given what is stale at once, and one request fetches anew", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using subject = await staleScene(async (_, count) => {
    if (count > 1) await promise;
    return { headers, body: `answer ${count}` };
  });
  const before = subject.gateway.metric("gateward_requests_total");
  for (const _ of [1, 2, 3]) assert.equal((await subject.request({ path: "/a" })).body, "answer 1");
  await until(() => subject.asked() === 2);
  resolve();
  await until(() => subject.results()["stored"] === 2);
  assert.equal((await subject.request({ path: "/a" })).body, "answer 2");
  assert.equal(subject.asked(), 2);
  const { hit, miss, stale, refresh } = subject.results();
  assert.deepEqual({ hit, miss, stale, refresh }, { hit: 1, miss: 1, stale: 3, refresh: 1 });
  // It is none of the requests that clients have made.
  assert.equal(subject.gateway.metric("gateward_requests_total"), before + 4);
});

test("stale-while-revalidate: the service is asked as the client has asked, for the whole", async () => {
  const sent: CountedAnswer = ({ headers: lines, target }, count) => {
    if (count === 1) return { headers: { ...headers, etag: '"1"' }, body: "kept" };
    assert.equal(target, "/a");
    assert.equal(lines["x-own"], "1");
    assert.equal(lines["if-none-match"], '"1"');
    assert.match(lines["via"] ?? "", /gateward/);
    return { status: 304, headers: { etag: '"1"' } };
  };
  await using subject = await staleScene(sent);
  const conditions = { "x-own": "1", "if-none-match": '"0"' };
  const { status, body } = await subject.request({ path: "/a", headers: conditions });
  assert.deepEqual([status, body], [200, "kept"]);
  await until(() => subject.results()["revalidated"] === 1);
  const hit = await subject.request({ path: "/a" });
  assert.deepEqual([hit.results, hit.body], [{ hit: 1 }, "kept"]);
});

for (const [what, failure] of [
  ["answers 503", { status: 503 }],
  ["hangs up", HANG_UP],
] as const) {
  test(`stale-while-revalidate: a service that ${what} is asked once a second, and clients do not see it`, async () => {
    await using subject = await staleScene((_, count) => {
      return count === 1 || count === 4 ? { headers, body: `answer ${count}` } : failure;
    });
    for (const asked of [2, 3]) {
      for (const _ of [1, 2, 3]) {
        const { status, body } = await subject.request({ path: "/a" });
        assert.deepEqual([status, body], [200, "answer 1"]);
        await new Promise(setImmediate);
        assert.equal(subject.results()["refresh"], asked - 1);
        await subject.ended(asked);
      }
      subject.clock.advance("1s");
    }
    await subject.request({ path: "/a" });
    await until(() => subject.results()["stored"] === 2);
    assert.equal((await subject.request({ path: "/a" })).body, "answer 4");
    assert.equal(subject.gateway.metric("gateward_faults_total"), 0);
  });
}

test("stale-while-revalidate: nothing is fetched by what is not kept, nor given to who wants none of it", async () => {
  await using subject = await staleScene((_, count) => ({ headers, body: `answer ${count}` }), {
    clientControl: true,
  });
  for (const [method, lines] of [
    ["HEAD", {}],
    ["GET", { range: "bytes=0-1" }],
    ["GET", { "cache-control": "no-store" }],
    ["GET", { "x-original-url": "/b" }],
  ] as const) {
    const { results } = await subject.request({ path: "/a", method, headers: lines });
    assert.deepEqual(results, { miss: 1 }, method);
  }
  for (const wish of ["no-cache", "max-age=5", "min-fresh=5"]) {
    const { results } = await subject.request({ path: "/a", headers: { "cache-control": wish } });
    assert.deepEqual(results, { miss: 1, stored: 1 }, wish);
    subject.clock.advance("61s");
  }
});

test("stale-while-revalidate: what the service answers now takes the place of what is stale, kept or not", async () => {
  await using subject = await staleScene((_, count) => {
    if (count === 2) return { status: 404, headers: { "cache-control": "no-store" } };
    return { headers, body: `answer ${count}` };
  });
  assert.equal((await subject.request({ path: "/a" })).body, "answer 1");
  await until(async () => (await subject.request({ path: "/a" })).body === "answer 3");
});

test("stale-while-revalidate: who may not be answered for all takes nothing away", async () => {
  await using subject = await staleScene((_, count) => {
    const cacheControl = count === 1 ? `public, ${headers["cache-control"]}` : "private";
    return { headers: { "cache-control": cacheControl }, body: `answer ${count}` };
  });
  const authorization = { authorization: "Bearer 1" };
  assert.equal((await subject.request({ path: "/a", headers: authorization })).body, "answer 1");
  await subject.ended(2);
  assert.equal((await subject.request({ path: "/a" })).body, "answer 1");
});

test("stale-while-revalidate: what is purged or changed meanwhile is not what is found afterwards", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using subject = await staleScene(async ({ method }, count) => {
    if (method === "PUT") return {};
    if (count === 2) await promise;
    return { headers, body: `answer ${count}` };
  });
  await subject.request({ path: "/a" });
  await until(() => subject.asked() === 2);
  await subject.request({ path: "/a", method: "PUT" });
  resolve();
  await until(() => subject.results()["stored"] === 2);
  assert.equal((await subject.request({ path: "/a" })).body, "answer 4");
});

test("stale-while-revalidate: a service that never answers holds nobody up, and is left after 30 s", async () => {
  await using subject = await staleScene((_, count) =>
    count === 2 ? new Promise(() => {}) : { headers, body: `answer ${count}` },
  );
  assert.equal((await subject.request({ path: "/a" })).body, "answer 1");
  await until(() => subject.asked() === 2);
  subject.clock.advance("31s");
  await subject.ended(2);
  subject.clock.advance("1s");
  assert.equal((await subject.request({ path: "/a" })).body, "answer 1");
  await until(() => subject.results()["stored"] === 2);
  assert.equal((await subject.request({ path: "/a" })).body, "answer 3");
});

test("stale-while-revalidate: of what turns out too long no more is fetched", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isLeft = false;
  await using subject = await staleScene(
    (_, count) => {
      if (count !== 2) return { headers, body: `answer ${count}` };
      return {
        headers,
        body: (async function* () {
          try {
            yield "x".repeat(2000);
            await promise;
            yield "x";
          } finally {
            isLeft = true;
          }
        })(),
      };
    },
    { maxBytes: 1000 },
  );
  await subject.request({ path: "/a" });
  await subject.ended(2);
  resolve();
  await until(() => isLeft);
  assert.equal(subject.results()["stored"], 1);
  assert.equal((await subject.request({ path: "/a" })).body, "answer 1");
});

test("stale-while-revalidate: with very many under way a request fetches for itself", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const most = 128;
  await using subject = await cacheScene({}, async (_, count) => {
    if (count > most + 1 && count <= 2 * most + 1) await promise;
    return { headers, body: `answer ${count}` };
  });
  for (let at = 0; at <= most; at++) await subject.request({ path: `/${at}` });
  subject.clock.advance("61s");
  for (let at = 0; at < most; at++) {
    assert.equal((await subject.request({ path: `/${at}` })).body, `answer ${at + 1}`);
  }
  await until(() => subject.asked() === 2 * most + 1);
  const last = await subject.request({ path: `/${most}` });
  assert.deepEqual([last.body, last.results["miss"]], [`answer ${2 * most + 2}`, 1]);
  resolve();
  await until(() => subject.results()["stored"] === 2 * most + 2);
});
