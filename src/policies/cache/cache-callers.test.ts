/** Whose answers the cache keeps, who is given them, and what clients can make of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  FRESH,
  cacheScene,
  numbered,
  type CountedAnswer,
} from "../../../test/support/cache-scene.ts";

// Whose answers they are

const alice = { method: "test", subject: "alice" };
const bob = { method: "test", subject: "bob" };

test("cache: what a known caller is sent reaches no other", async () => {
  await using subject = await cacheScene({}, numbered);
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
    await using subject = await cacheScene({}, () => ({ headers: { "cache-control": control } }));
    await subject.request({ headers });
    await subject.request({ headers });
    assert.equal(subject.asked(), asked, control);
  }
});

test("cache: what was kept for nobody is not given to who brings Authorization", async () => {
  await using subject = await cacheScene({}, numbered);
  await subject.request();
  const headers = { authorization: "Basic eA==" };
  assert.equal((await subject.request({ headers })).body, "answer 2");
  assert.equal((await subject.request()).body, "answer 1");
});

test("cache: with the caller in the key each has answers of its own", async () => {
  const needsCaller = { key: { identity: true } };
  await using subject = await cacheScene(needsCaller, numbered);
  for (const _ of [1, 2]) {
    assert.equal((await subject.request({ identity: alice })).body, "answer 1");
    assert.equal((await subject.request({ identity: bob })).body, "answer 2");
  }
});

test("cache: authorized gives what one caller was sent to all", async () => {
  await using subject = await cacheScene({ authorized: true }, numbered);
  await subject.request({ identity: alice });
  assert.equal((await subject.request({ identity: bob })).body, "answer 1");
  const headers = { authorization: "Basic eA==" };
  assert.equal((await subject.request({ headers })).body, "answer 1");
  assert.equal((await subject.request()).body, "answer 1");
});

test("cache: what is private is kept for nobody, not even where the key has the caller", async () => {
  for (const options of [{ authorized: true }, { key: { identity: true } }]) {
    const headers = { "cache-control": "private, max-age=60" };
    await using subject = await cacheScene(options, () => ({ headers }));
    await subject.request({ identity: alice });
    await subject.request({ identity: alice });
    assert.equal(subject.asked(), 2);
  }
});

test("cache: answers are told apart by the headers and cookies that the key names", async () => {
  const key = { headers: ["x-tenant"], cookies: ["theme"] };
  await using subject = await cacheScene({ key }, numbered);
  const get = async (headers: Record<string, string>) => (await subject.request({ headers })).body;
  const asked = [
    {},
    { "x-tenant": "a" },
    { "x-tenant": "a", cookie: "theme=dark" },
    { cookie: "theme=dark" },
    // What stands in one cannot look like the other.
    { "x-tenant": "a4:dark" },
  ] as Record<string, string>[];
  for (const [at, headers] of asked.entries()) assert.equal(await get(headers), `answer ${at + 1}`);
  for (const [at, headers] of asked.entries()) assert.equal(await get(headers), `answer ${at + 1}`);
  assert.equal(
    await get({ "x-tenant": "a", "x-other": "b", cookie: "id=1; theme=dark" }),
    "answer 3",
  );
});

// Poisoning

const misleading = {
  "x-http-method-override": "POST",
  "x-original-url": "/admin",
  "x-forwarded-prefix": "/evil",
};
for (const [name, value] of Object.entries(misleading)) {
  test(`cache: what ${name} has brought about is for nobody else`, async () => {
    await using subject = await cacheScene({}, numbered);
    await subject.request({ headers: { [name]: value } });
    assert.equal((await subject.request()).body, "answer 2");
  });
}

test("cache: a GET with a body neither brings nor gets anything", async () => {
  await using subject = await cacheScene({}, numbered);
  await subject.request({ body: "poison" });
  assert.equal((await subject.request()).body, "answer 2");
  assert.equal((await subject.request({ body: "poison" })).body, "answer 3");
});

test("cache: errors that a malformed request brings about are not kept, whatever they say", async () => {
  for (const status of [400, 405, 414, 431, 500]) {
    await using subject = await cacheScene({ ttl: "1m" }, () => ({ status, headers: FRESH }));
    await subject.request();
    await subject.request();
    assert.equal(subject.asked(), 2, String(status));
  }
});

test("cache: what the key leaves out of the query the service is not sent", async () => {
  const targets: string[] = [];
  await using subject = await cacheScene(
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
  await using subject = await cacheScene({}, ({ method }, count) => ({
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
  await using deaf = await cacheScene({}, numbered);
  await deaf.request();
  assert.equal((await deaf.request({ headers })).body, "answer 1");
  await using subject = await cacheScene({ clientControl: true }, numbered);
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
  const answer: CountedAnswer = (_, count) => ({
    headers: { "last-modified": "Sat, 21 Nov 2020 12:00:00 GMT" },
    body: `answer ${count}`,
  });
  await using subject = await cacheScene({ heuristic: true }, answer);
  await subject.request();
  assert.equal((await subject.request()).body, "answer 1");
});

test("cache: a cookie is kept where setCookie says so", async () => {
  const headers = { ...FRESH, "set-cookie": "a=1" };
  await using subject = await cacheScene({ setCookie: true }, () => ({ headers }));
  await subject.request();
  assert.deepEqual((await subject.request()).setCookies, ["a=1"]);
});
