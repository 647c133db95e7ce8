/** TLS towards services: whom the gateway trusts, who it says it is, and what becomes of connections. */
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import type { TLSSocket, TlsOptions } from "node:tls";
import { problemTypeBase } from "../../src/base/faults.ts";
import { testCertificates } from "../support/certificates.ts";
import type { TestCertificate, TestCertificates } from "../support/certificates.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { freePort } from "../support/free-port.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import type { SeenRequest } from "../support/http-service.ts";
import { startRawServer } from "../support/raw-server.ts";
import { requires } from "../support/requires.ts";

const shared = fileCleanup();

/** What a service says of a request and its connection. */
interface Answer {
  readonly method: string;
  readonly httpVersion: string;
  /** Counts connections from 0. */
  readonly connection: number;
  readonly bodyBytes: number;
  /** Server name that was asked for; "" without one. */
  readonly serverName: string;
  readonly resumed: boolean;
  /** Common name of the client certificate. */
  readonly client: string;
}

function tell(request: IncomingMessage, response: ServerResponse, seen: SeenRequest): void {
  const { stream } = request as { stream?: { session: { socket: TLSSocket } } };
  const socket = stream?.session.socket ?? (request.socket as TLSSocket);
  const answer: Answer = {
    method: seen.method,
    httpVersion: seen.httpVersion,
    connection: seen.connection,
    bodyBytes: seen.bodyBytes,
    serverName: socket.servername || "",
    resumed: socket.isSessionReused(),
    client: String(socket.getPeerCertificate().subject?.CN ?? ""),
  };
  if (seen.url.startsWith("/closing")) response.setHeader("connection", "close");
  response.end(JSON.stringify(answer));
  // A whole response, after which the service goes without a word of warning.
  if (seen.url.startsWith("/leaving")) response.on("finish", () => socket.end());
}

