import assert from "node:assert/strict";
import { test } from "node:test";
import type { Config, ConfigInput } from "./config.ts";
import { knownPolicies } from "./known-policies.ts";
import { formatPath } from "./mistake.ts";
import { validate, writtenPath } from "./validate.ts";

function normalised(document: ConfigInput): Config {
  const { config, findings } = validate(structuredClone(document), knownPolicies);
  assert.ok(config !== undefined, findings.map(({ message }) => message).join("\n"));
  return config;
}

function sentences(document: unknown): string[] {
  return validate(document, knownPolicies).findings.map(
    ({ path, message }) => `${formatPath(path)}: ${message}`,
  );
}

const service = "http://127.0.0.1:3000";

test("normalising: an almost empty document has every default", () => {
  const config = normalised({});
  assert.deepEqual(config.listen, [
    { key: "0.0.0.0:8080", host: "0.0.0.0", port: 8080, http2: true, proxyProtocol: false },
  ]);
  assert.deepEqual(config.admin, { key: "127.0.0.1:9090", host: "127.0.0.1", port: 9090 });
  assert.equal(config.workers, "auto");
  assert.deepEqual(config.log, { level: "info", format: "auto", access: false });
  assert.equal(config.limits.headBytes, 32_768);
  assert.equal(config.limits.bodyBytes, 0);
  assert.equal(config.timeouts.headMs, 10_000);
  assert.deepEqual(config.forwarded, { mode: "x-forwarded" });
  assert.equal(config.via, true);
  assert.deepEqual([config.services, config.policies, config.routes], [{}, [], []]);
});

test("normalising: the result is plain data that survives a clone and JSON", () => {
  const config = normalised({
    services: { a: { targets: [service], balance: "sticky", timeout: "3s" } },
    routes: [{ match: "/a/*", service: "a", rewrite: "/*" }],
  });
  assert.deepEqual(structuredClone(config), config);
  assert.deepEqual(JSON.parse(JSON.stringify(config)), config);
});

test("normalising: each short form means the long one", () => {
  const pairs: readonly (readonly [ConfigInput, ConfigInput])[] = [
    [{ listen: 8081 }, { listen: [{ port: 8081 }] }],
    [{ listen: "[::1]:8081" }, { listen: { port: 8081, host: "::1" } }],
    [{ listen: "unix:/a.sock" }, { listen: { path: "/a.sock" } }],
    [{ admin: 9000 }, { admin: { port: 9000 } }],
    [{ admin: true }, {}],
    [{ log: { access: "a.log" } }, { log: { access: { file: "a.log" } } }],
    [{ log: { access: true } }, { log: { access: {} } }],
    [{ forwarded: "both" }, { forwarded: { mode: "both" } }],
    [{ trustedProxies: "10.0.0.1" }, { trustedProxies: ["10.0.0.1/32"] }],
    [{ services: { a: service } }, { services: { a: { targets: [{ url: service }] } } }],
    [
      { services: { a: { targets: [service], timeout: "3s" } } },
      { services: { a: { targets: [service], timeout: { response: "3s" } } } },
    ],
    [
      { services: { a: { targets: [service], balance: "hash" } } },
      { services: { a: { targets: [service], balance: { name: "hash", by: "client" } } } },
    ],
    [
      { services: { a: { targets: [service], retry: false } } },
      { services: { a: { targets: [service], retry: { attempts: 0 } } } },
    ],
    [
      { routes: [{ match: "GET,POST /a", redirect: "/b" }] },
      {
        routes: [
          { match: { methods: ["GET", "POST"], path: "/a" }, redirect: { to: "/b", status: 302 } },
        ],
      },
    ],
    [
      { policies: ["request-id"] },
      { policies: [{ "request-id": { header: "x-request-id", response: true } }] },
    ],
    [{ limits: { headerCount: "50" } }, { limits: { headerCount: 50 } }],
    [{ via: "false" }, { via: false }],
  ];
  for (const [short, long] of pairs) assert.deepEqual(normalised(short), normalised(long));
});

test("normalising: the path of a target becomes the service's", () => {
  const { services } = normalised({ services: { a: `${service}/v2/` } });
  assert.equal(services["a"]?.path, "/v2");
  assert.equal(services["a"]?.targets[0]?.url, service);
});

test("normalising: h2c targets make the service speak HTTP/2", () => {
  const { services } = normalised({ services: { a: "h2c://127.0.0.1:50051" } });
  assert.equal(services["a"]?.http2, true);
});

test("normalising: proxyProtocol true trusts the document's proxies", () => {
  const { listen } = normalised({
    listen: { port: 8080, proxyProtocol: true },
    trustedProxies: ["10.0.0.0/8"],
  });
  assert.deepEqual(listen[0]?.proxyProtocol, { trusted: ["10.0.0.0/8"] });
});

