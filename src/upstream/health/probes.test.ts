/** Each kind of check against real servers. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { testCertificates } from "../../../test/support/certificates.ts";
import { freePort } from "../../../test/support/free-port.ts";
import { startHttpService } from "../../../test/support/http-service.ts";
import { requires } from "../../../test/support/requires.ts";
import { startFakeGrpcHealth } from "../../../test/support/fake-grpc-health.ts";
import { checkResult } from "../../base/metrics/families.ts";
import { ClientTls } from "../../wire/tls/client-tls.ts";
import type { ExpectedAnswer } from "./expected-answer.ts";
import { decodeCheck, encodeCheck, grpcProbe } from "./grpc-probe.ts";
import { http1Probe, type ProbeRequest } from "./http1-probe.ts";
import { http2Probe } from "./http2-probe.ts";
import type { ProbePlace } from "./probe-socket.ts";
import type { Probe, ProbeOutcome } from "./probe.ts";
import { tcpProbe } from "./tcp-probe.ts";

const asked: ProbeRequest = {
  method: "GET",
  path: "/healthz?deep=1",
  authority: "users.internal:3000",
  headers: { "x-probe": "yes" },
};
const ok: ExpectedAnswer = { status: new Set([200]), body: null };
const grpc = { service: "", authority: "users.internal", headers: {}, timeoutMs: 1000 };

function at(port: number): ProbePlace {
  return { host: "127.0.0.1", port, path: "", tls: null };
}

/** What comes of a check, and that it comes once. */
async function run(probe: Probe): Promise<ProbeOutcome> {
  const outcomes: ProbeOutcome[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  probe((outcome) => {
    outcomes.push(outcome);
    resolve();
  });
  await promise;
  // What the closing of the connection brings comes now.
  await new Promise((settled) => setImmediate(settled));
  assert.equal(outcomes.length, 1);
  return outcomes[0]!;
}

async function rawServer(t: TestContext, onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    onSocket(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as { port: number }).port;
}

for (const [version, probe] of [
  ["http/1.1", http1Probe],
  ["http/2", http2Probe],
] as const) {
  const http2 = version === "http/2";

  test(`${version} check: asks what it is told to, and passes on the status that is expected`, async (t) => {
    const service = await startHttpService(t, { http2 });
    assert.equal((await run(probe(at(service.port), asked, ok))).result, checkResult.passed);
    const [seen] = service.seen;
    assert.deepEqual([seen!.method, seen!.url], ["GET", "/healthz?deep=1"]);
    const headers = new Map(seen!.headers);
    assert.equal(headers.get(http2 ? ":authority" : "host"), "users.internal:3000");
    assert.equal(headers.get("x-probe"), "yes");
  });

  test(`${version} check: another status fails, a redirect is not followed`, async (t) => {
    const service = await startHttpService(t, {
      http2,
      answer: (_, response) => void response.writeHead(302, { location: "/" }).end(),
    });
    assert.deepEqual(await run(probe(at(service.port), asked, ok)), {
      result: checkResult.unexpected,
      reason: "status 302",
    });
    assert.equal(service.seen.length, 1);
  });

  test(`${version} check: the body is held against what is expected, and only its beginning is read`, async (t) => {
    let isFine = true;
    const service = await startHttpService(t, {
      http2,
      answer: (_, response) => {
        response.write(isFine ? "status: fine" : "status: ill");
        response.write("x".repeat(100_000));
        // It never ends.
      },
    });
    const expected = { ...ok, body: { test: (text: string) => text.includes("fine") } };
    assert.equal((await run(probe(at(service.port), asked, expected))).result, checkResult.passed);
    isFine = false;
    const { result, reason } = await run(probe(at(service.port), asked, expected));
    assert.deepEqual([result, reason], [checkResult.unexpected, "the body is not as expected"]);
  });

  test(`${version} check: nobody there, nobody who answers, and what is not HTTP are told apart`, async (t) => {
    const nobody = await run(probe(at(await freePort()), asked, ok));
    assert.deepEqual(nobody, { result: checkResult.connect, reason: "ECONNREFUSED" });
    const closing = await rawServer(t, (socket) => void socket.end());
    assert.equal((await run(probe(at(closing), asked, ok))).result, checkResult.broken);
    const babbling = await rawServer(t, (socket) => void socket.end("220 mail.test ESMTP\r\n\r\n"));
    assert.equal((await run(probe(at(babbling), asked, ok))).result, checkResult.broken);
  });

  test(`${version} check: given up, it closes its connection and says nothing`, async (t) => {
    const closed = Promise.withResolvers<void>();
    const opened = Promise.withResolvers<void>();
    const port = await rawServer(t, (socket) => {
      socket.resume();
      opened.resolve();
      socket.once("close", () => closed.resolve());
    });
    let outcomes = 0;
    const cancel = probe(at(port), asked, ok)(() => (outcomes += 1));
    await opened.promise;
    cancel();
    await closed.promise;
    assert.equal(outcomes, 0);
  });
}

test("http/1.1 check: a change of protocol is no good answer", async (t) => {
  const port = await rawServer(t, (socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n");
  });
  const { result } = await run(http1Probe(at(port), asked, ok));
  assert.equal(result, checkResult.unexpected);
});

test("http/1.1 check: a Unix socket is checked like any other target", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "gateward-health-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "service.sock");
  await startHttpService(t, { path });
  const place = { host: "", port: 0, path, tls: null };
  assert.equal((await run(http1Probe(place, asked, ok))).result, checkResult.passed);
});

