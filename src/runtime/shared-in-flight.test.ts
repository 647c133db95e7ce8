/** What workers know together of the requests in flight to each address that a name resolves to. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, get } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { FakeDnsServer } from "../../test/support/fake-dns-server.ts";
import { freePort } from "../../test/support/free-port.ts";
import { createLog } from "../base/log/create-log.ts";
import { loadConfig } from "../config/load-config.ts";
import { DnsDiscovery } from "../discovery/dns.ts";
import { fileFingerprint } from "./file-watcher.ts";
import { Gateway } from "./gateway.ts";

const NAME = "users.test";
const HOSTS = ["127.0.0.1", "127.0.0.2", "127.0.0.3"] as const;
/** Enough that both workers get some: each connection falls to one of them by chance. */
const REQUESTS = 40;

/** One server on each address, all on one port. */
class Servers {
  readonly port: number;
  private readonly servers: Server[];
  private held: (() => void)[] = [];
  private onHeld: () => void = () => {};

  /** Each says its address; `/hold/ADDRESS` is kept waiting by the one it names. */
  constructor(port: number) {
    this.port = port;
    this.servers = HOSTS.map((host) =>
      createServer((request, response) => {
        if (request.url !== `/hold/${host}`) {
          response.end(host);
          return;
        }
        this.held.push(() => response.end(host));
        this.onHeld();
      }),
    );
  }

  async start(): Promise<void> {
    for (const [index, server] of this.servers.entries()) {
      server.listen(this.port, HOSTS[index]);
      await once(server, "listening");
    }
  }

  /** Asks until the address keeps a request waiting; returns its answer to come. */
  async hold(gatewayPort: number, host: string): Promise<{ answer: Promise<string> }> {
    const { promise: held, resolve } = Promise.withResolvers<boolean>();
    this.onHeld = () => resolve(true);
    for (;;) {
      const answer = ask(gatewayPort, `/hold/${host}`);
      if (await Promise.race([held, answer.then(() => false)])) return { answer };
    }
  }

  /** Lets all that wait have their answers. */
  release(): void {
    for (const end of this.held.splice(0)) end();
  }

  close(): void {
    for (const server of this.servers) {
      server.close();
      server.closeAllConnections();
    }
  }
}

/** A gateway with two workers whose one service is the name, resolved by a DNS server of our own. */
async function startGateway(context: TestContext, targetPort: number, dns: FakeDnsServer) {
  const folder = await mkdtemp(join(tmpdir(), "gateward-"));
  const file = join(folder, "gateward.json");
  const port = await freePort();
  const document = {
    listen: `127.0.0.1:${port}`,
    admin: false,
    services: { users: { targets: [`http://${NAME}:${targetPort}`], balance: "least-requests" } },
    routes: [{ match: "/*", service: "users" }],
  };
  await writeFile(file, JSON.stringify(document));
  const load = (): ReturnType<typeof loadConfig> => loadConfig({ file, folder });
  const { loaded } = await load();
  const gateway = new Gateway({
    version: "0.0.0",
    loaded: loaded!,
    fingerprint: await fileFingerprint(file),
    load,
    workerCount: 2,
    log: createLog(
      { level: "error", format: "json" },
      { to: join(folder, "gateward.log"), isTerminal: false, colors: false },
    ),
    openEndpoints: (onChange, log) =>
      new DnsDiscovery({ onChange, log, servers: [dns.address], ttlMinMs: 20 }),
    openAdmin: () => ({
      prepare: async () => {},
      commit: () => {},
      abort: () => {},
      close: async () => {},
    }),
  });
  context.after(async () => {
    await gateway.close();
    await rm(folder, { recursive: true, force: true });
  });
  await gateway.start();
  return { port };
}

/** On a connection of its own, so that any worker may get it; resolves with the address that answered. */
async function ask(port: number, path: string): Promise<string> {
  const request = get({ port, path, agent: false });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  let text = "";
  for await (const part of response.setEncoding("latin1")) text += String(part);
  return text;
}

/** Which addresses answer while one of them has a request in flight. */
async function answering(port: number): Promise<string[]> {
  const hosts = new Set<string>();
  // One after the other: in flight is only what is held.
  for (let count = 0; count < REQUESTS; count++) hosts.add(await ask(port, "/"));
  return [...hosts].sort();
}

test(
  "requests in flight: every worker knows those to each address of a name, as addresses come and go",
  { skip: process.platform !== "linux" && "needs all of 127.0.0.0/8 on the loopback interface" },
  async (context) => {
    const servers = new Servers(await freePort());
    await servers.start();
    const dns = await FakeDnsServer.start();
    dns.names.set(NAME, { a: ["127.0.0.1", "127.0.0.2"] });
    const { port } = await startGateway(context, servers.port, dns);
    context.after(() => dns[Symbol.asyncDispose]());
    context.after(() => servers.close());

    await assertOtherAnswers(servers, port, "127.0.0.1", "127.0.0.2");
    await assertOtherAnswers(servers, port, "127.0.0.2", "127.0.0.1");

    // What is in flight to the address that stays is not forgotten: soon only the new one answers. And
    // that one is counted by all workers too.
    const { answer } = await servers.hold(port, "127.0.0.1");
    dns.names.set(NAME, { a: ["127.0.0.1", "127.0.0.3"] });
    while ((await answering(port)).join() !== "127.0.0.3");
    servers.release();
    assert.equal(await answer, "127.0.0.1");
    await assertOtherAnswers(servers, port, "127.0.0.3", "127.0.0.1");
  },
);

/** While one address has a request in flight, through whichever worker, none sends it another. */
async function assertOtherAnswers(
  servers: Servers,
  port: number,
  busy: string,
  other: string,
): Promise<void> {
  const { answer } = await servers.hold(port, busy);
  assert.deepEqual(await answering(port), [other], `while ${busy} is busy`);
  servers.release();
  assert.equal(await answer, busy);
}
