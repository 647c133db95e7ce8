/** Who is calling, end to end: keys from the command line, passwords, certificates, and clients that lie about themselves. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { request as httpsRequest } from "node:https";
import type { IncomingMessage } from "node:http";
import { dirname, join } from "node:path";
import type { TLSSocket } from "node:tls";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ask, protocols } from "../support/ask.ts";
import { testCertificates, type TestCertificate } from "../support/certificates.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway, type Gateway } from "../support/gateway.ts";
import { startHttpService, type HttpService, type SeenRequest } from "../support/http-service.ts";
import { rawConnect } from "../support/raw-client.ts";
import { requires } from "../support/requires.ts";
import { runCommand } from "../support/run-command.ts";
import { until } from "../support/until.ts";

const shared = fileCleanup();
const executable = fileURLToPath(new URL("../../bin/gateward", import.meta.url));

const KEY = "Kq8ZrT4wXn2VbY6mJd0sFgHc";
const EXPIRED_KEY = "Pz5LhW9eRt1UoI7aSx3CvBnM";
const PASSWORD = "correct horse battery";
/** A change of the key file is seen a quarter of a second later; the rest is for a machine that is busy. */
const NOTICED_WITHIN_MS = 10_000;

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1;
}

describe("who is calling", { skip: requires("openssl") }, () => {
  let gateway: Gateway;
  let echo: HttpService;
  let echo2: HttpService;

  before(async () => {
    // Commands that the tests run inherit it too.
    process.env["MOBILE_KEY"] = KEY;
    echo = await startHttpService(shared);
    echo2 = await startHttpService(shared, { http2: true });
    const { localhostEcdsa, ca } = testCertificates();
    gateway = await startGateway(shared, {
      workers: 2,
      listen: [
        {},
        {
          tls: {
            cert: localhostEcdsa.certFile,
            key: localhostEcdsa.keyFile,
            ca: ca.certFile,
            clientAuth: "request",
          },
        },
      ],
      log: {
        level: "warn",
        access: {
          file: "access.log",
          fields: ["path", "query", "status", "consumer", "credential", "identity"],
        },
      },
      consumers: {
        mobile: {
          groups: ["apps"],
          scopes: ["read"],
          plan: "free",
          keys: ["${MOBILE_KEY}", { value: EXPIRED_KEY, expires: "2020-01-01" }],
          basic: { password: PASSWORD },
          certificates: { subject: "CN=client" },
        },
      },
      plans: { free: { routes: ["keys*", "h2", "open", "users", "tls"] } },
      services: {
        echo: { targets: [echo.url], policies: [] },
        echo2: { targets: [echo2.url.replace("http:", "h2c:")] },
      },
      routes: [
        {
          name: "keys",
          match: "/keys/*",
          service: "echo",
          policies: [{ "api-key": { in: [{ header: "x-api-key" }, { query: "key" }] } }],
        },
        { name: "h2", match: "/h2/*", service: "echo2", policies: ["api-key"] },
        {
          name: "open",
          match: "/open/*",
          service: "echo",
          policies: [{ "any-of": ["api-key", "anonymous"] }],
        },
        { name: "users", match: "/users/*", service: "echo", policies: ["basic-auth"] },
        { name: "tls", match: "/tls/*", service: "echo", policies: ["mtls"] },
        { name: "both", match: "/both/*", service: "echo", policies: ["mtls", "api-key"] },
        { name: "other", match: "/other", service: "echo", policies: ["api-key"] },
      ],
    });
  });

  async function keys(...args: string[]): Promise<Record<string, string>> {
    const place = ["--json", "--config", gateway.configFile];
    const run = await runCommand(process.execPath, [executable, "keys", ...args, ...place]);
    assert.equal(run.code, 0, run.stderr);
    return JSON.parse(run.stdout) as Record<string, string>;
  }

  async function withKey(
    key: string,
    path = "/keys/a",
    protocol = protocols[0] as (typeof protocols)[number],
  ) {
    return ask(gateway.port, protocol, { path, headers: { "x-api-key": key } });
  }

  /** Until each of many connections, so that both workers have been asked, gets that status. */
  async function allAnswer(key: string, status: number): Promise<void> {
    const since = performance.now();
    await until(async () => {
      const answers = await Promise.all(Array.from({ length: 8 }, () => withKey(key)));
      return answers.every((answer) => answer.status === status);
    });
    const ms = performance.now() - since;
    assert.ok(ms < NOTICED_WITHIN_MS, `${ms} ms`);
  }

  function seenIn(body: string): Map<string, string[]> {
    const fields = new Map<string, string[]>();
    for (const [name, value] of (JSON.parse(body) as SeenRequest).headers) {
      fields.set(name, [...(fields.get(name) ?? []), value]);
    }
    return fields;
  }

  function assertOnlyTruth(body: string): void {
    const seen = seenIn(body);
    const claims = [...seen].filter(([name]) =>
      /consumer|identity/.test(name.replaceAll(/[^a-z]/g, "-")),
    );
    assert.deepEqual(claims.toSorted(byName), [
      ["x-consumer", ["mobile"]],
      ["x-identity-groups", ["apps"]],
      ["x-identity-method", ["api-key"]],
      ["x-identity-scopes", ["read"]],
      ["x-identity-subject", ["mobile"]],
    ]);
    assert.equal(seen.has("x-api-key"), false);
  }

  test("forged headers: none arrives in any spelling, over HTTP/1.1, at a service of either version", async (t) => {
    const lines = [
      "X-Consumer: admin",
      "x-consumer: admin",
      "X_Consumer: admin",
      "x_consumer: admin",
      "X-CONSUMER: admin",
      "x.consumer: admin",
      "X-Identity-Groups: root",
      "X_IDENTITY_GROUPS: root",
      "x-identity_roles: root",
      "x~identity~scopes: all",
      "X-Identity-Subject:",
      "X-Identity-Method: trust-me",
    ];
    for (const path of ["/keys/a", "/h2/a"]) {
      for (const extra of [[], ["Connection: x-consumer, close"]]) {
        const connection = await rawConnect(t, gateway.port);
        const head = [`GET ${path} HTTP/1.1`, "Host: a", `X-Api-Key: ${KEY}`, ...lines, ...extra];
        await connection.send(`${head.join("\r\n")}\r\n\r\n`);
        const { status, body } = await connection.readResponse();
        assert.equal(status, 200);
        assertOnlyTruth(body.toString());
      }
    }
  });

  test("forged headers: none arrives over HTTP/2 either", async () => {
    const headers = {
      "x-api-key": KEY,
      "x-consumer": "admin",
      x_consumer: "admin",
      "x.consumer": "admin",
      "x-identity-groups": "root",
      x_identity_roles: "root",
      "x-identity-subject": "admin",
    };
    for (const path of ["/keys/a", "/h2/a"]) {
      const { status, body } = await ask(gateway.port, "HTTP/2", { path, headers });
      assert.equal(status, 200);
      assertOnlyTruth(body);
    }
  });

  test("forged headers: a client without a key is nobody, whatever it says, and trailers say nothing", async (t) => {
    for (const protocol of protocols) {
      const headers = { "x-consumer": "mobile", "x-identity-groups": "apps" };
      const { status, body } = await ask(gateway.port, protocol, { path: "/open/a", headers });
      assert.equal(status, 200);
      assert.doesNotMatch(body, /x-consumer|x-identity/);
    }
    const connection = await rawConnect(t, gateway.port);
    await connection.send(
      `POST /keys/a HTTP/1.1\r\nHost: a\r\nX-Api-Key: ${KEY}\r\nTransfer-Encoding: chunked\r\n` +
        "Trailer: X-Consumer\r\n\r\n1\r\na\r\n0\r\nX-Consumer: admin\r\nX-Note: kept\r\n\r\n",
    );
    const { body } = await connection.readResponse();
    const { trailers } = JSON.parse(body.toString()) as SeenRequest;
    assert.deepEqual(trailers, [["x-note", "kept"]]);
  });

  test("keys: one that is made counts within a second, one that is revoked no more", async () => {
    const made = await keys("create", "--consumer", "mobile", "--name", "ci");
    await allAnswer(made["key"]!, 200);
    const { body } = await withKey(made["key"]!);
    assert.deepEqual(seenIn(body).get("x-consumer"), ["mobile"]);
    await keys("revoke", made["id"]!);
    await allAnswer(made["key"]!, 401);
    assert.equal((await withKey(KEY)).status, 200, "others hold on");
  });

  test("keys: a rotated key and the new one hold together, until the old one's time is up", async () => {
    const old = await keys("create", "--consumer", "mobile");
    await allAnswer(old["key"]!, 200);
    const made = await keys("rotate", old["id"]!, "--grace", "1h");
    await allAnswer(made["key"]!, 200);
    await allAnswer(old["key"]!, 200);
    const last = await keys("rotate", made["id"]!, "--grace", "0");
    await allAnswer(made["key"]!, 401);
    const { body } = await withKey(made["key"]!);
    assert.equal((JSON.parse(body) as { code: string }).code, "expired");
    await allAnswer(last["key"]!, 200);
  });

  test("keys: consumers of the store have groups and the document's plans", async () => {
    const traits = ["--create-consumer", "--groups", "partners,eu", "--plan", "free"];
    const { key = "" } = await keys("create", "--consumer", "partner", ...traits);
    await allAnswer(key, 200);
    const { body } = await withKey(key);
    assert.deepEqual(seenIn(body).get("x-identity-groups"), ["partners,eu"]);
    const other = await withKey(key, "/other");
    assert.equal(other.status, 403);
    assert.match(other.body, /route-not-in-plan/);
  });

  test("keys: expired, unknown and missing ones are refused, by both versions of HTTP", async () => {
    for (const protocol of protocols) {
      const expired = await withKey(EXPIRED_KEY, "/keys/a", protocol);
      assert.equal(expired.status, 401);
      assert.match(expired.body, /"code":"expired"/);
      assert.equal((await withKey("x".repeat(24), "/keys/a", protocol)).status, 401);
      const missing = await ask(gateway.port, protocol, { path: "/keys/a" });
      assert.equal(missing.status, 401);
      assert.equal(missing.headers["www-authenticate"], 'ApiKey realm="api"');
    }
  });

  test("any-of: who has no key may be anonymous, who has a wrong one may not", async () => {
    for (const protocol of protocols) {
      const anonymous = await ask(gateway.port, protocol, { path: "/open/a" });
      assert.equal(anonymous.status, 200);
      assert.equal(seenIn(anonymous.body).has("x-consumer"), false);
      const known = await withKey(KEY, "/open/a", protocol);
      assert.deepEqual(seenIn(known.body).get("x-consumer"), ["mobile"]);
      assert.equal((await withKey(`${KEY}x`, "/open/a", protocol)).status, 401);
      assert.equal((await withKey("", "/open/a", protocol)).status, 401);
      assert.equal((await withKey(EXPIRED_KEY, "/open/a", protocol)).status, 401);
    }
  });

  test("keys in the query: neither service nor access log is told", async () => {
    for (const protocol of protocols) {
      const path = `/keys/q?a=1&key=${KEY}&b=2`;
      const { status, body } = await ask(gateway.port, protocol, { path });
      assert.equal(status, 200);
      assert.equal((JSON.parse(body) as SeenRequest).url, "/keys/q?a=1&b=2");
    }
    const file = join(dirname(gateway.configFile), "access.log");
    const lines = () =>
      readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line.includes("/keys/q"));
    await until(() => lines().length === 2);
    for (const line of lines()) {
      const { time: _, ...entry } = JSON.parse(line) as Record<string, unknown>;
      const expected = { path: "/keys/q", query: "a=1&b=2", status: 200 };
      assert.deepEqual(entry, { ...expected, consumer: "mobile", identity: "api-key" });
    }
    assert.ok(!readFileSync(file, "utf8").includes(KEY));
  });

  test("basic: the user passes with the password, and nobody else; the password stays here", async () => {
    const basic = (pair: string) => ({
      authorization: `Basic ${Buffer.from(pair).toString("base64")}`,
    });
    for (const protocol of protocols) {
      const askAs = (pair: string) =>
        ask(gateway.port, protocol, { path: "/users/a", headers: basic(pair) });
      for (let count = 0; count < 3; count++) {
        const { status, body } = await askAs(`mobile:${PASSWORD}`);
        assert.equal(status, 200);
        assert.deepEqual(seenIn(body).get("x-consumer"), ["mobile"]);
        assert.equal(seenIn(body).has("authorization"), false);
      }
      for (const pair of ["mobile:wrong", `nobody:${PASSWORD}`, "mobile", `mobile:${PASSWORD} `]) {
        const refused = await askAs(pair);
        assert.equal(refused.status, 401, pair);
        assert.equal(refused.headers["www-authenticate"], 'Basic realm="api", charset="UTF-8"');
      }
    }
  });

  /** One request over TLS with a certificate or without. */
  async function askSecurely(path: string, client?: TestCertificate, headers = {}, more = {}) {
    const request = httpsRequest({
      ...tlsOptions(client),
      ...more,
      host: "127.0.0.1",
      port: gateway.ports[1],
      path,
      headers,
      agent: false,
    });
    request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { status: response.statusCode, body: Buffer.concat(chunks).toString(), request };
  }

  function tlsOptions(client?: TestCertificate) {
    const trust = { ca: testCertificates().ca.cert, servername: "localhost" };
    return client === undefined ? trust : { ...trust, cert: client.cert, key: client.key };
  }

  test("mtls: a certificate of the authority is its consumer's; others are refused", async () => {
    const { client, strangerClient } = testCertificates();
    const known = await askSecurely("/tls/a", client);
    assert.equal(known.status, 200);
    assert.deepEqual(seenIn(known.body).get("x-consumer"), ["mobile"]);
    assert.deepEqual(seenIn(known.body).get("x-identity-method"), ["mtls"]);
    const stranger = await askSecurely("/tls/a", strangerClient);
    assert.equal(stranger.status, 401);
    assert.match(stranger.body, /certificate-unverified/);
    assert.match((await askSecurely("/tls/a")).body, /authentication-required/);
    assert.equal((await ask(gateway.port, "HTTP/1.1", { path: "/tls/a" })).status, 401);
  });

  test("mtls: holds over HTTP/2, and in sessions that are resumed", async () => {
    const { client } = testCertificates();
    const session = connectHttp2(`https://127.0.0.1:${gateway.ports[1]}`, tlsOptions(client));
    for (let count = 0; count < 2; count++) {
      const stream = session.request({ ":path": "/tls/a" });
      const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
      assert.equal(headers[":status"], 200);
      stream.resume();
      await once(stream, "close");
    }
    session.destroy();
    // A session stays its first client's, whatever is shown with it.
    const { strangerClient } = testCertificates();
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"]) {
      for (const [owner, status] of [
        [client, 200],
        [strangerClient, 401],
      ] as const) {
        const first = await askSecurely("/tls/a", owner, {}, { maxVersion });
        assert.equal(first.status, status);
        const ticket = (first.request.socket as TLSSocket).getSession();
        const again = await askSecurely("/tls/a", undefined, {}, { maxVersion, session: ticket });
        assert.equal((again.request.socket as TLSSocket).isSessionReused(), true, maxVersion);
        assert.equal(again.status, status, maxVersion);
      }
    }
  });

  test("all-of: a certificate and a key of one consumer pass together, of two they do not", async () => {
    const { client } = testCertificates();
    assert.equal((await askSecurely("/both/a", client)).status, 401);
    const { key = "" } = await keys("create", "--consumer", "second", "--create-consumer");
    await allAnswer(key, 200);
    const borrowed = await askSecurely("/both/a", client, { "x-api-key": key });
    assert.equal(borrowed.status, 403);
    assert.match(borrowed.body, /identities-differ/);
  });

  test("secrets: neither the gateway's output nor the checked configuration has them", async () => {
    const run = await runCommand(process.execPath, [
      ...[executable, "check", "--print", "--config", gateway.configFile],
    ]);
    assert.equal(run.code, 0, run.stdout + run.stderr);
    for (const secret of [KEY, EXPIRED_KEY, PASSWORD]) {
      assert.ok(!gateway.output.includes(secret) && !(run.stdout + run.stderr).includes(secret));
    }
  });
});
