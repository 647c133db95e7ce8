import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import { definePolicy } from "../../policy/policy.ts";
import { section } from "../../policy/values/section.ts";
import { testGateway } from "../../testing/test-gateway.ts";
import { testPolicy, type TestPolicyRequest } from "../../testing/test-policy.ts";
import { HANG_UP, type FakeService } from "../../testing/fake-service.ts";
import body from "./body.ts";

type Options = z.input<typeof body.schema>;

const json = { "content-type": "application/json" };

async function asked(
  options: Options,
  request: TestPolicyRequest,
  service: FakeService = () => "",
) {
  await using subject = await testPolicy(body, options, { service });
  return await subject.request({ method: "POST", ...request });
}

/** What the service got of a request's body, or status and code of the refusal. */
async function sentOf(options: Options, content: string, headers = json): Promise<string> {
  const { sent, status, problem } = await asked(options, { body: content, headers });
  if (problem === undefined) return String(sent?.body);
  return `${status} ${problem.name} ${(problem as { code?: string }).code ?? ""}`.trim();
}

/** What the client got. */
async function answered(options: Options, answer: Awaited<ReturnType<FakeService & object>>) {
  return await asked(options, { method: "GET" }, () => answer);
}

test("body: a request's body reaches the service mapped, with its length", async () => {
  const options: Options = { request: [{ drop: "password" }, { rename: { name: "title" } }] };
  const { sent, results } = await asked(options, {
    body: '{"name":"x","password":"y","id":12345678901234567890}',
    headers: { ...json, "content-md5": "x", "content-digest": "sha-256=:x:" },
  });
  assert.equal(sent?.body.toString(), '{"id":12345678901234567890,"title":"x"}');
  assert.equal(sent?.headers["content-length"], "39");
  assert.equal(sent?.headers["content-type"], "application/json");
  assert.equal(sent?.headers["content-md5"], undefined);
  assert.equal(sent?.headers["content-digest"], undefined);
  assert.deepEqual(results, { mapped: 1 });
});

test("body: a response's body reaches the client mapped, its validator weakened", async () => {
  const headers = { ...json, etag: '"v1"', digest: "x", "accept-ranges": "bytes" };
  const response = await answered(
    { response: [{ filter: { names: "password" } }] },
    { headers, body: '{"users":[[{"id":1,"Password":"x"}]]}' },
  );
  assert.equal(response.body, '{"users":[[{"id":1}]]}');
  assert.equal(response.headers["etag"], 'W/"v1"');
  assert.equal(response.headers["digest"], undefined);
  assert.equal(response.headers["accept-ranges"], undefined);
  assert.equal(response.headers["content-length"], "22");
});

test("body: services are asked for what can be mapped", async () => {
  const headers = { "accept-encoding": "gzip", range: "bytes=0-1", accept: "text/html" };
  const mapped = await asked({ response: { from: "xml", to: "json" } }, { method: "GET", headers });
  assert.equal(mapped.sent?.headers["accept-encoding"], "identity");
  assert.equal(mapped.sent?.headers["range"], undefined);
  assert.equal(mapped.sent?.headers["accept"], "application/xml, text/xml");
  const other = await asked({ request: [{ drop: "a" }] }, { method: "GET", headers });
  assert.equal(other.sent?.headers["accept-encoding"], "gzip");
});

test("body: XML becomes JSON and back", async () => {
  const options: Options = {
    request: { from: "json", to: "xml", xml: { root: "order" } },
    response: { from: "xml", to: "json", xml: { types: true }, steps: [{ unwrap: "result" }] },
  };
  const response = await asked(
    options,
    { body: '{"@id":7,"item":["a","b<c"]}', headers: json },
    () => ({ headers: { "content-type": "text/xml" }, body: "<result><ok>true</ok></result>" }),
  );
  assert.equal(
    response.sent?.body.toString(),
    '<?xml version="1.0" encoding="UTF-8"?>\n<order id="7"><item>a</item><item>b&lt;c</item></order>',
  );
  assert.equal(response.sent?.headers["content-type"], "application/xml; charset=utf-8");
  assert.equal(response.body, '{"ok":true}');
  assert.equal(response.headers["content-type"], "application/json");
});