test("tcp check: a connection is enough", async (t) => {
  const port = await rawServer(t, () => {});
  assert.equal((await run(tcpProbe(at(port)))).result, checkResult.passed);
  const nobody = await run(tcpProbe(at(await freePort())));
  assert.deepEqual(nobody, { result: checkResult.connect, reason: "ECONNREFUSED" });
});

test("grpc check: passes while the service asked for is serving", async (t) => {
  const fake = await startFakeGrpcHealth(t);
  fake.statuses.set("", 1).set("shop.v1.Orders", 2);
  const place = at(fake.port);
  assert.equal((await run(grpcProbe(place, grpc))).result, checkResult.passed);
  assert.deepEqual(await run(grpcProbe(place, { ...grpc, service: "shop.v1.Orders" })), {
    result: checkResult.unexpected,
    reason: "NOT_SERVING",
  });
  assert.deepEqual(await run(grpcProbe(place, { ...grpc, service: "nobody" })), {
    result: checkResult.unexpected,
    reason: "grpc-status 5",
  });
});

test("grpc check: what answers, but not as gRPC does, fails", async (t) => {
  const { port } = await startHttpService(t, { http2: true });
  const { result, reason } = await run(grpcProbe(at(port), grpc));
  assert.deepEqual([result, reason], [checkResult.unexpected, "grpc-status NaN"]);
});

test("grpc check: messages are those of the protocol", () => {
  assert.equal(encodeCheck("").toString("hex"), "0000000000");
  assert.equal(encodeCheck("ab").toString("hex"), "00000000040a026162");
  assert.equal(decodeCheck(Buffer.from("00000000020801", "hex")), 1);
  assert.equal(decodeCheck(Buffer.from("0000000000", "hex")), 0);
  for (const wrong of [
    "",
    "00",
    "0100000002080 1",
    "00000000030801",
    "00000000021001",
    "0000000002088",
  ]) {
    assert.equal(decodeCheck(Buffer.from(wrong, "hex")), -1, wrong);
  }
});

describe("checks over TLS", { skip: requires("openssl") }, () => {
  const { localhostRsa, ca, otherCa, client } = testCertificates();
  const server = { cert: localhostRsa.cert, key: localhostRsa.key };
  const materials = { ca: ca.cert, other: otherCa.cert, cert: client.cert, key: client.key };

  const secured = (port: number, http2: boolean, tls: object): ProbePlace => {
    const secure = new ClientTls({ verify: true, ...tls }, materials, http2);
    return { ...at(port), tls: () => secure.connectOptions("", "localhost") };
  };

  for (const [version, probe] of [
    ["http/1.1", http1Probe],
    ["http/2", http2Probe],
  ] as const) {
    const http2 = version === "http/2";

    test(`${version} check over TLS: trusts whom the service trusts, and shows its certificate`, async (t) => {
      const tls = { ...server, requestCert: true, rejectUnauthorized: true, ca: ca.cert };
      const { port } = await startHttpService(t, { tls, http2 });
      const shown = { ca: "ca", cert: "cert", key: "key" };
      const passed = await run(probe(secured(port, http2, shown), asked, ok));
      assert.equal(passed.result, checkResult.passed);
      const other = await run(probe(secured(port, http2, { ...shown, ca: "other" }), asked, ok));
      assert.equal(other.result, checkResult.connect);
      const anonymous = await run(probe(secured(port, http2, { ca: "ca" }), asked, ok));
      assert.notEqual(anonymous.result, checkResult.passed);
      const named = { ...shown, serverName: "other.test" };
      const misnamed = await run(probe(secured(port, http2, named), asked, ok));
      assert.deepEqual(misnamed, {
        result: checkResult.connect,
        reason: "ERR_TLS_CERT_ALTNAME_INVALID",
      });
    });
  }

  test("http/2 check over TLS: a server without HTTP/2 is told as one", async (t) => {
    const { port } = await startHttpService(t, { tls: server });
    const { result } = await run(http2Probe(secured(port, true, { ca: "ca" }), asked, ok));
    assert.notEqual(result, checkResult.passed);
  });
});
