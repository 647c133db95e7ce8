/** Requests that a service judges: over what connections, under attack, and while it is away. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { ask, protocols } from "../support/ask.ts";
import { testCertificates } from "../support/certificates.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway, GatewayConfig } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import type { HttpService, SeenRequest } from "../support/http-service.ts";
import { metricValue } from "../support/metric-value.ts";
import { requires } from "../support/requires.ts";
import { until } from "../support/until.ts";

const shared = fileCleanup();

/** Accepts who says `good`, sends others to the login. */
function judge(request: IncomingMessage, response: ServerResponse): void {
  const { authorization, "x-forwarded-uri": uri } = request.headers;
  response.setHeader("x-internal", "secret");
  if (authorization === "Bearer good") {
    response.setHeader("x-user", "ann");
    response.setHeader("x-groups", "staff, ops");
    response.end();
  } else if (authorization === "Bearer bad") {
    response.writeHead(403, { "content-type": "text/plain" }).end("not you");
  } else if (authorization === "Bearer broken") {
    response.writeHead(500).end();
  } else {
    const location = `https://login.example/?rd=${encodeURIComponent(String(uri))}`;
    response.writeHead(302, { location, "set-cookie": ["a=1; Path=/", "b=2"] }).end("to the login");
  }
}

const good = { authorization: "Bearer good" };

function headersOf(seen: SeenRequest, name: string): string[] {
  return seen.headers.filter(([of]) => of === name).map(([, value]) => value);
}