test("body: XML is called what the service takes", async () => {
  const typeOf = async (contentType?: string): Promise<string | undefined> => {
    const xml = contentType === undefined ? {} : { contentType };
    const { sent } = await asked(
      { request: { to: "xml", xml } },
      { body: '{"a":1}', headers: json },
    );
    return sent?.headers["content-type"];
  };
  assert.equal(await typeOf(), "application/xml; charset=utf-8");
  assert.equal(await typeOf("text/xml"), "text/xml; charset=utf-8");
  const soap = 'application/soap+xml; charset=utf-8; action="urn:a"';
  assert.equal(await typeOf(soap), soap);
});

test("body: forms become JSON", async () => {
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const options: Options = { request: { from: "form", to: "json", form: { brackets: true } } };
  assert.equal(await sentOf(options, "a=1&b[c]=x+y", form), '{"a":"1","b":{"c":"x y"}}');
});

test("body: requests that are not what they say are refused", async () => {
  const options: Options = { request: { steps: [{ drop: "a" }], bytesMax: 30 } };
  assert.equal(await sentOf(options, "{"), "400 malformed-body not-json");
  assert.equal(await sentOf(options, '{"a":1,"a":2}'), "400 malformed-body doubled-name");
  assert.equal(await sentOf(options, JSON.stringify("x".repeat(40))), "413 body-over-limit");
  const utf16 = { "content-type": "application/json; charset=utf-16" };
  assert.equal(await sentOf(options, "{}", utf16), "415 unsupported-body charset");
  const toXml: Options = { request: { to: "xml" } };
  assert.equal(await sentOf(toXml, '{"a b":1,"c":2}'), "422 unmappable-body xml-name");
});

test("body: malformed ones pass where that is wished, and others are refused where that is", async () => {
  const steps = [{ drop: "a" }];
  const text = { "content-type": "text/plain" };
  assert.equal(await sentOf({ request: { steps, malformed: "pass" } }, "{"), "{");
  assert.equal(await sentOf({ request: { steps } }, "{}", text), "{}");
  const refuse: Options = { request: { steps, others: "refuse" } };
  assert.equal(await sentOf(refuse, "{}", text), "415 unsupported-body");
  assert.equal(await sentOf(refuse, '{"a":1}'), "{}");
  const gzip = { ...json, "content-encoding": "gzip" };
  assert.equal(await sentOf({ request: { steps } }, "{}", gzip), "415 unsupported-body encoded");
  const lenient: Options = { request: { steps, malformed: "pass" } };
  assert.equal(await sentOf(lenient, '{"a":1}', gzip), '{"a":1}');
  const doubled = { "content-type": ["application/json", "text/plain"] } as never;
  assert.equal(await sentOf(refuse, '{"a":1}', doubled), "415 unsupported-body");
});

test("body: a request without a body, or with an empty one, passes", async () => {
  const options: Options = { request: { steps: [{ set: { a: 1 } }], others: "refuse" } };
  const none = await asked(options, { method: "GET" });
  assert.equal(none.status, 200);
  const empty = await asked(options, { body: "", headers: { ...json, "content-length": "0" } });
  assert.equal(empty.status, 200);
});

test("body: responses that cannot be mapped are 502, and nothing of them gets out", async () => {
  const steps = [{ filter: { names: "password" } }];
  const codeOf = async (options: Options, answer: object): Promise<string> => {
    const { status, problem, body: text } = await answered(options, answer);
    assert.ok(!text.includes("hunter2"));
    return `${status} ${problem?.name} ${(problem as { code?: string }).code}`;
  };
  const broken = { headers: json, body: '{"password":"hunter2"' };
  assert.equal(await codeOf({ response: steps }, broken), "502 unmappable-response not-json");
  const long = { headers: json, body: `{"password":"hunter2${"x".repeat(2000)}"}` };
  const small: Options = { response: { steps, bytesMax: "1kb" } };
  assert.equal(await codeOf(small, long), "502 unmappable-response too-large");
  const zipped = { headers: { ...json, "content-encoding": "gzip" }, body: "hunter2" };
  assert.equal(await codeOf({ response: steps }, zipped), "502 unmappable-response encoded");
  const strict: Options = { response: { steps, others: "refuse" } };
  const text = { headers: { "content-type": "text/plain" }, body: "hunter2" };
  assert.equal(await codeOf(strict, text), "502 unmappable-response unsupported");
  const part = {
    status: 206,
    headers: { ...json, "content-range": "bytes 0-6/9" },
    body: "hunter2",
  };
  assert.equal(await codeOf({ response: steps }, part), "502 unmappable-response encoded");
});

