import assert from "node:assert/strict";
import { test } from "node:test";
import {
  FRESH,
  cacheScene,
  numbered,
  type CountedAnswer,
} from "../../../test/support/cache-scene.ts";
import { HANG_UP } from "../../testing/fake-service.ts";

test("cache: what the service allows to keep is answered without it, until it is stale", async () => {
  await using subject = await cacheScene({}, numbered);
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
  await using subject = await cacheScene({}, () => ({ headers, body: "four" }));
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
    await using subject = await cacheScene({}, () => ({ headers }));
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
  "one that begins alike": [{ path: "/a" }, { path: "/a/../a" }],
  "one that is spelled otherwise, beside the root": [{ path: "/" }, { path: "/b/.." }],
};
for (const [what, [one, other]] of Object.entries(apart)) {
  test(`cache: answers are told apart by ${what}`, async () => {
    await using subject = await cacheScene({}, numbered);
    await subject.request(one);
    assert.equal((await subject.request(other)).body, "answer 2");
    assert.equal((await subject.request(one)).body, "answer 1");
  });
}

test("cache: Vary tells answers apart, and none is given for another", async () => {
  const answer: CountedAnswer = ({ headers }) => ({
    headers: { ...FRESH, vary: "Accept-Language" },
    body: headers["accept-language"] ?? "none",
  });
  await using subject = await cacheScene({}, answer);
  for (const _ of [1, 2]) {
    for (const language of ["de", "en"]) {
      const { body } = await subject.request({ headers: { "accept-language": language } });
      assert.equal(body, language);
    }
    assert.equal((await subject.request()).body, "none");
  }
  assert.equal(subject.asked(), 3);
});

for (const [kept, changed] of [
  ["/%61?b=1", "/a?b=1"],
  ["/a?b=1", "/c/../%61?b=1"],
  ["//a?b=1", "/%61?b=1"],
] as const) {
  test(`cache: what changes ${changed} takes away what is kept for ${kept}`, async () => {
    await using subject = await cacheScene({}, numbered);
    await subject.request({ path: kept });
    assert.deepEqual((await subject.request({ path: kept })).results, { hit: 1 });
    await subject.request({ path: changed, method: "PUT" });
    assert.deepEqual((await subject.request({ path: kept })).results, { miss: 1, stored: 1 });
  });
}

test("cache: a Location takes away what is kept for it, however it is spelled", async () => {
  await using subject = await cacheScene({}, ({ method }, count) => {
    if (method === "POST") return { status: 201, headers: { location: "//service.test/%61?b=1" } };
    return numbered({} as never, count);
  });
  const host = { headers: { host: "service.test" } };
  await subject.request({ path: "/a?b=1", ...host });
  await subject.request({ path: "/new", method: "POST", ...host });
  assert.deepEqual((await subject.request({ path: "/a?b=1", ...host })).results, {
    miss: 1,
    stored: 1,
  });
});

test("cache: answers to one address that vary by more and more are kept no more", async () => {
  await using subject = await cacheScene({}, ({ headers }) => ({
    headers: { ...FRESH, vary: headers["x-vary"] ?? "" },
  }));
  const ask = (name: string) => subject.request({ headers: { "x-vary": name, [name]: "1" } });
  for (let count = 0; count < 16; count++) {
    assert.deepEqual((await ask(`h${count}`)).results, { miss: 1, stored: 1 });
  }
  for (const name of ["h16", "h17", "h16"])
    assert.deepEqual((await ask(name)).results, { miss: 1 });
  // What it has varied by before still is.
  assert.deepEqual((await ask("h15")).results, { hit: 1 });
  assert.deepEqual((await ask("h3")).results, { miss: 1, stored: 1 });
  assert.deepEqual((await ask("h3")).results, { hit: 1 });
});

test("cache: what is stale is validated, and what the 304 says holds from then on", async () => {
  const seen: (string | undefined)[] = [];
  await using subject = await cacheScene({}, ({ headers }, count) => {
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
  const answer: CountedAnswer = ({ headers }) => {
    assert.equal(headers["if-none-match"], undefined);
    return { headers: { ...FRESH, etag: 'W/"1"' }, body: "whole" };
  };
  await using subject = await cacheScene({}, answer);
  const condition = { "if-none-match": '"0", "1"' };
  assert.equal((await subject.request({ headers: condition })).status, 200);
  const { status, body, headers } = await subject.request({ headers: condition });
  assert.deepEqual([status, body, headers["etag"]], [304, "", 'W/"1"']);
  assert.equal((await subject.request({ headers: { "if-none-match": '"2"' } })).status, 200);
});

test("cache: If-Modified-Since counts only without If-None-Match", async () => {
  const modified = "Sat, 21 Nov 2020 12:00:00 GMT";
  const headers = { ...FRESH, "last-modified": modified, etag: '"1"' };
  await using subject = await cacheScene({}, () => ({ headers }));
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
    await using subject = await cacheScene({}, () => ({
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
  await using subject = await cacheScene({}, numbered);
  await subject.request({ method: "HEAD" });
  await subject.request();
  const { status, headers, body } = await subject.request({ method: "HEAD" });
  assert.deepEqual([status, body, headers["content-length"]], [200, "", "8"]);
  assert.equal(subject.asked(), 2);
});

test("cache: an unsafe request that succeeds takes away what it may have changed", async () => {
  await using subject = await cacheScene({}, ({ method }, count) => {
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
    await using subject = await cacheScene({}, async ({ method, path }, count) => {
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
  await using subject = await cacheScene({}, async ({ method, headers }, count) => {
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
  await using subject = await cacheScene({}, ({ method }, count) => {
    if (method === "GET") return { headers: FRESH, body: `answer ${count}` };
    return { status: 201, headers: { location: "http://b.test/" } };
  });
  await subject.request({ headers: { host: "b.test" } });
  await subject.request({ method: "POST", headers: { host: "a.test" } });
  assert.equal((await subject.request({ headers: { host: "b.test" } })).body, "answer 1");
});

test("cache: many who ask at once for the same make one request", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using subject = await cacheScene({}, async (_, count) => {
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
  await using subject = await cacheScene({}, async (_, count) => {
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
  await using subject = await cacheScene({}, async (_, count) => {
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

for (const [what, failure] of [
  ["answers 503", { status: 503 }],
  ["hangs up", HANG_UP],
] as const) {
  test(`cache: a service that ${what} is stood in for by what is stale`, async () => {
    const headers = { "cache-control": "max-age=60, stale-if-error=60" };
    await using subject = await cacheScene({}, (_, count) => {
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

for (const directive of ["must-revalidate", "proxy-revalidate", "no-cache"]) {
  test(`cache: what is ${directive} is never given stale`, async () => {
    const control = `max-age=60, ${directive}, stale-if-error=60, stale-while-revalidate=60`;
    const headers = { "cache-control": control, etag: '"1"' };
    const options = { staleIfError: "1h", staleWhileRevalidate: "1h", clientControl: true };
    await using subject = await cacheScene(options, (_, count) => {
      return count === 1 ? { headers } : { status: 503 };
    });
    await subject.request();
    subject.clock.advance("61s");
    const asked = { headers: { "cache-control": "max-stale" } };
    assert.equal((await subject.request()).status, 503);
    assert.equal((await subject.request(asked)).status, 503);
  });
}

test("cache: with s-maxage the options give nothing stale, only what the service says", async () => {
  for (const [control, status] of [
    ["s-maxage=60", 503],
    ["s-maxage=60, stale-if-error=60", 200],
  ] as const) {
    await using subject = await cacheScene({ staleIfError: "1h" }, (_, count) => {
      return count === 1 ? { headers: { "cache-control": control } } : { status: 503 };
    });
    await subject.request();
    subject.clock.advance("61s");
    assert.equal((await subject.request()).status, status, control);
  }
});

test("cache: a cookie that comes with a 304 is neither kept nor given out of the cache", async () => {
  for (const setCookie of [false, true]) {
    await using subject = await cacheScene({ setCookie }, (_, count) => {
      if (count === 1) return { headers: { "cache-control": "max-age=60", etag: '"1"' } };
      return { status: 304, headers: { etag: '"1"', "set-cookie": "session=of-one" } };
    });
    await subject.request();
    subject.clock.advance("61s");
    const { results, setCookies } = await subject.request();
    assert.deepEqual([results["revalidated"], setCookies], [1, []]);
    const hit = await subject.request();
    assert.deepEqual([hit.results["hit"], hit.setCookies], [1, []]);
  }
});

test("cache: a body that breaks off is not kept", async () => {
  await using subject = await cacheScene({}, (_, count) => {
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
  await using subject = await cacheScene({ maxBytes: 4 }, ({ path }) => {
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