test("normalising: routes without a name get one, and no two the same", () => {
  const { routes } = normalised({
    routes: [
      { match: "GET /a", respond: {} },
      { match: { path: "/a", methods: ["GET"], headers: { x: "1" } }, respond: {} },
      { name: "mine", match: { path: "/b", hosts: "a.example.com" }, respond: {} },
    ],
  });
  assert.deepEqual(
    routes.map(({ name }) => name),
    ["GET /a", "GET /a #2", "mine"],
  );
});

test("normalising: a body that is a map is sent as JSON", () => {
  const { routes } = normalised({ routes: [{ match: "/", respond: { body: { ok: [1, null] } } }] });
  assert.deepEqual(routes[0]?.handler, {
    kind: "respond",
    status: 200,
    headers: { "content-type": "application/json" },
    body: '{"ok":[1,null]}',
  });
});

test("normalising: keys with everything commented out mean nothing", () => {
  const document = {
    policies: null,
    log: null,
    services: { a: { targets: [service], policies: null } },
    routes: [{ match: "/", service: "a", policies: [{ "request-id": null }] }],
  };
  const { config } = validate(document, knownPolicies);
  assert.deepEqual(config?.policies, []);
  assert.equal(config?.routes[0]?.policies[0]?.name, "request-id");
});

test("validating: what is no map is told so", () => {
  assert.deepEqual(sentences(null), [": the document is empty"]);
  assert.deepEqual(sentences([]), [
    ": expected a map of keys like services and routes, found a list",
  ]);
  assert.deepEqual(sentences("x"), [
    ': expected a map of keys like services and routes, found "x"',
  ]);
});

test("validating: rules between parts are held to while other parts are broken", () => {
  const found = sentences({
    listen: [8080, 8080],
    timeouts: { head: 10 },
    services: { a: service, b: 5 },
    routes: [
      { match: "GET /x", service: "c", timeout: 7 },
      { match: "/y", service: "a", rewrite: "/:id" },
      { match: "/y", service: "b" },
    ],
  });
  assert.deepEqual(found.map((one) => one.replace(/, such as .*/, "")).toSorted(), [
    "listen[1]: 0.0.0.0:8080 is taken by the listener 0.0.0.0:8080",
    'routes[0].service: no service named "c"',
    "routes[0].timeout: expected a duration, found 7",
    "routes[1].rewrite: `:id` is not in the path `/y`",
    'routes[2].match: matches the same requests as routes[1] ("/y")',
    "services.b: expected a service, found 5",
    "timeouts.head: expected a duration, found 10",
  ]);
});

test("validating: listeners may share a port when their addresses differ, and port 0 with admin", () => {
  const clashes = (listen: unknown, admin: unknown = false): number =>
    sentences({ listen, admin, routes: [{ match: "/", respond: {} }] }).length;
  assert.equal(clashes(["127.0.0.1:80", "127.0.0.2:80", "[::1]:80"]), 0);
  assert.equal(clashes(["0.0.0.0:80", "[::1]:80"]), 0);
  assert.equal(clashes(["0.0.0.0:80", "127.0.0.1:80"]), 1);
  assert.equal(clashes(["[::]:80", "127.0.0.1:80"]), 1);
  assert.equal(clashes([0, "127.0.0.1:0"], 0), 0);
  assert.equal(clashes([0, 0]), 1);
});

test("validating: names that objects have by themselves are no services", () => {
  assert.deepEqual(sentences({ routes: [{ match: "/", service: "constructor" }] }), [
    'routes[0].service: no service named "constructor"',
  ]);
  const document = JSON.parse('{"services": {"__proto__": "http://a"}, "routes": []}') as object;
  assert.deepEqual(sentences(document), ["services.__proto__: the name __proto__ cannot be used"]);
});

test("validating: a service that policies ask is used, though no route names it", () => {
  const ask = { "forward-auth": { service: "auth" } };
  const found = sentences({
    services: { shop: service, auth: service, shadow: service, idle: service },
    policies: [{ "any-of": [ask, "anonymous"] }],
    routes: [{ match: "/*", service: "shop", policies: [{ mirror: { to: "shadow" } }] }],
  });
  assert.deepEqual(found, ["services.idle: nothing uses this service"]);
});

test("validating: a warning does not refuse the document", () => {
  const { config, findings } = validate({ services: { a: service } }, knownPolicies);
  assert.ok(config !== undefined);
  assert.deepEqual(
    findings.map(({ level, path }) => `${level} ${formatPath(path)}`),
    ["warning services.a", "warning "],
  );
});

test("paths: steps that a short form does not have are left out", () => {
  const document = { listen: { port: 1, tls: { cert: "a" } }, services: { a: "http://a" } };
  const cert = ["listen", 0, "tls", "certificates", 0, "cert"];
  assert.deepEqual(writtenPath(cert, document), ["listen", "tls", "cert"]);
  assert.deepEqual(writtenPath(["services", "a", "targets", 0], document), ["services", "a"]);
});
