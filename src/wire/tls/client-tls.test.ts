import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { connect, createServer } from "node:tls";
import type { TlsOptions } from "node:tls";
import { testCertificates } from "../../../test/support/certificates.ts";
import { requires } from "../../../test/support/requires.ts";
import { ClientTls } from "./client-tls.ts";
import type { ClientTlsConfig } from "./client-tls.ts";

const skip = requires("openssl");

function clientTls(config: Partial<ClientTlsConfig>, http2 = false): ClientTls {
  const materials: Record<string, string> = {};
  for (const [name, { cert, key }] of Object.entries(testCertificates())) {
    materials[`${name}.crt`] = cert;
    materials[`${name}.key`] = key;
  }
  return new ClientTls({ verify: true, ...config }, materials, http2);
}

/** A service that says which name it was asked for and who the client is. */
async function service(t: TestContext, options: TlsOptions = {}): Promise<number> {
  const { localhostEcdsa } = testCertificates();
  const server = createServer({ ...localhostEcdsa, ...options }, (socket) => {
    socket.on("error", () => {});
    const client = String(socket.getPeerCertificate().subject?.CN ?? "nobody");
    // Written, not ended, so that session tickets are sure to be read.
    socket.write(`${String(socket.servername)} ${client}`);
  });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function dial(tls: ClientTls, port: number, host = "localhost") {
  const target = `${host}:${port}`;
  const options = tls.connectOptions(target, host);
  const socket = connect({ ...options, host: "127.0.0.1", port });
  socket.on("session", (session) => tls.keepSession(target, session));
  const closed = once(socket, "close").then(() => assert.fail("closed without a greeting"));
  const [greeting] = await Promise.race([once(socket, "data"), closed]);
  closed.catch(() => {});
  const result = {
    greeting: String(greeting),
    alpn: socket.alpnProtocol,
    reused: socket.isSessionReused(),
  };
  socket.destroy();
  return result;
}

test("client tls: the target's name is asked for and checked", { skip }, async (t) => {
  const port = await service(t);
  const tls = clientTls({ ca: "ca.crt" });
  assert.equal((await dial(tls, port)).greeting, "localhost nobody");
  await assert.rejects(dial(tls, port, "orders.test"), { code: "ERR_TLS_CERT_ALTNAME_INVALID" });
});

test("client tls: an address is checked, but not sent as a server name", { skip }, async (t) => {
  const port = await service(t);
  const tls = clientTls({ ca: "ca.crt" });
  assert.equal((await dial(tls, port, "127.0.0.1")).greeting, "false nobody");
  await assert.rejects(dial(tls, port, "127.0.0.2"), { code: "ERR_TLS_CERT_ALTNAME_INVALID" });
});

test("client tls: a given server name replaces the target's", { skip }, async (t) => {
  const port = await service(t, testCertificates().exact);
  const tls = clientTls({ ca: "ca.crt", serverName: "api.example.com" });
  assert.equal((await dial(tls, port, "10.1.2.3")).greeting, "api.example.com nobody");
});

test("client tls: a certificate of another authority is refused", { skip }, async (t) => {
  const port = await service(t, testCertificates().stranger);
  const code = "UNABLE_TO_VERIFY_LEAF_SIGNATURE";
  await assert.rejects(dial(clientTls({ ca: "ca.crt" }), port), { code });
  await assert.rejects(dial(clientTls({}), port), { code });
  assert.equal((await dial(clientTls({ ca: "otherCa.crt" }), port)).reused, false);
});

test(
  "client tls: anything is accepted only when verification is switched off",
  { skip },
  async (t) => {
    const port = await service(t, testCertificates().stranger);
    const tls = clientTls({ verify: false });
    assert.equal((await dial(tls, port, "orders.test")).greeting, "orders.test nobody");
  },
);

test("client tls: a client certificate is shown to a service that asks", { skip }, async (t) => {
  const port = await service(t, { requestCert: true, ca: testCertificates().ca.cert });
  const tls = clientTls({ ca: "ca.crt", cert: "client.crt", key: "client.key" });
  assert.equal((await dial(tls, port)).greeting, "localhost client");
  await assert.rejects(dial(clientTls({ ca: "ca.crt" }), port));
});

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  test(
    `client tls: a ${version} session is resumed with its own target only`,
    { skip },
    async (t) => {
      const options = { minVersion: version, maxVersion: version };
      const port = await service(t, options);
      const otherPort = await service(t, options);
      const tls = clientTls({ ca: "ca.crt" });
      assert.equal((await dial(tls, port)).reused, false);
      assert.equal((await dial(tls, port)).reused, true);
      assert.equal((await dial(tls, otherPort)).reused, false);
      assert.equal(tls.sessionCount, 2);
      tls.dropSession(`localhost:${port}`);
      assert.equal((await dial(tls, port)).reused, false);
    },
  );
}

test("client tls: offers h2 only to services that are to speak it", { skip }, async (t) => {
  const port = await service(t, { ALPNProtocols: ["h2", "http/1.1"] });
  assert.equal((await dial(clientTls({ ca: "ca.crt" }, true), port)).alpn, "h2");
  assert.equal((await dial(clientTls({ ca: "ca.crt" }), port)).alpn, "http/1.1");
});

test("client tls: keeps a bounded number of sessions, those renewed last", { skip }, () => {
  const tls = clientTls({});
  const session = Buffer.from("session");
  for (let target = 0; target < 1024; target++) tls.keepSession(String(target), session);
  tls.keepSession("0", session);
  tls.keepSession("one more", session);
  assert.equal(tls.sessionCount, 1024);
  assert.equal(tls.connectOptions("0", "a.test").session, session);
  assert.equal(tls.connectOptions("1", "a.test").session, undefined);
});

test("client tls: a refusal names the file and what is wrong", { skip }, () => {
  assert.throws(() => clientTls({ ca: "nowhere.pem" }), /^Error: nowhere\.pem: not loaded$/);
  assert.throws(
    () => clientTls({ cert: "client.crt", key: "exactRsa.key" }),
    /^Error: client\.crt: the key does not belong to it$/,
  );
});
