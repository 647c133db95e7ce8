import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import { runPolicy, type PolicyScene } from "../../../test/support/policy-run.ts";
import type { OptionMistake } from "../../policy/policy.ts";
import { testPolicy } from "../../testing/index.ts";
import headers from "./headers.ts";

type Options = NonNullable<z.input<typeof headers.schema>>;

async function sent(request: Options["request"], scene: PolicyScene = {}): Promise<string[]> {
  return (await runPolicy(headers, { request }, scene)).sent;
}

async function answered(response: Options["response"], scene: PolicyScene = {}): Promise<string[]> {
  return (await runPolicy(headers, { response }, scene)).answered;
}

test("headers: set replaces every line, of whatever spelling", async () => {
  const lines = { "X-A": ["1", "2"], x_a: "3", "X.A": "4", "x-b": "5" };
  assert.deepEqual(await sent({ set: { "X-A": "new" } }, { headers: lines }), [
    "x-b: 5",
    "x-a: new",
  ]);
});

test("headers: what a value has to be made of is not there: the client's own is gone all the same", async () => {
  const set = { "x-tenant": "{request.query.tenant}" };
  const forged = { "x-tenant": "admin" };
  assert.deepEqual(await sent({ set }, { headers: forged }), []);
  assert.deepEqual(await sent({ set }, { headers: forged, target: "/?tenant=%20" }), []);
  assert.deepEqual(await sent({ set }, { headers: forged, target: "/?tenant=a" }), ["x-tenant: a"]);
});

test("headers: add leaves what is there, and adds each of several", async () => {
  const add = { "x-a": ["{request.method}", "{request.headers.x-none}", "2"], "x-b": "b" };
  assert.deepEqual(await sent({ add }, { headers: { "X-A": "0" } }), [
    "x-a: 0",
    "x-a: GET",
    "x-a: 2",
    "x-b: b",
  ]);
});

test("headers: default is for what is missing", async () => {
  const request = { default: { "x-a": "{request.path}", "x-b": "b" } };
  assert.deepEqual(await sent(request, { headers: { "X-A": "0" } }), ["x-a: 0", "x-b: b"]);
});

test("headers: remove takes names and beginnings of names, in any spelling, also what policies set", async () => {
  const lines = {
    "X-Debug": "1",
    x_debug: "2",
    "x-debugger": "3",
    "X-Internal-A": "4",
    x_internal_b: "5",
    "x-internal": "6",
  };
  assert.deepEqual(await sent({ remove: ["X-Debug", "x-internal-*"] }, { headers: lines }), [
    "x-debugger: 3",
    "x-internal: 6",
  ]);
  const before = { "x-internal-a": "a", "x-internal-b": "b", "x-kept": "c" };
  const run = await testPolicy(
    headers,
    { request: { remove: "x-internal-*" } },
    {
      document: { policies: [{ headers: { request: { set: before } } }] },
    },
  );
  const { sent: call } = await run.request();
  await run.close();
  const names = Object.keys(call!.headers).filter((name) => name.startsWith("x-"));
  assert.deepEqual(
    names.filter((name) => !name.startsWith("x-forwarded")),
    ["x-kept"],
  );
});

test("headers: rename takes each line along, and replaces what bore the name", async () => {
  const request = { rename: { "X-Old": "X-New" } };
  const lines = { "x-old": ["1", "2"], "X-New": "3" };
  assert.deepEqual(await sent(request, { headers: lines }), ["x-new: 1", "x-new: 2"]);
  assert.deepEqual(await sent(request, { headers: { "x-new": "3" } }), ["x-new: 3"]);
});

test("headers: removing, renaming, giving, setting and adding come in this order, of values as they came", async () => {
  const request: Options["request"] = {
    add: { "x-new": "{request.headers.x-gone}" },
    set: { "x-was": "{request.headers.x-new|nothing}" },
    default: { "x-new": "not needed", "x-gone": "given" },
    rename: { "x-old": "x-new" },
    remove: "x-gone",
  };
  assert.deepEqual(await sent(request, { headers: { "x-old": "old", "x-gone": "gone" } }), [
    "x-new: old",
    "x-gone: given",
    "x-was: nothing",
    "x-new: gone",
  ]);
});

test("headers: responses are changed likewise, knowing their status, and only those that are meant", async () => {
  const responseHeaders = { Server: "x", "X-Powered-By": "php", ETag: '"1"' };
  const response: Options["response"] = {
    remove: ["server", "x-powered-*"],
    set: { "x-status": "{response.status} {response.headers.etag}" },
  };
  assert.deepEqual(await answered(response, { responseHeaders, status: 201 }), [
    'etag: "1"',
    'x-status: 201 "1"',
  ]);
  const errors = { set: { "cache-control": "no-store" }, status: [404, "5xx"] };
  for (const [status, expected] of [
    [200, []],
    [404, ["cache-control: no-store"]],
    [503, ["cache-control: no-store"]],
  ] as const) {
    assert.deepEqual(await answered(errors, { status }), expected);
  }
});

