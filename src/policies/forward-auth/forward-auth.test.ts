import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import { Fault, faults } from "../../base/faults.ts";
import { authenticatorHooks } from "../../policy/authenticator.ts";
import type { Authenticator } from "../../policy/authenticator.ts";
import { anyOf } from "../../policy/any-of.ts";
import type { Consumer } from "../../policy/consumers.ts";
import { Identity } from "../../policy/identity.ts";
import { definePolicy } from "../../policy/policy.ts";
import type { Reply } from "../../policy/reply.ts";
import type { ServiceAnswer, ServiceRequest } from "../../policy/service-call.ts";
import { TestClock } from "../../testing/test-clock.ts";
import { testEnvironment } from "../../testing/test-environment.ts";
import { runPolicy } from "../../../test/support/policy-run.ts";
import type { PolicyScene } from "../../../test/support/policy-run.ts";
import forwardAuth from "./forward-auth.ts";

type Options = Partial<z.input<typeof forwardAuth.schema>>;

function answerOf(
  status: number,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
  body = "",
): ServiceAnswer {
  const lines = Object.entries(headers).flatMap(([name, value]) => {
    return [value].flat().map((one) => [name, one] as const);
  });
  return {
    status,
    header: (name) => {
      const values = lines.filter(([of]) => of === name).map(([, value]) => value);
      return values.length === 0 ? undefined : values.join(", ");
    },
    each: (visit) => {
      for (const [name, value] of lines) visit(name, value);
    },
    body: Buffer.from(body),
  };
}

const partner: Consumer = {
  name: "partner",
  groups: ["partners"],
  roles: [],
  scopes: [],
  metadata: {},
  plan: "",
};

/** What the service answers: always the same, or what comes to its mind. */
type Service = ServiceAnswer | ((request: ServiceRequest) => Promise<ServiceAnswer>);

function environmentWith(service: Service, clock = new TestClock()) {
  const asked: ServiceRequest[] = [];
  return {
    asked,
    clock,
    consumers: {
      version: 0,
      byName: (name: string) => (name === "partner" ? partner : undefined),
      find: () => undefined,
    },
    call: async (name: string, request: ServiceRequest) => {
      assert.equal(name, "auth");
      asked.push(request);
      return await Promise.resolve(typeof service === "function" ? service(request) : service);
    },
  };
}

async function run(options: Options, service: Service, scene: PolicyScene = {}) {
  const environment = environmentWith(service);
  const { asked, ...surroundings } = environment;
  const result = await runPolicy(
    forwardAuth,
    { service: "auth", ...options },
    { ...scene, environment: surroundings },
  );
  return { ...result, asked };
}

function headersOf(request: ServiceRequest): Record<string, string> {
  return Object.fromEntries(request.headers ?? []);
}

const fails = (fault: Fault) => () => Promise.reject<ServiceAnswer>(fault);

test("forward-auth: the service is told of the request what it has to judge, and no more", async () => {
  const { asked, verdict, exchange } = await run({ path: "/verify?x=1" }, answerOf(200), {
    method: "DELETE",
    target: "/a/../users/7?q=1",
    headers: {
      authorization: "Bearer t",
      cookie: "s=1",
      "x-secret": "s",
      "x-forwarded-uri": "/public",
      "user-agent": "tests",
    },
  });
  assert.equal(verdict, undefined);
  assert.equal(asked.length, 1);
  const { method, target, within, timeoutMs, bytesMax } = asked[0]!;
  assert.equal(method, "GET");
  assert.equal(target, "/verify?x=1");
  assert.equal(within, exchange);
  assert.equal(timeoutMs, 5000);
  assert.equal(bytesMax, 65_536);
  assert.deepEqual(headersOf(asked[0]!), {
    "x-forwarded-method": "DELETE",
    "x-forwarded-proto": "http",
    "x-forwarded-host": "a.example",
    "x-forwarded-uri": "/users/7?q=1",
    "x-forwarded-for": "192.0.2.1",
    "x-request-id": exchange.requestId,
    authorization: "Bearer t",
    cookie: "s=1",
  });
});

test("forward-auth: chosen headers go to the service, or all but those that are the gateway's own", async () => {
  const headers = {
    "X-Api-Key": "k",
    "X-Other": "o",
    X_Forwarded_Uri: "/public",
    "x-forwarded-method": "GET",
    "Content-Type": "text/plain",
  };
  const chosen = await run({ requestHeaders: "x-api-key" }, answerOf(200), { headers });
  assert.equal(headersOf(chosen.asked[0]!)["x-api-key"], "k");
  assert.equal(headersOf(chosen.asked[0]!)["x-other"], undefined);
  const all = await run({ requestHeaders: "*" }, answerOf(200), { headers });
  const sent = all.asked[0]!.headers!;
  assert.equal(headersOf(all.asked[0]!)["x-other"], "o");
  assert.equal(sent.filter(([name]) => /forwarded.uri/.test(name)).length, 1);
  assert.equal(sent.filter(([name]) => name === "x-forwarded-method").length, 1);
  assert.equal(headersOf(all.asked[0]!)["content-type"], undefined);
});

