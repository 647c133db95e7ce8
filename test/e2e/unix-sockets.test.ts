/** Unix sockets, as listeners and as targets. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import http2 from "node:http2";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { before, describe, test } from "node:test";
import type { TestContext } from "node:test";
import { connect as connectTls } from "node:tls";
import { problemTypeBase } from "../../src/base/faults.ts";
import { testCertificates } from "../support/certificates.ts";
import { fileCleanup } from "../support/cleanup.ts";
import type { Cleanup } from "../support/cleanup.ts";
import { spawnGateway, startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import type { SeenRequest } from "../support/http-service.ts";
import { answerOf } from "../support/http2-listener.ts";
import { rawConnect } from "../support/raw-client.ts";
import { RawConnection } from "../support/raw-connection.ts";
import { headerValue } from "../support/raw-message.ts";
import { requires } from "../support/requires.ts";
import { until } from "../support/until.ts";
import { runCommand } from "../support/run-command.ts";

const shared = fileCleanup();
const hello = { match: "GET /hello", respond: { body: "hello" } };

/** Socket paths may have about a hundred bytes, so the folder's name is short. */
function makeFolder(t: Cleanup): string {
  const folder = mkdtempSync(join(tmpdir(), "gw-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe("Unix sockets", () => {
  let gateway: Gateway;
  let folder: string;
  const at = (name: string): string => join(folder, name);

  before(async () => {
    folder = makeFolder(shared);
    const service = await startHttpService(shared, { path: at("service.sock") });
    const rpc = await startHttpService(shared, { path: at("rpc.sock"), http2: true });
    gateway = await startGateway(shared, {
      workers: 2,
      listen: [
        {},
        { path: at("gateway.sock") },
        { path: at("proxied.sock"), proxyProtocol: { trusted: ["10.0.0.0/8"] } },
      ],
      log: { level: "info", access: { file: "access.log" } },
      forwarded: "both",
      services: {
        service: service.url,
        prefixed: `${service.url}:/v1`,
        rpc: { targets: [rpc.url], http2: true },
        nobody: `unix:${at("nobody.sock")}`,
      },
      routes: [
        hello,
        { match: "/service/*", service: "service", rewrite: "/*" },
        { match: "/prefixed/*", service: "prefixed", rewrite: "/*" },
        { match: "/rpc/*", service: "rpc", rewrite: "/*" },
        { match: "/nobody", service: "nobody" },
        { match: { path: "/local", clients: "127.0.0.0/8" }, respond: { body: "by address" } },
      ],
    });
  });

  const connect = (t: TestContext, name = "gateway.sock") => rawConnect(t, { path: at(name) });

  async function ask(client: RawConnection, path: string) {
    await client.send(`GET ${path} HTTP/1.1\r\nHost: api.example:81\r\n\r\n`);
    return await client.readResponse();
  }

  test(
    "curl: reaches the gateway by the file, over HTTP/1.1 and HTTP/2",
    { skip: requires("curl") },
    async () => {
      for (const version of ["--http1.1", "--http2-prior-knowledge"]) {
        const { stdout } = await runCommand("curl", [
          "-sS",
          version,
          "--unix-socket",
          at("gateway.sock"),
          "http://x/hello",
        ]);
        assert.equal(stdout, "hello");
      }
    },
  );

  test("service: is told no address where there is none", async (t) => {
    const client = await connect(t);
    const { body } = await ask(client, "/service/a");
    const { url, headers } = JSON.parse(body.toString()) as SeenRequest;
    assert.equal(url, "/a");
    assert.deepEqual(
      headers.filter(([name]) => name.startsWith("x-forwarded") || name === "forwarded"),
      [
        ["x-forwarded-proto", "http"],
        ["x-forwarded-host", "api.example:81"],
        ["forwarded", 'for=unknown;proto=http;host="api.example:81"'],
      ],
    );
    // Nor does a client without an address match a range of them.
    assert.equal((await ask(client, "/local")).status, 404);
  });

  test("service: what a client on the socket says of others is not believed", async (t) => {
    const client = await connect(t);
    await client.send("GET /service/a HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n");
    const { headers } = JSON.parse((await client.readResponse()).body.toString()) as SeenRequest;
    assert.ok(!headers.some(([name]) => name === "x-forwarded-for"));
  });

  test("access log: has no client for it", async (t) => {
    await ask(await connect(t), "/service/logged");
    const file = join(dirname(gateway.configFile), "access.log");
    const entry = await gateway.poll(5000, "through with its access log", async () => {
      const lines = readFileSync(file, "utf8").trim().split("\n");
      const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
      return entries.find(({ path }) => path === "/service/logged");
    });
    assert.deepEqual([entry["status"], entry["client"]], [200, undefined]);
  });

  test("PROXY protocol: whoever can reach the file is believed", async (t) => {
    const client = await connect(t, "proxied.sock");
    await client.send("PROXY TCP4 203.0.113.7 198.51.100.2 56324 443\r\n");
    const { headers } = JSON.parse(
      (await ask(client, "/service/a")).body.toString(),
    ) as SeenRequest;
    assert.equal(Object.fromEntries(headers)["x-forwarded-for"], "203.0.113.7");
  });

  test("workers: many connections at once are served, though the file is only one worker's", async (t) => {
    const statuses = await Promise.all(
      Array.from({ length: 50 }, async () => (await ask(await connect(t), "/service/a")).status),
    );
    assert.deepEqual(new Set(statuses), new Set([200]));
  });

  test("targets: by HTTP/1.1, under a prefix, and by HTTP/2, from every worker", async (t) => {
    for (const [path, url, version] of [
      ["/service/a?b", "/a?b", "1.1"],
      ["/prefixed/a", "/v1/a", "1.1"],
      ["/rpc/a", "/a", "2.0"],
    ] as const) {
      for (let count = 0; count < 8; count++) {
        const client = await rawConnect(t, gateway.port);
        const response = await ask(client, path);
        assert.equal(response.status, 200, path);
        const seen = JSON.parse(response.body.toString()) as SeenRequest;
        assert.deepEqual([seen.url, seen.httpVersion], [url, version]);
        client.destroy();
      }
    }
  });

  test("targets: one that is not there is 502, and served once it is", async (t) => {
    const client = await rawConnect(t, gateway.port);
    const response = await ask(client, "/nobody");
    assert.equal(response.status, 502);
    const { type } = JSON.parse(response.body.toString()) as { type: string };
    assert.equal(type, `${problemTypeBase}connect-failed`);
    await startHttpService(t, { path: at("nobody.sock") });
    const again = await ask(client, "/nobody");
    assert.equal(again.status, 200);
    assert.equal(headerValue(again, "content-type"), "application/json");
  });
});

describe("Unix socket files", () => {
  const helloOn = (path: string) => ({ listen: { path }, routes: [hello] });

  async function isServed(path: string): Promise<boolean> {
    const socket = connectTcp({ path });
    const client = new RawConnection(socket);
    await client.send("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    try {
      return (await client.readResponse()).status === 200;
    } catch {
      return false;
    } finally {
      client.destroy();
    }
  }

  test("file: one that a killed gateway left behind is replaced, and removed at the end", async (t) => {
    const path = join(makeFolder(t), "g.sock");
    const killed = await startGateway(t, { ...helloOn(path), workers: 2 });
    await killed.stop("SIGKILL");
    assert.ok(existsSync(path));
    const gateway = await startGateway(t, { ...helloOn(path), workers: 2 });
    assert.ok(await isServed(path));
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    assert.ok(!existsSync(path));
  });

  test("file: a second gateway is refused, and takes nothing from the first", async (t) => {
    const path = join(makeFolder(t), "g.sock");
    await startGateway(t, helloOn(path));
    const { ino } = statSync(path);
    const second = await spawnGateway(t, helloOn(path));
    assert.equal((await second.exited).code, 1);
    assert.match(second.output, /in use/);
    assert.equal(statSync(path).ino, ino);
    assert.ok(await isServed(path));
  });

  test("file: whatever is no socket stays, and is an error", async (t) => {
    const path = join(makeFolder(t), "precious");
    writeFileSync(path, "precious");
    const gateway = await spawnGateway(t, helloOn(path));
    assert.equal((await gateway.exited).code, 1);
    assert.match(gateway.output, /precious.*not a socket/);
    assert.equal(readFileSync(path, "utf8"), "precious");
  });

  test("file: a folder that is not there is told", async (t) => {
    const path = join(makeFolder(t), "missing", "g.sock");
    const gateway = await spawnGateway(t, helloOn(path));
    assert.equal((await gateway.exited).code, 1);
    assert.match(gateway.output, /no such folder/);
  });

  test("reload: a listener that goes takes its file along, one that stays keeps it", async (t) => {
    const folder = makeFolder(t);
    const [first, second] = [join(folder, "1.sock"), join(folder, "2.sock")];
    const gateway = await startGateway(t, { listen: [{ path: first }], routes: [hello] });
    assert.equal(await gateway.reload({ listen: [{ path: first }, { path: second }] }), "applied");
    assert.ok((await isServed(first)) && (await isServed(second)));
    assert.equal(await gateway.reload({ listen: [{ path: second }] }), "applied");
    // What goes is closed once the others serve.
    await until(() => !existsSync(first));
    assert.ok(await isServed(second));
    // A refused one leaves everything as it is.
    writeFileSync(first, "");
    assert.equal(await gateway.reload({ listen: [{ path: first }, { path: second }] }), "refused");
    assert.ok(await isServed(second));
  });

  test("TLS: is served on a file as on a port", { skip: requires("openssl") }, async (t) => {
    const path = join(makeFolder(t), "g.sock");
    const { certFile: cert, keyFile: key } = testCertificates().localhostEcdsa;
    await startGateway(t, { listen: { path, tls: { cert, key } }, routes: [hello] });
    const ca = testCertificates().ca.cert;
    const socket = connectTls({ path, servername: "localhost", ca, ALPNProtocols: ["h2"] });
    const session = http2.connect("https://localhost", { createConnection: () => socket });
    session.on("error", () => {});
    assert.equal((await answerOf(session.request({ ":path": "/hello" }))).body, "hello");
    session.destroy();
  });
});
