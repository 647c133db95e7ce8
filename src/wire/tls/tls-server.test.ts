import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { connect } from "node:tls";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { testCertificates } from "../../../test/support/certificates.ts";
import { requires } from "../../../test/support/requires.ts";
import { TlsAcceptor } from "./tls-acceptor.ts";
import { ticketKeysBytes, tlsServerOptions } from "./tls-server-options.ts";
import type { TlsListenerConfig, TlsServerSettings } from "./tls-server-options.ts";

const skip = requires("openssl");
const ticketKeys = randomBytes(ticketKeysBytes);

/** Names of test certificates stand for their files. */
function optionsFor(
  config: Partial<TlsListenerConfig> & { names?: string[] } = {},
  settings: Partial<TlsServerSettings> = {},
) {
  const materials: Record<string, string> = {};
  for (const [name, { cert, key }] of Object.entries(testCertificates())) {
    materials[`${name}.crt`] = cert;
    materials[`${name}.key`] = key;
  }
  const { names = ["localhostEcdsa"], ...rest } = config;
  return tlsServerOptions(
    {
      certificates: names.map((name) => ({ cert: `${name}.crt`, key: `${name}.key` })),
      minVersion: "1.2",
      clientAuth: "none",
      ...rest,
    },
    { materials, ticketKeys, http2: true, handshakeTimeoutMs: 10_000, ...settings },
  ).options;
}

interface Listening {
  readonly port: number;
  readonly failures: NodeJS.ErrnoException[];
  readonly failed: Promise<NodeJS.ErrnoException>;
  readonly accepted: TLSSocket[];
  acceptor: TlsAcceptor;
}

/** Greets each secured client and then echoes. */
async function listen(t: TestContext, options = optionsFor()): Promise<Listening> {
  const sockets = new Set<Socket>();
  const failures: NodeJS.ErrnoException[] = [];
  const accepted: TLSSocket[] = [];
  const firstFailure = Promise.withResolvers<NodeJS.ErrnoException>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    listening.acceptor.accept(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const listening: Listening = {
    port: (server.address() as AddressInfo).port,
    failures,
    failed: firstFailure.promise,
    accepted,
    acceptor: acceptorOf(options),
  };
  function acceptorOf(tlsOptions: typeof options): TlsAcceptor {
    return new TlsAcceptor(
      tlsOptions,
      (socket) => {
        accepted.push(socket);
        socket.on("error", () => {});
        socket.write(`hello ${socket.authorized}`);
        socket.pipe(socket);
      },
      (error) => {
        failures.push(error);
        firstFailure.resolve(error);
      },
    );
  }
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return listening;
}

/** Connects and waits for the greeting, so that a refusal after the handshake is seen as well. */
async function greet(port: number, options: ConnectionOptions = {}) {
  const ca = testCertificates().ca.cert;
  const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ca, ...options });
  let session: Buffer | undefined;
  socket.on("session", (latest) => (session = latest));
  // A refusal may come as an alert or as a bare close.
  const closed = once(socket, "close").then(() => assert.fail("closed without a greeting"));
  const [greeting] = await Promise.race([once(socket, "data"), closed]);
  closed.catch(() => {});
  const result = {
    socket,
    greeting: String(greeting),
    subject: socket.getPeerCertificate().subject?.CN,
    protocol: socket.getProtocol(),
    alpn: socket.alpnProtocol,
    reused: socket.isSessionReused(),
    session,
  };
  return result;
}

async function greetAndLeave(port: number, options: ConnectionOptions = {}) {
  const result = await greet(port, options);
  result.socket.destroy();
  return result;
}

test("tls: the server name chooses the certificate", { skip }, async (t) => {
  const { port } = await listen(t, optionsFor({ names: ["localhostRsa", "wildcard", "exact"] }));
  const shown = async (servername: string) =>
    (await greetAndLeave(port, { servername, rejectUnauthorized: false })).subject;
  assert.equal(await shown("localhost"), "localhostRsa");
  assert.equal(await shown("api.example.com"), "exact");
  assert.equal(await shown("www.example.com"), "wildcard");
  assert.equal(await shown("unknown.test"), "localhostRsa");
  assert.equal(await shown(""), "localhostRsa");
});