test("body: responses of other statuses pass, unless they are named", async () => {
  const answer = { status: 404, headers: json, body: '{"a":1,"b":2}' };
  const steps = [{ drop: "a" }];
  assert.equal((await answered({ response: steps }, answer)).body, '{"a":1,"b":2}');
  const named = await answered({ response: { steps, statuses: ["2xx", "404"] } }, answer);
  assert.equal(named.body, '{"b":2}');
  const headers = { "content-type": "application/problem+json" };
  const problem = { status: 404, headers, body: '{"title":"None","trace":"at /srv"}' };
  const picked = await answered(
    { response: { steps: [{ drop: "trace" }], statuses: "4xx" } },
    problem,
  );
  assert.deepEqual([picked.body, picked.problem?.name], ['{"title":"None"}', "about:blank"]);
});

test("body: what the gateway says itself is not mapped, nor refused", async () => {
  const options: Options = {
    response: { from: "xml", to: "json", statuses: ["2xx", "5xx"], others: "refuse" },
  };
  const { problem, results } = await asked(options, {}, () => HANG_UP);
  assert.notEqual(problem?.name, "unmappable-response");
  assert.deepEqual(results, {});
  const theirs = await answered(options, { status: 502, headers: json, body: "{}" });
  assert.equal(theirs.problem?.name, "unmappable-response");
});

test("body: an answer to HEAD says what one to GET would, but for its length", async () => {
  const response = await asked(
    { response: { from: "xml", to: "json" } },
    { method: "HEAD" },
    () => ({
      headers: { "content-type": "text/xml", "content-length": "99", etag: '"a"' },
    }),
  );
  assert.equal(response.headers["content-type"], "application/json");
  assert.equal(response.headers["content-length"], undefined);
  assert.equal(response.headers["etag"], 'W/"a"');
});

test("body: options that do nothing, or make no sense, are mistakes", () => {
  const messages = (options: Options): string[] => {
    return body.check!(body.schema.parse(options), {} as never).map(({ message }) => message);
  };
  assert.deepEqual(messages({}), ["nothing is done"]);
  assert.deepEqual(messages({ request: [] }), ["nothing is done"]);
  assert.deepEqual(messages({ request: { to: "xml" } }), []);
  assert.match(messages({ request: { to: "text" } })[0]!, /has no text/);
  assert.match(messages({ request: { to: "text", text: { template: "{#a}" } } })[0]!, /not ended/);
  assert.match(messages({ request: { to: "xml", text: { template: "a" } } })[0]!, /nothing makes/);
  assert.match(messages({ request: [{ jsonata: "a[" }] })[0]!, /no.* JSONata program/);
  assert.match(messages({ request: [{ set: { a: "{response.status}" } }] })[0]!, /response/);
  assert.match(messages({ request: [{ move: { "a[].b": "c" } }] })[0]!, /cannot be moved/);
  assert.match(messages({ response: { to: "xml", xml: { root: "1" } } })[0]!, /no name in XML/);
  for (const wrong of [{ request: [{ drop: "a..b" }] }, { request: { from: "yaml" } }]) {
    assert.equal(body.schema.safeParse(wrong).success, false);
  }
});

test("body: texts that are set are templates, and a value that is missing sets nothing", async () => {
  const set = {
    by: "{request.headers.x-user}",
    town: "{request.headers.x-town}",
    old: "{request.headers.x-old}",
    none: "{request.query.q}",
    path: "at {request.path}",
  };
  const options: Options = { request: [{ set }, { default: { "list[].x": 1, kind: "{{a}}" } }] };
  const headers = {
    ...json,
    "x-user": 'an"na\\',
    "x-town": "K\u00c3\u00b6ln",
    "x-old": "K\u00f6ln",
  };
  const { sent } = await asked(options, { path: "/a", body: "{}", headers });
  assert.deepEqual(JSON.parse(String(sent?.body)), {
    by: 'an"na\\',
    town: "Köln",
    old: "Köln",
    path: "at /a",
    kind: "{a}",
  });
});

