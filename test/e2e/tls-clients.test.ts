/** Clients that come back (session tickets, any worker) and clients that show a certificate. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { before, describe, test } from "node:test";
import type { TestContext } from "node:test";
import { connect } from "node:tls";
import type { ConnectionOptions } from "node:tls";
import { testCertificates } from "../support/certificates.ts";
import type { TestCertificates } from "../support/certificates.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { RawConnection } from "../support/raw-connection.ts";
import { requires } from "../support/requires.ts";

const shared = fileCleanup();

/** Indexes of the listeners. */
const OPEN = 0;
const REQUESTING = 1;
const REQUIRING = 2;
/** Enough that it would be a wonder if one of two workers got them all. */
const COUNT = 40;

describe("TLS clients known by ticket or certificate", { skip: requires("openssl") }, () => {
  let certificates: TestCertificates;
  let gateway: Gateway;

  before(async () => {
    certificates = testCertificates();
    const { certFile: cert, keyFile: key } = certificates.localhostEcdsa;
    const other = certificates.exact;
    const both = [
      { cert, key },
      { cert: other.certFile, key: other.keyFile },
    ];
    const ca = certificates.ca.certFile;
    gateway = await startGateway(shared, {
      workers: 2,
      listen: [
        { tls: { certificates: both } },
        { tls: { certificates: both, ca, clientAuth: "request" } },
        { tls: { certificates: both, ca, clientAuth: "require" } },
      ],
      log: { level: "debug", access: { file: "access.log", fields: ["worker", "path"] } },
      routes: [{ match: "/*", respond: { body: "fine" } }],
    });
  });

  interface Visit {
    readonly status: number;
    readonly reused: boolean;
    /** For the next visit. */
    readonly session: Buffer;
  }

  /** One request on a connection of its own; rejects when TLS fails, however late. */
  async function visit(
    t: TestContext,
    listener: number,
    path: string,
    options: ConnectionOptions = {},
  ): Promise<Visit> {
    const { ca } = certificates;
    const port = gateway.ports[listener]!;
    const socket = connect({
      host: "127.0.0.1",
      servername: "localhost",
      port,
      ca: ca.cert,
      ...options,
    });
    t.after(() => void socket.destroy());
    let session: Buffer | undefined;
    socket.on("session", (ticket) => (session = ticket));
    const failure = new Promise<never>((_, reject) => void socket.on("error", reject));
    failure.catch(() => {});
    await once(socket, "secureConnect");
    const connection = new RawConnection(socket);
    await connection.send(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    const { status } = await Promise.race([connection.readResponse(), failure]);
    const reused = socket.isSessionReused();
    session ??= socket.getSession();
    socket.destroy();
    return { status, reused, session: session! };
  }

  async function workersThatServed(path: string): Promise<number[]> {
    const file = join(dirname(gateway.configFile), "access.log");
    return await gateway.poll(5000, "through with its access log", async () => {
      const lines = readFileSync(file, "utf8").trim().split("\n");
      const entries = lines.map((line) => JSON.parse(line) as { worker: number; path: string });
      const mine = entries.filter((entry) => entry.path === path);
      return mine.length >= COUNT ? mine.map(({ worker }) => worker) : undefined;
    });
  }

  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    for (const servername of ["localhost", "api.example.com"]) {
      test(`resumption: a ticket of ${maxVersion} for ${servername} is good on every worker`, async (t) => {
        const options = { maxVersion, servername };
        const path = `/${maxVersion}-${servername}`;
        const first = await visit(t, OPEN, path, options);
        assert.equal(first.reused, false);
        const { session } = first;
        const visits = Array.from({ length: COUNT }, () =>
          visit(t, OPEN, path, { ...options, session }),
        );
        for (const { status, reused } of await Promise.all(visits)) {
          assert.equal(status, 200);
          assert.equal(reused, true);
        }
        assert.deepEqual(new Set(await workersThatServed(path)), new Set([0, 1]));
      });
    }
  }

  test("require: only a client whose certificate the authority signed gets in", async (t) => {
    const { client, strangerClient } = certificates;
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      for (const servername of ["localhost", "api.example.com"]) {
        const options = { maxVersion, servername };
        const good = await visit(t, REQUIRING, "/", { ...options, ...pem(client) });
        assert.equal(good.status, 200);
        await assert.rejects(visit(t, REQUIRING, "/", options), closed);
        const stranger = visit(t, REQUIRING, "/", { ...options, ...pem(strangerClient) });
        await assert.rejects(stranger, closed);
      }
    }
    await gateway.poll(5000, "telling of failed handshakes", async () =>
      /TLS handshake failed/.test(gateway.output) ? true : undefined,
    );
  });

  test("require: a server certificate is no client certificate, even of the same authority", async (t) => {
    const wrong = visit(t, REQUIRING, "/", pem(certificates.exact));
    await assert.rejects(wrong, closed);
  });

  test("request: every client gets in, with a certificate or without", async (t) => {
    const { client, strangerClient } = certificates;
    for (const own of [{}, pem(client), pem(strangerClient)]) {
      assert.equal((await visit(t, REQUESTING, "/", own)).status, 200);
    }
  });

  test("require: a known client comes back by ticket", async (t) => {
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const options = { maxVersion, ...pem(certificates.client) };
      const { session } = await visit(t, REQUIRING, "/", options);
      const again = await visit(t, REQUIRING, "/", { ...options, session });
      assert.deepEqual([again.status, again.reused], [200, true]);
    }
  });

  test("require: a ticket from a listener that demands less opens nothing", async (t) => {
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      for (const listener of [OPEN, REQUESTING]) {
        const { session } = await visit(t, listener, "/", { maxVersion });
        await assert.rejects(visit(t, REQUIRING, "/", { maxVersion, session }), closed);
        const shown = { maxVersion, session, ...pem(certificates.client) };
        const again = await visit(t, REQUIRING, "/", shown);
        assert.deepEqual([again.status, again.reused], [200, false]);
      }
    }
  });
});

function pem({ cert, key }: TestCertificates["client"]): ConnectionOptions {
  return { cert, key };
}

/** With TLS 1.3 a client learns of its refusal only when it waits for an answer; Node closes without an alert. */
function closed(error: NodeJS.ErrnoException): boolean {
  return (
    /HANDSHAKE_FAILURE|CERTIFICATE_REQUIRED|ECONNRESET/.test(error.code ?? error.message) ||
    error.message.startsWith("ended")
  );
}