describe("forward-auth", { skip: requires("openssl") }, () => {
  let gateway: Gateway;
  let config: GatewayConfig;
  let users: HttpService;
  let auth: HttpService;
  /** Answered when the test says so. */
  let slow: HttpService;
  let slowAnswers: ServerResponse[];

  before(async () => {
    const folder = mkdtempSync(join(tmpdir(), "gateward-auth-"));
    shared.after(() => rmSync(folder, { recursive: true }));
    const { localhostEcdsa, ca } = testCertificates();
    users = await startHttpService(shared);
    auth = await startHttpService(shared, { answer: judge });
    const local = await startHttpService(shared, {
      answer: judge,
      path: join(folder, "auth.sock"),
    });
    const { cert, key } = localhostEcdsa;
    const secure = await startHttpService(shared, { answer: judge, tls: { cert, key } });
    const modern = await startHttpService(shared, {
      answer: judge,
      http2: true,
      tls: { cert, key },
    });
    slowAnswers = [];
    slow = await startHttpService(shared, { answer: (_, response) => slowAnswers.push(response) });
    const byName = (service: HttpService) => service.url.replace("127.0.0.1", "localhost");
    const asks = (service: string, options: Record<string, unknown> = {}) => [
      { "forward-auth": { service, upstreamHeaders: ["x-user"], ...options } },
    ];
    const allow = { whenAway: "allow", timeout: "1s" };
    config = {
      services: {
        users: users.url,
        auth: { targets: [auth.url], path: "/judge" },
        local: local.url,
        secure: { targets: [byName(secure)], tls: { ca: ca.certFile } },
        modern: { targets: [byName(modern)], tls: { ca: ca.certFile }, http2: true },
        slow: slow.url,
        dead: "http://127.0.0.1:1",
        halfDead: { targets: ["http://127.0.0.1:1", auth.url], balance: "round-robin" },
        itself: "http://127.0.0.1:1",
      },
      routes: [
        { match: "/auth/*", service: "users", policies: asks("auth") },
        { match: "/local/*", service: "users", policies: asks("local") },
        { match: "/secure/*", service: "users", policies: asks("secure") },
        { match: "/modern/*", service: "users", policies: asks("modern") },
        { match: "/half/*", service: "users", policies: asks("halfDead") },
        { match: "/slow/*", service: "users", policies: asks("slow") },
        { match: "/dead/*", service: "users", policies: asks("dead") },
        { match: "/allow/*", service: "users", policies: asks("dead", allow) },
        { match: "/kept/*", service: "users", policies: asks("auth", { cache: { ttl: "1h" } }) },
        { match: "/loop/*", service: "users", policies: asks("itself", { path: "/loop/x" }) },
      ],
    };
    gateway = await startGateway(shared, config);
    config = {
      ...config,
      services: { ...(config["services"] as object), itself: gateway.url },
    };
    assert.equal(await gateway.reload(config), "applied");
  });

  for (const protocol of protocols) {
    for (const kind of ["auth", "local", "secure", "modern", "half"]) {
      test(`${protocol}: ${kind}: what the service accepts passes, and says who it is`, async () => {
        const path = `/${kind}/a?b=1`;
        const { status, body } = await ask(gateway.port, protocol, { path, headers: good });
        assert.equal(status, 200, body);
        const seen = JSON.parse(body) as SeenRequest;
        assert.deepEqual(headersOf(seen, "x-user"), ["ann"]);
        assert.deepEqual(headersOf(seen, "x-internal"), []);
      });
    }

    test(`${protocol}: what the service refuses gets its answer, and never reaches the route's`, async () => {
      const count = users.seen.length;
      const path = "/auth/a?b=1";
      const away = await ask(gateway.port, protocol, { path });
      assert.equal(away.status, 302);
      assert.equal(away.headers["location"], "https://login.example/?rd=%2Fauth%2Fa%3Fb%3D1");
      assert.deepEqual(away.headers["set-cookie"], ["a=1; Path=/", "b=2"]);
      assert.equal(away.headers["x-internal"], undefined);
      const bad = { authorization: "Bearer bad" };
      const refused = await ask(gateway.port, protocol, { path, headers: bad });
      assert.deepEqual([refused.status, refused.body], [403, "not you"]);
      assert.equal(users.seen.length, count);
    });

    test(`${protocol}: a body waits for the judgement, and comes whole`, async () => {
      const pieces = ["x".repeat(50_000), "y".repeat(50_000), "z".repeat(50_000)];
      const { body } = await ask(gateway.port, protocol, {
        method: "POST",
        path: "/auth/a",
        headers: good,
        body: pieces,
      });
      assert.equal((JSON.parse(body) as SeenRequest).bodyBytes, 150_000);
    });

    test(`${protocol}: a client that claims to be somebody is not believed, in whatever spelling`, async () => {
      const headers = { ...good, "x-user": "root", x_user: "root", "X.User": "root" };
      const { body } = await ask(gateway.port, protocol, { path: "/auth/a", headers });
      const names = (JSON.parse(body) as SeenRequest).headers.map(([name]) => name);
      assert.deepEqual(
        names.filter((name) => /^x.user$/.test(name)),
        ["x-user"],
      );
    });

    test(`${protocol}: a client cannot tell the service of another request than it sends`, async () => {
      const headers = {
        ...good,
        "x-forwarded-uri": "/public",
        "x-forwarded-method": "HEAD",
        "x-forwarded-host": "elsewhere.example",
        "x-forwarded-for": "203.0.113.9",
        "x-request-id": "mine",
      };
      const count = auth.seen.length;
      const path = "/auth/./b/../a%2e";
      await ask(gateway.port, protocol, { method: "PUT", path, headers });
      const seen = auth.seen[count]!;
      assert.equal(seen.url, "/judge/");
      assert.deepEqual(headersOf(seen, "x-forwarded-uri"), ["/auth/a."]);
      assert.deepEqual(headersOf(seen, "x-forwarded-method"), ["PUT"]);
      assert.deepEqual(headersOf(seen, "x-forwarded-host"), [`127.0.0.1:${gateway.port}`]);
      assert.deepEqual(headersOf(seen, "x-forwarded-for"), ["127.0.0.1"]);
      assert.notDeepEqual(headersOf(seen, "x-request-id"), ["mine"]);
    });

    test(`${protocol}: while the service is away requests are refused, or pass as nobody's`, async () => {
      const broken = { authorization: "Bearer broken" };
      const failed = await ask(gateway.port, protocol, { path: "/auth/a", headers: broken });
      const denied = await ask(gateway.port, protocol, { path: "/dead/a", headers: good });
      for (const { status, body } of [failed, denied]) {
        assert.equal(status, 503);
        assert.match(body, /problems\/auth-service-unavailable"/);
      }
      const headers = { ...good, "x-user": "root" };
      const { status, body } = await ask(gateway.port, protocol, { path: "/allow/a", headers });
      assert.equal(status, 200);
      assert.deepEqual(headersOf(JSON.parse(body) as SeenRequest, "x-user"), []);
    });
  }

  test("an acceptance that is remembered holds for that request and caller only", async () => {
    const seen = auth.seen.length;
    const path = "/kept/a";
    for (let count = 0; count < 3; count++) {
      assert.equal((await ask(gateway.port, "HTTP/1.1", { path, headers: good })).status, 200);
    }
    assert.equal(auth.seen.length, seen + 1);
    assert.equal((await ask(gateway.port, "HTTP/1.1", { path })).status, 302);
    await ask(gateway.port, "HTTP/1.1", { path: "/kept/b", headers: good });
    assert.equal(auth.seen.length, seen + 3);
  });

  test("a client that leaves takes its question along", async () => {
    slowAnswers.length = 0;
    const client = connect(gateway.port, "127.0.0.1");
    client.write("GET /slow/a HTTP/1.1\r\nHost: a.example\r\n\r\n");
    await until(() => slowAnswers.length === 1);
    // Only a reset says that it does not wait for the answer either.
    client.resetAndDestroy();
    const cancelled = { service: "slow", result: "cancelled" };
    await until(async () => {
      return (await metricValue(gateway, "gateward_upstream_requests_total", cancelled)) === 1;
    });
    assert.doesNotMatch(gateway.output, /failed inside/);
  });

  test("a question that is under way when the configuration changes is answered", async () => {
    slowAnswers.length = 0;
    const asked = ask(gateway.port, "HTTP/1.1", { path: "/slow/a", headers: good });
    await until(() => slowAnswers.length === 1);
    assert.equal(await gateway.reload({ ...config, via: false }), "applied");
    slowAnswers[0]!.setHeader("x-user", "late").end();
    const { status, body } = await asked;
    assert.equal(status, 200);
    assert.deepEqual(headersOf(JSON.parse(body) as SeenRequest, "x-user"), ["late"]);
    assert.equal(await gateway.reload(config), "applied");
  });

  test("a circle of questions ends", async () => {
    const { status } = await ask(gateway.port, "HTTP/1.1", { path: "/loop/x", headers: good });
    assert.equal(status, 503);
    const loops = await metricValue(gateway, "gateward_faults_total", { type: "loop-detected" });
    assert.equal(loops, 1);
  });

  test("results are counted by what came of them", async () => {
    const count = (result: string) =>
      metricValue(gateway, "gateward_policy_results_total", {
        policy: "forward-auth",
        at: "route /auth/*",
        result,
      });
    for (const result of ["accepted", "absent", "refused", "away"]) {
      assert.ok((await count(result)) >= 2, result);
    }
  });
});