test("forward-auth: an acceptance says who is calling", async () => {
  const identity = {
    subject: "remote-user",
    consumer: "x-consumer",
    groups: "remote-groups",
    roles: "x-roles",
    scopes: "x-scopes",
  };
  const answer = answerOf(204, {
    "remote-user": "ann",
    "x-consumer": "partner",
    "remote-groups": "staff, ops",
    "x-scopes": "read write",
  });
  const { exchange, verdict } = await run({ identity }, answer);
  assert.equal(verdict, undefined);
  const { subject, consumer, groups, roles, scopes, method } = exchange.identity!;
  assert.equal(method, "forward-auth");
  assert.equal(subject, "ann");
  assert.equal(consumer, partner);
  assert.deepEqual(groups, ["staff", "ops", "partners"]);
  assert.deepEqual(roles, []);
  assert.deepEqual(scopes, ["read", "write"]);
});

test("forward-auth: a consumer that the gateway does not know is refused", async () => {
  const options = { identity: { consumer: "x-consumer" } };
  const { verdict } = await run(options, answerOf(200, { "x-consumer": "stranger" }));
  assert.ok(verdict instanceof Fault);
  assert.equal(verdict.status, 403);
  assert.equal(verdict.code, "unknown-consumer");
});

test("forward-auth: the request takes on what the service says, never what a client says in its place", async () => {
  const options = { upstreamHeaders: ["X-User", "x-user-mail"] };
  const headers = {
    "x-user": "root",
    X_User: "root",
    "X.User": "root",
    "X-USER-MAIL": "root@example.com",
    x_user_mail: "root@example.com",
    "x-username": "kept",
  };
  const { sent } = await run(options, answerOf(200, { "x-user": "ann" }), { headers });
  assert.deepEqual(sent, ["x-username: kept", "x-user: ann"]);
});

test("forward-auth: where another authenticator has accepted the caller, claims are removed all the same", async () => {
  const settings = forwardAuth.schema.parse({ service: "auth", upstreamHeaders: "x-user" });
  const key: Authenticator = {
    challenge: "",
    authenticate: () => new Identity({ method: "key", subject: "k" }),
  };
  const combined = definePolicy({
    ...forwardAuth,
    name: "combined",
    compile: (_options, environment) => {
      const asking = forwardAuth.compileAuthenticator!(settings, environment);
      return authenticatorHooks(anyOf([key, asking]));
    },
  });
  const { asked, ...surroundings } = environmentWith(answerOf(200));
  const headers = { "x-user": "root" };
  const scene = { headers, environment: surroundings };
  const { sent } = await runPolicy(combined, { service: "auth" }, scene);
  assert.deepEqual(sent, []);
  assert.equal(asked.length, 0);
});

for (const status of [401, 302, 307, 403, 429]) {
  test(`forward-auth: a ${status} is what the client gets, with the headers that are for it`, async () => {
    const answer = answerOf(
      status,
      {
        location: "https://login.example/",
        "www-authenticate": "Bearer",
        "set-cookie": ["a=1, b", "c=2"],
        "content-type": "text/html",
        "x-internal": "secret",
        server: "auth",
      },
      "<p>Who are you?",
    );
    const { verdict, exchange } = await run({}, answer);
    const { headers, body } = verdict as Reply;
    assert.equal((verdict as Reply).status, status);
    assert.equal(body.toString(), "<p>Who are you?");
    assert.deepEqual(headers, {
      location: "https://login.example/",
      "www-authenticate": "Bearer",
      "content-type": "text/html",
    });
    assert.equal(exchange.identity, null);
  });
}

test("forward-auth: cookies of an answer reach the client line by line, of an acceptance where that is wanted", async () => {
  const sets = { "set-cookie": ["a=1; Expires=Thu, 01 Jan 2026 00:00:00 GMT", "b=2"] };
  const silent = await run({}, answerOf(200, sets));
  assert.deepEqual(silent.answered, []);
  const told = await run({ cookies: true }, answerOf(200, sets));
  assert.deepEqual(
    told.answered,
    sets["set-cookie"].map((value) => `set-cookie: ${value}`),
  );
});

