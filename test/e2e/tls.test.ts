/** HTTPS as clients meet it: certificates, versions, protocols, and what goes wrong. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { get } from "node:https";
import type { IncomingMessage } from "node:http";
import http2 from "node:http2";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import type { TestContext } from "node:test";
import { connect as connectTls } from "node:tls";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { testCertificates, testPassphrase } from "../support/certificates.ts";
import type { TestCertificate, TestCertificates } from "../support/certificates.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import type { HttpService, SeenRequest } from "../support/http-service.ts";
import { answerOf } from "../support/http2-listener.ts";
import { metricValue } from "../support/metric-value.ts";
import { rawConnect } from "../support/raw-client.ts";
import type { RawConnection } from "../support/raw-connection.ts";
import { requires } from "../support/requires.ts";
import { runCommand } from "../support/run-command.ts";

const shared = fileCleanup();
const handshakeTimeoutMs = 1000;

/** Indexes of the listeners. */
const NAMES = 0;
const NEWEST = 1;
const PLAIN = 2;
const HTTP1_ONLY = 3;
const RENEWED = 4;

describe("TLS from clients", { skip: requires("openssl", "curl") }, () => {
  let certificates: TestCertificates;
  let gateway: Gateway;
  let folder: string;
  let service: HttpService;

  before(async () => {
    certificates = testCertificates();
    folder = mkdtempSync(join(tmpdir(), "gateward-tls-"));
    shared.after(() => rmSync(folder, { recursive: true }));
    install(certificates.localhostEcdsa);
    service = await startHttpService(shared);
    const pair = (name: keyof TestCertificates) => {
      const { certFile: cert, keyFile: key } = certificates[name];
      return { cert, key };
    };
    gateway = await startGateway(shared, {
      listen: [
        {
          tls: {
            certificates: [
              pair("localhostEcdsa"),
              pair("localhostRsa"),
              pair("exact"),
              pair("exactRsa"),
              pair("wildcard"),
              { ...pair("encrypted"), passphrase: testPassphrase },
              { ...pair("noSan"), hosts: ["named.in.config"] },
            ],
          },
        },
        { tls: { ...pair("localhostEcdsa"), minVersion: "1.3" } },
        {},
        { tls: pair("localhostEcdsa"), http2: false },
        { tls: { cert: join(folder, "server.crt"), key: join(folder, "server.key") } },
      ],
      timeouts: { tlsHandshake: `${handshakeTimeoutMs}ms` },
      log: { level: "silent" },
      services: { echo: service.url },
      routes: [
        { match: "/*", service: "echo" },
        { match: "GET /hello", respond: { body: "hello" } },
        { match: { path: "/hello", hosts: "api.example.com" }, respond: { body: "hello, api" } },
      ],
    });
  });

  /** Puts files where the last listener reads its pair, each in one step. */
  function install({ certFile, keyFile }: Pick<TestCertificate, "certFile" | "keyFile">): void {
    for (const [from, to] of [
      [keyFile, "server.key"],
      [certFile, "server.crt"],
    ] as const) {
      copyFileSync(from, join(folder, "next"));
      renameSync(join(folder, "next"), join(folder, to));
    }
  }

  /** Makes a handshake; the test's end closes the connection. */
  async function handshake(
    t: TestContext,
    listener: number,
    options: ConnectionOptions = {},
  ): Promise<TLSSocket> {
    const socket = connectTls({
      host: "127.0.0.1",
      port: gateway.ports[listener]!,
      ca: certificates.ca.cert,
      checkServerIdentity: () => undefined,
      ...options,
    });
    t.after(() => void socket.destroy());
    await once(socket, "secureConnect");
    return socket;
  }

  /** Common name of the certificate that a client is shown. */
  async function shownTo(
    t: TestContext,
    servername: string,
    options: ConnectionOptions = {},
  ): Promise<string> {
    const socket = await handshake(t, NAMES, { servername, ...options });
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    return String(subject.CN);
  }

  function curl(...args: string[]) {
    return runCommand("curl", ["-sS", "--cacert", certificates.ca.certFile, ...args]);
  }

  test("curl: HTTP/1.1 over TLS reaches a service, which learns of the scheme", async () => {
    const { stdout } = await curl(
      "--http1.1",
      "-w",
      "%{http_version} %{ssl_verify_result}",
      `https://localhost:${gateway.ports[NAMES]}/a?b`,
    );
    const end = stdout.lastIndexOf("}") + 1;
    assert.equal(stdout.slice(end), "1.1 0");
    const seen = JSON.parse(stdout.slice(0, end)) as SeenRequest;
    assert.equal(seen.url, "/a?b");
    const header = Object.fromEntries(seen.headers);
    assert.equal(header["x-forwarded-proto"], "https");
    assert.equal(header["x-forwarded-port"], String(gateway.ports[NAMES]));
    assert.equal(header["x-forwarded-host"], `localhost:${gateway.ports[NAMES]}`);
  });

  test("node:https: verifies the certificate and reads the answer", async () => {
    const port = gateway.ports[NAMES]!;
    const url = `https://localhost:${port}/hello`;
    const request = get(url, { ca: certificates.ca.cert, agent: false });
    const [response] = (await once(request, "response")) as [IncomingMessage];
    let body = "";
    for await (const chunk of response) body += String(chunk);
    assert.equal(body, "hello");
  });

  test("certificates: the exact name wins over the wildcard, and the wildcard over the default", async (t) => {
    assert.equal(await shownTo(t, "api.example.com"), "exact");
    assert.equal(await shownTo(t, "API.Example.com"), "exact");
    assert.equal(await shownTo(t, "other.example.com"), "wildcard");
    assert.equal(await shownTo(t, "example.com"), "wildcard");
    // A wildcard is one label.
    assert.equal(await shownTo(t, "a.other.example.com"), "localhostEcdsa");
    assert.equal(await shownTo(t, "localhost"), "localhostEcdsa");
    assert.equal(await shownTo(t, "encrypted.example.com"), "encrypted");
    assert.equal(await shownTo(t, "named.in.config"), "plain.example.com");
    assert.equal(await shownTo(t, "plain.example.com"), "wildcard");
    assert.equal(await shownTo(t, "nobody.invalid"), "localhostEcdsa");
    assert.equal(await shownTo(t, ""), "localhostEcdsa");
  });

  test("certificates: a client gets the kind of key that it can verify", async (t) => {
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const rsa = { sigalgs: "RSA-PSS+SHA256:RSA+SHA256", maxVersion };
      const ecdsa = { sigalgs: "ECDSA+SHA256", maxVersion };
      assert.equal(await shownTo(t, "api.example.com", rsa), "exactRsa");
      assert.equal(await shownTo(t, "api.example.com", ecdsa), "exact");
      assert.equal(await shownTo(t, "", rsa), "localhostRsa");
      assert.equal(await shownTo(t, "", ecdsa), "localhostEcdsa");
    }
  });

  test("versions: 1.2 and 1.3 by default, older ones never, 1.3 alone where it is the least", async (t) => {
    const versions = ["TLSv1.1", "TLSv1.2", "TLSv1.3"] as const;
    const agreed = async (listener: number): Promise<string[]> => {
      const list: string[] = [];
      for (const version of versions) {
        const options = { minVersion: version, maxVersion: version, ciphers: "DEFAULT@SECLEVEL=0" };
        const socket = await handshake(t, listener, options).catch(() => undefined);
        if (socket !== undefined) list.push(String(socket.getProtocol()));
      }
      return list;
    };
    assert.deepEqual(await agreed(NAMES), ["TLSv1.2", "TLSv1.3"]);
    assert.deepEqual(await agreed(NEWEST), ["TLSv1.3"]);
  });

  test("ALPN: HTTP/2 is preferred, HTTP/1.1 is the fallback, anything else is refused", async (t) => {
    const agreed = async (listener: number, ...offered: string[]): Promise<string | false> => {
      const options = offered.length > 0 ? { ALPNProtocols: offered } : {};
      return (await handshake(t, listener, options)).alpnProtocol ?? "";
    };
    assert.equal(await agreed(NAMES, "http/1.1", "h2"), "h2");
    assert.equal(await agreed(NAMES, "http/1.1"), "http/1.1");
    assert.equal(await agreed(NAMES), false);
    await assert.rejects(agreed(NAMES, "spdy/3"), { code: /NO_APPLICATION_PROTOCOL/ });
    assert.equal(await agreed(HTTP1_ONLY, "h2", "http/1.1"), "http/1.1");
    await assert.rejects(agreed(HTTP1_ONLY, "h2"), { code: /NO_APPLICATION_PROTOCOL/ });
  });

  test("ALPN: a client that begins HTTP/2 without having agreed on it is served, and counted out", async (t) => {
    const socket = await handshake(t, NAMES);
    const session = http2.connect("https://localhost", { createConnection: () => socket });
    t.after(() => session.destroy());
    assert.equal((await answerOf(session.request({ ":path": "/hello" }))).body, "hello");
    session.destroy();
    await noConnections(NAMES);
  });

  test("ALPN: curl speaks HTTP/2 where it may, HTTP/1.1 where it is switched off", async () => {
    for (const [listener, version] of [
      [NAMES, "2"],
      [HTTP1_ONLY, "1.1"],
    ] as const) {
      const url = `https://localhost:${gateway.ports[listener]}/hello`;
      const { stdout } = await curl("--http2", "-w", " %{http_version}", url);
      assert.equal(stdout, `hello ${version}`);
    }
  });

  test("renewal: new handshakes get a certificate that is replaced on disk, open connections stay", async (t) => {
    const names = async (): Promise<string> => {
      const socket = await handshake(t, RENEWED);
      const { subject } = socket.getPeerCertificate();
      socket.destroy();
      return String(subject.CN);
    };
    assert.equal(await names(), "localhostEcdsa");
    const port = gateway.ports[RENEWED]!;
    const open = await rawConnect(t, { port, tls: { rejectUnauthorized: false } });
    await open.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    await open.readResponse();

    install(certificates.renewed);
    await gateway.poll(5000, "serving the renewed certificate", async () =>
      (await names()) === "renewed" ? true : undefined,
    );
    await open.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.equal((await open.readResponse()).status, 200);

    install({ ...certificates.renewed, certFile: certificates.localhostRsa.certFile });
    await gateway.poll(5000, "through with the wrong pair", async () =>
      (await gateway.status()).lastReload?.result === "refused" ? true : undefined,
    );
    assert.equal(await names(), "renewed");
    await open.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.equal((await open.readResponse()).status, 200);
  });

  test("server name: a request may be for another host than the handshake was", async (t) => {
    // All certificates of a listener make the same demands on clients, so nothing is got round.
    const port = gateway.ports[NAMES]!;
    const tls = { servername: "localhost", rejectUnauthorized: false };
    const client = await rawConnect(t, { port, tls });
    await client.send("GET /hello HTTP/1.1\r\nHost: api.example.com\r\n\r\n");
    assert.equal((await client.readResponse()).body.toString(), "hello, api");
  });

  test("plain HTTP to a TLS port: the connection is closed at once", async (t) => {
    const client = await rawConnect(t, gateway.ports[NAMES]!);
    await client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    await client.readEnd(handshakeTimeoutMs / 2);
    assert.ok(!client.received.includes("hello"));
  });

  test("TLS to a plain port: is answered 400 and closed at once, no client hangs", async (t) => {
    const client = await rawConnect(t, gateway.ports[PLAIN]!);
    // The beginning of a ClientHello.
    await client.send(Buffer.from("16030100c8010000c40303", "hex"));
    assert.equal((await client.readResponse()).status, 400);
    await assert.rejects(handshake(t, PLAIN), { code: "ERR_SSL_WRONG_VERSION_NUMBER" });
  });

  test("handshake: one that does not get done is closed after its timeout, and counted out", async (t) => {
    const silent = await rawConnect(t, gateway.ports[NAMES]!);
    const begun = await rawConnect(t, gateway.ports[NAMES]!);
    await begun.send(Buffer.from("16030100c8010000c40303", "hex"));
    const from = performance.now();
    await Promise.all([silent.readEnd(), begun.readEnd()]);
    const took = performance.now() - from;
    // Without it the default of ten seconds would end them.
    assert.ok(took > handshakeTimeoutMs * 0.8 && took < handshakeTimeoutMs * 9, `${took} ms`);
    await noConnections(NAMES);
  });

  test("handshake: clients that leave within it are counted out", async () => {
    const port = gateway.ports[NAMES]!;
    for (const begin of ["", "16030100c8010000c40303"]) {
      const socket = connectTcp(port, "127.0.0.1");
      await once(socket, "connect");
      socket.write(Buffer.from(begin, "hex"));
      socket.resetAndDestroy();
      const other = connectTcp(port, "127.0.0.1");
      await once(other, "connect");
      other.end(Buffer.from(begin, "hex"));
      other.resume();
      await once(other, "close");
    }
    await noConnections(NAMES);
  });

  /** Connections of earlier tests are gone by their ends; a leak would stay. */
  async function noConnections(listener: number): Promise<void> {
    const labels = { listener: `127.0.0.1:${gateway.ports[listener]}` };
    await gateway.poll(5000, "rid of all connections", async () =>
      (await metricValue(gateway, "gateward_client_connections", labels)) === 0 ? true : undefined,
    );
  }

  test("end: a client that has finished sending (close_notify) still gets its answer", async (t) => {
    const port = gateway.ports[NAMES]!;
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const tls = { rejectUnauthorized: false, maxVersion, allowHalfOpen: true };
      const client = await rawConnect(t, { port, tls });
      await client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
      client.end();
      assert.equal((await client.readResponse()).status, 200);
      assert.equal(await client.readEnd(), "end");
    }
  });

  test("end: the gateway says close_notify, so that a cut cannot pass for an end", async () => {
    // With 1.2 the type of a record is in clear: 21 is an alert, 23 is data.
    const url = `https://localhost:${gateway.ports[NAMES]}/hello`;
    const { stdout, stderr } = await runCommand(
      "openssl",
      ["s_client", "-connect", `127.0.0.1:${new URL(url).port}`, "-tls1_2", "-msg", "-ign_eof"],
      "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    );
    assert.match(stdout, /hello/);
    assert.match(stdout + stderr, /<<< TLS 1\.2, Alert \[length 0002\], warning close_notify/);
  });

  test("reload: a listener may get TLS, and lose it; open connections stay what they were", async (t) => {
    const { certFile: cert, keyFile: key } = certificates.localhostEcdsa;
    const own = await startGateway(t, {
      forwarded: "forwarded",
      services: { echo: service.url },
      routes: [{ match: "/*", service: "echo" }],
    });
    const { port } = own;
    const listener = { host: "127.0.0.1", port };
    const protoOn = async (client: RawConnection): Promise<string> => {
      await client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
      const { headers } = JSON.parse((await client.readResponse()).body.toString()) as SeenRequest;
      return /proto=(\w+)/.exec(Object.fromEntries(headers)["forwarded"] ?? "")![1]!;
    };
    const plain = await rawConnect(t, port);
    assert.equal(await protoOn(plain), "http");
    assert.equal(await own.reload({ listen: { ...listener, tls: { cert, key } } }), "applied");
    const secure = await rawConnect(t, { port, tls: { rejectUnauthorized: false } });
    assert.deepEqual([await protoOn(secure), await protoOn(plain)], ["https", "http"]);
    assert.equal(await own.reload({ listen: listener }), "applied");
    const last = await rawConnect(t, port);
    const protos = [await protoOn(last), await protoOn(secure), await protoOn(plain)];
    assert.deepEqual(protos, ["http", "https", "http"]);
  });
});
