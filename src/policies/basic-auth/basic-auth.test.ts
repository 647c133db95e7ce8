import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Credential } from "../../policy/consumers.ts";
import { Identity } from "../../policy/identity.ts";
import { hashPassword } from "../../policy/password-hash.ts";
import { testEnvironment } from "../../testing/test-environment.ts";
import { testPolicy, type TestPolicySettings } from "../../testing/test-policy.ts";
import basicAuth from "./basic-auth.ts";
import { basicToken, parseBasic } from "./parse-basic.ts";
import { PasswordChecks } from "./password-checks.ts";

const consumers = {
  mobile: { groups: ["apps"], basic: { password: "correct horse" } },
  zoe: { basic: { username: "Zo\u00eb", password: "p\u00e4ssw\u00f6rd: with colon" } },
};

type Options = Parameters<typeof testPolicy<typeof basicAuth.schema>>[1];

async function gatewayWith(t: TestContext, options?: Options, more: TestPolicySettings = {}) {
  const subject = await testPolicy(basicAuth, options, { document: { consumers }, ...more });
  t.after(() => subject.close());
  return subject;
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

test("basic-auth: a user with the password passes, the service knows who and not by what", async (t) => {
  const subject = await gatewayWith(t);
  for (const protocol of ["HTTP/1.1", "HTTP/2"] as const) {
    const headers = { authorization: basic("mobile", "correct horse") };
    const { status, sent, results } = await subject.request({ protocol, headers });
    assert.equal(status, 200);
    assert.deepEqual(results, { accepted: 1 });
    assert.equal(sent?.headers["x-consumer"], "mobile");
    assert.equal(sent?.headers["x-identity-method"], "basic-auth");
    assert.equal(sent?.headers["authorization"], undefined);
  }
});

test("basic-auth: names and passwords are UTF-8, however their characters were typed", async (t) => {
  const subject = await gatewayWith(t);
  for (const [username, password] of [
    ["Zo\u00eb", "p\u00e4ssw\u00f6rd: with colon"],
    ["Zoe\u0308", "pa\u0308sswo\u0308rd: with colon"],
  ] as const) {
    const { status } = await subject.request({
      headers: { authorization: basic(username, password) },
    });
    assert.equal(status, 200);
  }
  const latin1 = Buffer.from("Zo\u00eb:p\u00e4ssw\u00f6rd: with colon", "latin1").toString(
    "base64",
  );
  const { status } = await subject.request({ headers: { authorization: `Basic ${latin1}` } });
  assert.equal(status, 401);
});

test("basic-auth: whoever is not known is asked who it is", async (t) => {
  const subject = await gatewayWith(t, { realm: "metrics" });
  for (const [authorization, problem] of [
    [undefined, "authentication-required"],
    ["Bearer abc", "authentication-required"],
    ["Basic", "invalid-credentials"],
    ["Basic ", "invalid-credentials"],
    ["Basic %%%", "invalid-credentials"],
    [`Basic ${Buffer.from("mobile").toString("base64")}`, "invalid-credentials"],
    [basic("mobile", "correct\u0000horse"), "invalid-credentials"],
    [basic("mobile", "wrong horse"), "invalid-credentials"],
    [basic("mobile", ""), "invalid-credentials"],
    [basic("Mobile", "correct horse"), "invalid-credentials"],
    [basic("nobody", "correct horse"), "invalid-credentials"],
    [basic("x".repeat(2000), "correct horse"), "invalid-credentials"],
  ] as const) {
    const headers = authorization === undefined ? {} : { authorization };
    const response = await subject.request({ headers });
    assert.equal(response.status, 401, String(authorization));
    assert.equal(response.problem?.name, problem, String(authorization));
    assert.equal(response.headers["www-authenticate"], 'Basic realm="metrics", charset="UTF-8"');
    assert.equal(response.sent, undefined);
  }
});

test("basic-auth: two Authorization lines are no password", async (t) => {
  const subject = await gatewayWith(t);
  const right = basic("mobile", "correct horse");
  const { status } = await subject.request({ headers: { authorization: [right, right] } });
  assert.equal(status, 401);
});

test("basic-auth: forward leaves the password in", async (t) => {
  const subject = await gatewayWith(t, { forward: true });
  const authorization = basic("mobile", "correct horse");
  const { sent } = await subject.request({ headers: { authorization } });
  assert.equal(sent?.headers["authorization"], authorization);
});

test("basic-auth: a change of the password ends the old one, also where it was remembered", async (t) => {
  const subject = await gatewayWith(t);
  const headers = { authorization: basic("mobile", "correct horse") };
  assert.equal((await subject.request({ headers })).status, 200);
  const { gateway } = subject;
  await gateway.reload({
    consumers: { mobile: { basic: { password: "battery staple" } } },
    services: { service: "http://service.test" },
    routes: [{ name: "route", match: "/*", service: "service", policies: ["basic-auth"] }],
  });
  assert.equal((await gateway.request({ headers })).status, 401);
});

test("basic-auth: a pair that was right is looked up again once consumers have changed", async () => {
  const secret = await hashPassword("correct horse");
  const consumer = { name: "mobile", groups: [], roles: [], scopes: [], metadata: {}, plan: "" };
  const rest = { name: "", secret, expiresAtMs: Infinity, scopes: [] };
  const fake = {
    version: 1,
    isKnown: true,
    byName: () => consumer,
    find(): Credential | undefined {
      return this.isKnown ? { kind: "basic", consumer, ...rest } : undefined;
    },
  };
  const environment = testEnvironment(basicAuth, { consumers: fake });
  const policy = basicAuth.compileAuthenticator!(basicAuth.schema.parse({}), environment);
  const header = () => basic("mobile", "correct horse");
  const ask = async () => {
    const judgement = await policy.authenticate({
      header,
      request: { fields: { remove() {} } },
    } as never);
    return judgement instanceof Identity;
  };
  assert.equal(await ask(), true);
  fake.isKnown = false;
  assert.equal(await ask(), true, "remembered");
  fake.version++;
  assert.equal(await ask(), false);
  fake.isKnown = true;
  assert.equal(await ask(), false, "remembered as wrong");
  fake.version++;
  assert.equal(await ask(), true);
});

test("basic-auth: requests with one pair wait for one check, and later ones for none", async (t) => {
  const subject = await gatewayWith(t);
  const right = { authorization: basic("mobile", "correct horse") };
  const wrong = { authorization: basic("mobile", "wrong horse") };
  const together = Array.from({ length: 200 }, async () =>
    subject.gateway.request({ headers: right }),
  );
  const statuses = new Set((await Promise.all(together)).map(({ status }) => status));
  assert.deepEqual([...statuses], [200], "more than may wait for a check");
  const others = Array.from({ length: 200 }, async () =>
    subject.gateway.request({ headers: wrong }),
  );
  assert.deepEqual(
    new Set((await Promise.all(others)).map(({ status }) => status)),
    new Set([401]),
  );
});

test("basic-auth: more pairs than can be checked are answered 503, and known users still pass", async (t) => {
  const subject = await gatewayWith(t);
  const right = { authorization: basic("mobile", "correct horse") };
  assert.equal((await subject.request({ headers: right })).status, 200);
  const guesses = Array.from({ length: 70 }, async (_, index) =>
    subject.gateway.request({ headers: { authorization: basic("mobile", `guess ${index}`) } }),
  );
  assert.equal((await subject.gateway.request({ headers: right })).status, 200);
  const answers = await Promise.all(guesses);
  const busy = answers.filter(({ status }) => status === 503);
  assert.equal(busy.length, 6);
  assert.equal(busy[0]!.problem?.name, "too-many-password-checks");
  assert.equal(busy[0]!.headers["retry-after"], "2");
});

test("password checks: one after the other; an unknown user is compared as long as a known one", async () => {
  const compared: string[] = [];
  let running = 0;
  const checks = new PasswordChecks(async (password, hash) => {
    running++;
    assert.equal(running, 1);
    await new Promise(setImmediate);
    running--;
    compared.push(hash);
    return password === "right";
  });
  const answers = await Promise.all([
    checks.check("right", "hash a"),
    checks.check("right", undefined),
    checks.check("wrong", "hash b"),
    checks.check("right", undefined),
  ]);
  assert.deepEqual(answers, [true, false, false, false]);
  assert.deepEqual(compared, ["hash a", "hash a", "hash b", "hash b"]);
});

test("password checks: one that fails does not stop the others", async () => {
  let count = 0;
  const checks = new PasswordChecks(async () => {
    if (count++ === 0) throw new Error("no memory");
    return true;
  });
  await assert.rejects(checks.check("a", "hash"), /no memory/);
  assert.equal(await checks.check("a", "hash"), true);
  assert.equal(checks.isFull, false);
});

test("basic credentials: the first colon ends the user name, and broken ones are none", () => {
  const parse = (text: string) => parseBasic(Buffer.from(text).toString("base64"));
  assert.deepEqual(parse("a:b:c"), { username: "a", password: "b:c" });
  assert.deepEqual(parse(":"), { username: "", password: "" });
  for (const text of ["a", "", "a\n:b", "a:b\u007f"]) assert.equal(parse(text), undefined, text);
  for (const token of ["a b", "YTpi,", "YTp-", "=", "YTpi===", "/////w=="]) {
    assert.equal(parseBasic(token), undefined, token);
  }
  assert.equal(basicToken("BASIC  YTpi "), "YTpi");
  assert.equal(basicToken("Basically YTpi"), null);
});