test("forward-auth: while the service gives no answer requests are refused, or pass as nobody's", async () => {
  const silences: Service[] = [
    fails(faults["connect-failed"]),
    fails(faults["total-timeout"]),
    fails(faults["answer-too-large"]),
    answerOf(500),
    answerOf(503),
    answerOf(404),
    answerOf(304),
  ];
  for (const silence of silences) {
    const denied = await run({}, silence);
    assert.ok(denied.verdict instanceof Fault);
    assert.equal(denied.verdict.name, "auth-service-unavailable");
    assert.equal(denied.verdict.detail, "");
    const headers = { "x-user": "root" };
    const options = { whenAway: "allow", upstreamHeaders: "x-user" } as const;
    const allowed = await run(options, silence, { headers });
    assert.equal(allowed.verdict, undefined);
    assert.equal(allowed.exchange.identity, null);
    assert.deepEqual(allowed.sent, []);
  }
});

test("forward-auth: a refusal is none of silence's, whatever silence allows", async () => {
  const { verdict } = await run({ whenAway: "allow" }, answerOf(401));
  assert.equal((verdict as Reply).status, 401);
});

test("forward-auth: a question that is called off is no silence", async () => {
  await assert.rejects(run({ whenAway: "allow" }, fails(faults["client-gone"])));
});

/** Requests in turn past one use of the policy; how many questions there were after each. */
async function askedAfter(
  options: Options,
  service: Service,
  scenes: readonly (PolicyScene | "later")[],
): Promise<number[]> {
  const environment = environmentWith(service);
  const { asked, clock, ...surroundings } = environment;
  const settings = forwardAuth.schema.parse({ service: "auth", ...options });
  const hooks = forwardAuth.compile(
    settings,
    testEnvironment(forwardAuth, { ...surroundings, clock }),
  );
  const same = definePolicy({ ...forwardAuth, compile: () => hooks });
  const counts: number[] = [];
  for (const scene of scenes) {
    if (scene === "later") clock.advance(10_000);
    else await runPolicy(same, { service: "auth" }, scene);
    counts.push(asked.length);
  }
  return counts;
}

const ann = { headers: { authorization: "ann" } };
const bob = { headers: { authorization: "bob" } };

test("forward-auth: an acceptance holds for the same caller and request, until its time is over", async () => {
  const scenes = [
    ann,
    ann,
    bob,
    { ...ann, target: "/b" },
    { ...ann, method: "PUT" },
    { ...ann, target: "/?q" },
    ann,
    "later" as const,
    ann,
  ];
  const counts = await askedAfter({ cache: {} }, answerOf(200), scenes);
  assert.deepEqual(counts, [1, 1, 2, 3, 4, 5, 5, 5, 6]);
});

test("forward-auth: where the caller alone counts, an acceptance holds for all it asks", async () => {
  const scenes = [ann, { ...ann, target: "/b" }, { ...ann, method: "PUT" }, bob, {}];
  const counts = await askedAfter({ cache: { scope: "caller" } }, answerOf(200), scenes);
  assert.deepEqual(counts, [1, 1, 1, 2, 3]);
});

test("forward-auth: refusals, and what sets a cookie or must not be stored, are not remembered", async () => {
  for (const answer of [
    answerOf(401),
    answerOf(403),
    answerOf(500),
    answerOf(200, { "set-cookie": "s=2" }),
    answerOf(200, { "cache-control": "private, No-Store" }),
  ]) {
    assert.deepEqual(await askedAfter({ cache: {} }, answer, [ann, ann]), [1, 2]);
  }
});

function mistakesOf(options: Options): string[] {
  const surroundings = {
    place: "route" as const,
    earlier: [],
    services: ["auth", "users"],
    consumers: [],
    plans: [],
    hasRedis: false,
  };
  const settings = forwardAuth.schema.parse({ service: "auth", ...options });
  return forwardAuth.check!(settings, surroundings).map(({ message }) => message);
}

test("forward-auth: a service that there is not, and callers that would share acceptances, are refused", () => {
  assert.deepEqual(mistakesOf({}), []);
  assert.deepEqual(mistakesOf({ cache: {} }), []);
  assert.deepEqual(mistakesOf({ service: "aut" }), ['no service named "aut"']);
  assert.equal(mistakesOf({ cache: { by: "authorization" } }).length, 1);
  assert.equal(mistakesOf({ requestHeaders: "*", cache: {} }).length, 1);
  assert.equal(mistakesOf({ requestHeaders: ["x-api-key"], cache: { by: [] } }).length, 1);
  assert.equal(mistakesOf({ upstreamHeaders: "*" }).length, 1);
  const harmless = { requestHeaders: ["cookie", "accept"], cache: { by: "cookie" } };
  assert.deepEqual(mistakesOf(harmless), []);
});

test("forward-auth: what is no path, and headers that frame a message, are refused", () => {
  for (const options of [
    { path: "verify" },
    { path: "/a b" },
    { path: "/a\r\nx: y" },
    { upstreamHeaders: "content-length" },
    { requestHeaders: "transfer-encoding" },
    { clientHeaders: "connection" },
  ]) {
    const { success } = forwardAuth.schema.safeParse({ service: "auth", ...options });
    assert.equal(success, false, JSON.stringify(options));
  }
});