test("body: a JSONata program sees the body, the request and the caller", async () => {
  const program = `{
    "sum": $sum(items.price), "who": $identity.subject, "q": $request.query.q, "method": $request.method
  }`;
  const { sent } = await asked(
    { request: [{ drop: "items[].x" }, { jsonata: program }, { wrap: "order" }] },
    {
      path: "/a?q=1",
      body: '{"items":[{"price":1},{"price":2.5,"x":1}]}',
      headers: json,
      identity: { method: "test", subject: "anna" },
    },
  );
  const order = { sum: 3.5, who: "anna", q: "1", method: "POST" };
  assert.deepEqual(JSON.parse(String(sent?.body)), { order });
  const bad = await sentOf({ request: [{ jsonata: "a + 1" }] }, '{"a":"x"}');
  assert.equal(bad, "422 unmappable-body program-failed");
});

test("body: the log says why a program failed, without the body, and not for each request", async () => {
  await using subject = await testPolicy(
    body,
    { request: [{ jsonata: "$number(a)" }] },
    { service: () => "" },
  );
  const ask = async () => {
    const content = '{"a":"hunter2"}';
    assert.equal(
      (await subject.request({ method: "POST", headers: json, body: content })).status,
      422,
    );
  };
  await ask();
  await ask();
  subject.gateway.clock.advance("10s");
  await ask();
  const told = subject.gateway.log.filter(({ message }) => message === "a JSONata program failed");
  assert.deepEqual(
    told.map(({ code, reason, count }) => [code, reason, count]),
    [
      ["program-failed", "D3030 at column 8", 1],
      ["program-failed", "D3030 at column 8", 2],
    ],
  );
  assert.ok(!JSON.stringify(told).includes("hunter2"));
});

test("body: a policy above learns what the client takes, though the service does not", async () => {
  const told: (string | undefined)[] = [];
  const above = definePolicy({
    name: "above",
    summary: "Reads what clients take.",
    schema: section({}).prefault({}),
    compile: () => ({
      onResponse: (exchange) => void told.push(exchange.header("accept-encoding")),
    }),
  });
  await using gateway = await testGateway(
    {
      services: { users: "http://users.test" },
      routes: [
        {
          match: "/*",
          service: "users",
          policies: ["above", { body: { response: [{ drop: "a" }] } }],
        },
      ],
    },
    {
      policies: [above],
      services: { users: ({ headers }) => ({ body: { sent: headers["accept-encoding"] ?? "" } }) },
    },
  );
  const { body: text } = await gateway.request({ headers: { "accept-encoding": "br" } });
  assert.equal(text, '{"sent":"identity"}');
  await gateway.request({});
  assert.deepEqual(told, ["br", undefined]);
});

test("body: a template makes plain text of a body", async () => {
  const template = "ORD|{id}\n{#items}LIN|{sku}|{n}\n{/}END\n";
  const options: Options = { request: { to: "text", text: { template } } };
  const content = '{"id":7,"items":[{"sku":"a","n":1},{"sku":"b","n":2}]}';
  const { sent } = await asked(options, { body: content, headers: json });
  assert.equal(String(sent?.body), "ORD|7\nLIN|a|1\nLIN|b|2\nEND\n");
  assert.equal(sent?.headers["content-type"], "text/plain; charset=utf-8");
  const xml = { template: "<a>{a}</a>", contentType: "application/xml" };
  assert.equal(await sentOf({ request: { to: "text", text: xml } }, '{"a":"<"}'), "<a>&#60;</a>");
});

test("body: where too many bodies wait for programs, further ones are told to come again", async () => {
  for (const direction of ["request", "response"] as const) {
    await using subject = await testPolicy(
      body,
      { [direction]: [{ jsonata: "a" }] },
      { service: () => ({ body: { a: 1 } }) },
    );
    const request: TestPolicyRequest = { method: "POST", headers: json, body: '{"a":1}' };
    const answers = await Promise.all(Array.from({ length: 260 }, () => subject.request(request)));
    const refused = answers.filter(({ status }) => status === 503);
    assert.equal(refused.length, 3, direction);
    assert.equal(refused[0]!.problem?.name, "programs-busy");
    assert.equal(refused[0]!.headers["retry-after"], "1");
    assert.equal(answers.filter(({ status }) => status === 200).length, 257);
  }
});