describe("TLS towards services", { skip: requires("openssl") }, () => {
  let certificates: TestCertificates;
  let gateway: Gateway;
  let folder: string;

  const ownedBy = ({ cert, key }: TestCertificate): TlsOptions => ({ cert, key });

  before(async () => {
    certificates = testCertificates();
    const { localhostRsa, exact, stranger, ca, otherCa, client, strangerClient } = certificates;
    folder = mkdtempSync(join(tmpdir(), "gateward-tls-"));
    shared.after(() => rmSync(folder, { recursive: true }));
    trust(otherCa);
    const serve = (tls: TlsOptions, http2 = false) =>
      startHttpService(shared, { tls, http2, answer: tell });
    const demand = { requestCert: true, rejectUnauthorized: true, ca: ca.cert };
    const local = await serve(ownedBy(localhostRsa));
    const named = await serve(ownedBy(exact));
    const strange = await serve(ownedBy(stranger));
    const older = await serve({ ...ownedBy(localhostRsa), maxVersion: "TLSv1.2" });
    const demanding = await serve({ ...ownedBy(localhostRsa), ...demand });
    const demandingOlder = await serve({
      ...ownedBy(localhostRsa),
      ...demand,
      maxVersion: "TLSv1.2",
    });
    const rpc = await serve(ownedBy(localhostRsa), true);
    const plain = await startHttpService(shared);
    const silent = await startRawServer(shared, () => {});
    const withoutAlpn = await startRawServer(shared, () => {}, { tls: ownedBy(localhostRsa) });
    const caFile = ca.certFile;
    const shown = { ca: caFile, cert: client.certFile, key: client.keyFile };
    const strangerShown = {
      ca: caFile,
      cert: strangerClient.certFile,
      key: strangerClient.keyFile,
    };
    const service = (url: string, tls?: object, more: object = {}) => ({
      targets: [url],
      tls,
      ...more,
    });
    const services = {
      local: service(local.url, { ca: caFile }),
      byName: service(`https://localhost:${local.port}`, { ca: caFile }),
      closing: service(local.url, { ca: caFile, serverName: "localhost" }),
      older: service(older.url, { ca: caFile }),
      untrusted: service(local.url),
      wrongCa: service(local.url, { ca: otherCa.certFile }),
      rotating: service(local.url, { ca: join(folder, "ca.crt") }),
      strange: service(strange.url, { ca: caFile }),
      unverified: service(strange.url, { verify: false }),
      named: service(named.url, { ca: caFile, serverName: "api.example.com" }),
      misnamed: service(named.url, { ca: caFile }),
      known: service(demanding.url, shown),
      unknown: service(demanding.url, { ca: caFile }),
      strangeClient: service(demanding.url, strangerShown),
      unknownOlder: service(demandingOlder.url, { ca: caFile }),
      rpc: service(rpc.url, { ca: caFile }, { http2: true }),
      notRpc: service(local.url, { ca: caFile }, { http2: true }),
      withoutAlpn: service(withoutAlpn.url, { ca: caFile }, { http2: true }),
      onlyRpc: service(rpc.url, { ca: caFile }),
      plain: service(`https://127.0.0.1:${plain.port}`, { ca: caFile }),
      nobody: service(`https://127.0.0.1:${await freePort()}`, { ca: caFile }),
      silent: service(
        `https://127.0.0.1:${silent.port}`,
        { ca: caFile },
        { timeout: { connect: "300ms" } },
      ),
    };
    gateway = await startGateway(shared, {
      services,
      log: { level: "warn" },
      routes: Object.keys(services).map((name) => ({
        match: `/${name}/*`,
        service: name,
        rewrite: "/*",
      })),
    });
  });

  /** Puts authorities where the service `rotating` reads them. */
  function trust({ certFile }: TestCertificate): void {
    copyFileSync(certFile, join(folder, "next"));
    renameSync(join(folder, "next"), join(folder, "ca.crt"));
  }

  async function ask(path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(gateway.url + path, init);
    assert.equal(response.status, 200, `${path}: ${response.status}`);
    return (await response.json()) as Answer;
  }

  /** Status and name of the fault. */
  async function fault(path: string): Promise<string> {
    const response = await fetch(gateway.url + path);
    const { type } = (await response.json()) as { type: string };
    return `${response.status} ${type.replace(problemTypeBase, "")}`;
  }

  test("trust: a service whose certificate the given authority signed is served", async () => {
    const { httpVersion, serverName, client } = await ask("/local/");
    // An address is no server name.
    assert.deepEqual([httpVersion, serverName, client], ["1.1", "", ""]);
    assert.equal((await ask("/byName/")).serverName, "localhost");
    assert.equal((await ask("/older/")).httpVersion, "1.1");
  });

  test("trust: a certificate of any other authority is refused with 502", async () => {
    for (const name of ["untrusted", "wrongCa", "strange"]) {
      assert.equal(await fault(`/${name}/`), "502 upstream-tls-failed", name);
    }
  });

  test("trust: verify: false takes any certificate", async () => {
    assert.equal((await ask("/unverified/")).method, "GET");
  });

  test("trust: authorities are read again when their file changes", async () => {
    assert.equal(await fault("/rotating/"), "502 upstream-tls-failed");
    trust(certificates.ca);
    await gateway.poll(5000, "trusting the new authority", async () =>
      (await fetch(`${gateway.url}/rotating/`)).status === 200 ? true : undefined,
    );
    // What was kept open under the old authority is not used under the new one.
    trust(certificates.otherCa);
    await gateway.poll(5000, "through with the old authority", async () =>
      (await fetch(`${gateway.url}/rotating/`)).status === 502 ? true : undefined,
    );
  });

  test("name: serverName is asked for and checked in place of the target's host", async () => {
    assert.equal((await ask("/named/")).serverName, "api.example.com");
    assert.equal(await fault("/misnamed/"), "502 upstream-tls-failed");
  });

  test("client certificate: is shown to a service that asks for one", async () => {
    assert.equal((await ask("/known/")).client, "client");
    // With TLS 1.3 the service refuses after the handshake: how it ended is all there is to see.
    for (const name of ["unknown", "strangeClient"]) {
      assert.match(await fault(`/${name}/`), /^502 upstream-(tls-failed|reset)$/, name);
    }
    assert.equal(await fault("/unknownOlder/"), "502 upstream-tls-failed");
  });

  test("failure: no TLS, nobody there and no end of the handshake are told apart", async () => {
    assert.equal(await fault("/plain/"), "502 upstream-tls-failed");
    assert.equal(await fault("/nobody/"), "502 connect-failed");
    assert.equal(await fault("/silent/"), "504 connect-timeout");
  });

  test("failure: the log says what was wrong with the service's certificate", async () => {
    await fault("/wrongCa/");
    await gateway.poll(2000, "telling why", async () =>
      /wrongCa.*UNABLE_TO_VERIFY|UNABLE_TO_VERIFY.*wrongCa/.test(gateway.output) ? true : undefined,
    );
  });

  test("connections: one carries many requests, and bodies of 10 MB", async () => {
    const { connection } = await ask("/local/");
    const body = Buffer.alloc(10 * 1024 * 1024, "x");
    const posted = await ask("/local/", { method: "POST", body });
    assert.deepEqual([posted.connection, posted.bodyBytes], [connection, body.length]);
    assert.equal((await ask("/local/")).connection, connection);
  });

  for (const name of ["closing", "older"]) {
    test(`connections: a service that closes them meets resumed sessions (${name})`, async () => {
      const first = await ask(`/${name}/closing`);
      for (let count = 0; count < 3; count++) {
        const next = await ask(`/${name}/closing`);
        assert.notEqual(next.connection, first.connection);
        assert.equal(next.resumed, true);
      }
    });
  }

  test("connections: one that the service has closed in silence costs no request", async () => {
    for (let count = 0; count < 10; count++) {
      const { connection } = await ask("/local/leaving");
      assert.notEqual((await ask("/local/")).connection, connection);
    }
  });

  test("HTTP/2: is agreed on by ALPN, and many requests share a connection", async () => {
    const first = await ask("/rpc/");
    assert.equal(first.httpVersion, "2.0");
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask("/rpc/")));
    for (const { connection } of answers) assert.equal(connection, first.connection);
    const body = Buffer.alloc(10 * 1024 * 1024, "x");
    assert.equal((await ask("/rpc/", { method: "POST", body })).bodyBytes, body.length);
  });

  test("HTTP/2: services that do not agree on what is configured fail as TLS does", async () => {
    for (const name of ["notRpc", "withoutAlpn", "onlyRpc"]) {
      assert.equal(await fault(`/${name}/`), "502 upstream-tls-failed", name);
    }
  });
});