test("headers: a line break in what the client says makes no line", async () => {
  const set = { "x-q": "{request.query.q}" };
  assert.deepEqual(await sent({ set }, { target: "/?q=a%0d%0aX-Admin:%20yes%c4%8a" }), [
    "x-q: a%0D%0AX-Admin: yes%C4%8A",
  ]);
});

for (const protocol of ["HTTP/1.1", "HTTP/2"] as const) {
  test(`headers: ${protocol}: both sides of a whole exchange, of a caller who is known`, async () => {
    const options: Options = {
      request: { set: { "x-tenant": "{identity.claims.tenant}" }, remove: "x-internal-*" },
      response: {
        set: { "x-route": "{route}", "x-caller": "{identity.subject}" },
        remove: "server",
      },
    };
    await using subject = await testPolicy(headers, options, {
      service: () => ({ headers: { server: "secret" }, body: "fine" }),
    });
    const {
      status,
      headers: got,
      sent: call,
    } = await subject.request({
      protocol,
      headers: { "x-tenant": "forged", "x-internal-role": "admin" },
      identity: { method: "jwt", subject: "me", claims: { tenant: "acme" } },
    });
    assert.deepEqual([status, got["x-route"], got["x-caller"]], [200, "route", "me"]);
    assert.equal(got["server"], undefined);
    assert.equal(call!.headers["x-tenant"], "acme");
    assert.equal(call!.headers["x-internal-role"], undefined);
  });
}

test("headers: those that say where a message ends, and which way it came, are left alone", () => {
  const wrong: [Options, RegExp][] = [
    [{ request: { set: { "Content-Length": "1" } } }, /Content-Length cannot be changed/],
    [{ request: { set: { host: "a" } } }, /host cannot be changed/],
    [{ request: { add: { "transfer-encoding": "chunked" } } }, /cannot be changed/],
    [{ response: { remove: "connection" } }, /connection cannot be changed/],
    [{ request: { remove: "x-forwarded-for" } }, /x-forwarded-for cannot be changed/],
    [{ request: { rename: { "x-a": "Forwarded" } } }, /Forwarded cannot be changed/],
    [{ request: { remove: "x-for*" } }, /would take x-forwarded-for/],
    [{ request: { remove: "*" } }, /would take every header/],
    [{ request: { rename: { "x-old-*": "x-new" } } }, /a \* in a name/],
    [{ request: { remove: "x-*-a" } }, /a \* within a name/],
    [{ request: { set: { "a b": "1" } } }, /not a header name/],
    [{ request: { set: { "x-a": "{response.status}" } } }, /no response yet/],
    [{ response: { status: "6xx" } }, /not a status/],
  ];
  for (const [options, message] of wrong) {
    const { error } = headers.schema.safeParse(options);
    assert.match(JSON.stringify(error?.issues), message);
  }
});

function mistakes(options: Options): string[] {
  const surroundings = { identityHeaders: ["x-consumer"] } as never;
  const found: readonly OptionMistake[] = headers.check!(
    headers.schema.parse(options),
    surroundings,
  );
  return found.map(({ path = [], message }) => `${path.join(".")}: ${message}`);
}

test("headers: changes that contradict each other are mistakes", () => {
  assert.deepEqual(mistakes({}), [": there are no changes"]);
  assert.deepEqual(mistakes({ response: { remove: "y-*", set: { "y-a": "1" } } }), [
    "response.set.y-a: y-a is removed and set",
  ]);
  assert.deepEqual(mistakes({ request: { default: { a: "1" }, set: { a: "2" } } }), [
    "request.default.a: a is set, so it is never missing",
  ]);
  assert.deepEqual(mistakes({ request: { rename: { a: "b", b: "c", d: "d", e: "c" } } }), [
    "request.rename.a: b is renamed itself",
    "request.rename.b: several headers become c",
    "request.rename.d: d keeps its name",
    "request.rename.e: several headers become c",
  ]);
  assert.deepEqual(mistakes({ request: { rename: { a: "b" }, set: { b: "1" } } }), [
    "request.rename.a: b is set, so nothing of a is left",
  ]);
});

test("headers: what tells services who is calling is the gateway's to say", () => {
  const options: Options = {
    request: { set: { "X-Consumer": "a" }, add: { x_consumer: "b" }, rename: { a: "x.consumer" } },
  };
  assert.deepEqual(
    mistakes(options).map((mistake) => mistake.slice(0, 26)),
    ["request.set.x-consumer: x-", "request.add.x_consumer: x_", "request.rename.a: x.consum"],
  );
  assert.deepEqual(mistakes({ response: { set: { "X-Consumer": "{identity.subject}" } } }), []);
});

test("headers: a request's header of the caller needs one, a response's does not", () => {
  const needs = (options: Options) => headers.needs!(headers.schema.parse(options));
  assert.deepEqual(needs({ request: { add: { a: ["x", "{identity.subject}"] } } }), ["identity"]);
  assert.deepEqual(needs({ response: { set: { a: "{identity.subject}" } } }), []);
});