for (const names of [
  ["exact", "exactRsa"],
  ["localhostRsa", "exact", "exactRsa"],
]) {
  test(
    `tls: of two certificates for a name the client can verify one (${names.join(" ")})`,
    { skip },
    async (t) => {
      const { port } = await listen(t, optionsFor({ names }));
      const shown = async (sigalgs: string) =>
        (await greetAndLeave(port, { servername: "api.example.com", sigalgs })).subject;
      assert.equal(await shown("ecdsa_secp256r1_sha256"), "exact");
      assert.equal(await shown("rsa_pss_rsae_sha256"), "exactRsa");
    },
  );
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`tls: a ${version} session is resumed on another worker`, { skip }, async (t) => {
    const first = await listen(t, optionsFor({ names: ["localhostRsa", "exact"] }));
    const second = await listen(t, optionsFor({ names: ["localhostRsa", "exact"] }));
    for (const servername of ["localhost", "api.example.com"]) {
      const options = { servername, minVersion: version, maxVersion: version };
      const full = await greetAndLeave(first.port, options);
      assert.equal(full.protocol, version);
      assert.equal(full.reused, false);
      const resumed = await greetAndLeave(second.port, { ...options, session: full.session! });
      assert.equal(resumed.reused, true, servername);
    }
  });
}

test("tls: other ticket keys mean a full handshake, not a failure", { skip }, async (t) => {
  const first = await listen(t);
  const second = await listen(t, optionsFor({}, { ticketKeys: randomBytes(ticketKeysBytes) }));
  const { session } = await greetAndLeave(first.port);
  assert.equal((await greetAndLeave(second.port, { session: session! })).reused, false);
});

test(
  "tls: a session from before client certificates were demanded is not resumed",
  { skip },
  async (t) => {
    const { client } = testCertificates();
    const before = await listen(t);
    const after = await listen(t, optionsFor({ clientAuth: "require", ca: "ca.crt" }));
    const { session } = await greetAndLeave(before.port);
    const { cert, key } = client;
    const again = await greetAndLeave(after.port, { session: session!, cert, key });
    assert.equal(again.reused, false);
    await assert.rejects(greet(after.port, { session: session! }));
  },
);

test(
  "tls: a required client certificate lets only clients with a trusted one in",
  { skip },
  async (t) => {
    const { client, strangerClient } = testCertificates();
    for (const names of [["localhostEcdsa"], ["exact", "localhostEcdsa"]]) {
      const listening = await listen(t, optionsFor({ names, clientAuth: "require", ca: "ca.crt" }));
      const { cert, key } = client;
      const { greeting } = await greetAndLeave(listening.port, { cert, key });
      assert.equal(greeting, "hello true");
      await assert.rejects(greet(listening.port));
      await assert.rejects(
        greet(listening.port, { cert: strangerClient.cert, key: strangerClient.key }),
      );
      assert.equal(listening.accepted.length, 1);
      assert.equal(listening.failures.length, 2);
    }
  },
);

test("tls: a requested client certificate is checked but not needed", { skip }, async (t) => {
  const { client, strangerClient } = testCertificates();
  const { port } = await listen(t, optionsFor({ clientAuth: "request", ca: "ca.crt" }));
  const greeting = async (options: ConnectionOptions) =>
    (await greetAndLeave(port, options)).greeting;
  assert.equal(await greeting({}), "hello false");
  assert.equal(await greeting({ cert: client.cert, key: client.key }), "hello true");
  const { cert, key } = strangerClient;
  assert.equal(await greeting({ cert, key }), "hello false");
});

test("tls: versions below the least one are refused", { skip }, async (t) => {
  const from12 = await listen(t);
  const old = { minVersion: "TLSv1" as const, maxVersion: "TLSv1.1" as const };
  await assert.rejects(greet(from12.port, { ...old, ciphers: "DEFAULT@SECLEVEL=0" }), {
    code: "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
  });
  const from13 = await listen(t, optionsFor({ minVersion: "1.3" }));
  await assert.rejects(greet(from13.port, { maxVersion: "TLSv1.2" }), {
    code: "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
  });
  assert.equal((await greetAndLeave(from13.port)).protocol, "TLSv1.3");
});

test("tls: ALPN prefers h2 where the listener speaks it", { skip }, async (t) => {
  const both = await listen(t);
  const one = await listen(t, optionsFor({}, { http2: false }));
  const ALPNProtocols = ["http/1.1", "h2"];
  assert.equal((await greetAndLeave(both.port, { ALPNProtocols })).alpn, "h2");
  assert.equal((await greetAndLeave(one.port, { ALPNProtocols })).alpn, "http/1.1");
  assert.equal((await greetAndLeave(both.port)).alpn, false);
});

test("tls: given ciphers are the only ones", { skip }, async (t) => {
  const ciphers = "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256";
  const { port } = await listen(t, optionsFor({ ciphers }));
  const { socket } = await greet(port);
  assert.equal(socket.getCipher().standardName, "TLS_AES_128_GCM_SHA256");
  socket.destroy();
  const chacha = { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-CHACHA20-POLY1305" } as const;
  await assert.rejects(greet(port, chacha));
});

test(
  "tls: new certificates serve new connections and leave those in flight alone",
  { skip },
  async (t) => {
    const listening = await listen(t);
    const old = await greet(listening.port);
    assert.equal(old.subject, "localhostEcdsa");
    const server = new TlsAcceptor(
      optionsFor({ names: ["renewed"] }),
      (socket) => socket.end("renewed"),
      () => {},
    );
    listening.acceptor = server;
    assert.equal((await greetAndLeave(listening.port)).subject, "renewed");
    old.socket.write("still here");
    const [echo] = await once(old.socket, "data");
    assert.equal(String(echo), "still here");
    old.socket.destroy();
  },
);

test("tls: a client that does not finish its handshake is cut off", { skip }, async (t) => {
  const listening = await listen(t, optionsFor({}, { handshakeTimeoutMs: 50 }));
  const socket = connectTcp(listening.port, "127.0.0.1").resume();
  await once(socket, "close");
  assert.equal((await listening.failed).code, "ERR_TLS_HANDSHAKE_TIMEOUT");
});

test("tls: plain HTTP on a TLS port fails the handshake", { skip }, async (t) => {
  const listening = await listen(t);
  const socket = connectTcp(listening.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await once(socket, "close");
  assert.equal((await listening.failed).code, "ERR_SSL_HTTP_REQUEST");
});

test("tls: bytes of the handshake that were read before it count", { skip }, async (t) => {
  const listening = await listen(t);
  const proxy = createServer((socket) => {
    socket.once("data", (early: Buffer) => {
      socket.pause();
      listening.acceptor.accept(socket, early.subarray("PROXY\r\n".length));
    });
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  t.after(() => proxy.close());
  const tcp = connectTcp((proxy.address() as AddressInfo).port, "127.0.0.1");
  tcp.cork();
  tcp.write("PROXY\r\n");
  const { ca } = testCertificates();
  const socket = connect({ socket: tcp, servername: "localhost", ca: ca.cert });
  setImmediate(() => tcp.uncork());
  const [greeting] = await once(socket, "data");
  assert.equal(String(greeting), "hello false");
  socket.destroy();
  tcp.destroy();
});

test("tls: a config whose files were not loaded is refused by name", { skip }, () => {
  assert.throws(() => optionsFor({ names: ["nowhere"] }), /^Error: nowhere\.crt: not loaded$/);
  assert.throws(() => optionsFor({ clientAuth: "require" }), /without `ca`/);
  assert.throws(() => optionsFor({ clientAuth: "require", ca: "b.pem" }), /^Error: b\.pem: not/);
});
