/** A browser behind HTTPS: a page with fetch, server-sent events and a WebSocket, over HTTP/2 and HTTP/1.1. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import type { TestContext } from "node:test";
import { WebSocketServer } from "ws";
import { testCertificates } from "../support/certificates.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { commandPath } from "../support/command-path.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { requires } from "../support/requires.ts";

const shared = fileCleanup();

/** What the page found, as it reports it. */
interface Report {
  readonly error?: string;
  readonly protocol: string;
  readonly posted: number;
  readonly parallel: readonly string[];
  readonly events: readonly string[];
  readonly messages: readonly string[];
  readonly cookie: string;
}

const page = `<!doctype html><link rel="icon" href="data:,"><script type="module">
  const report = {};
  try {
    const posted = await fetch("/size", { method: "POST", body: new Uint8Array(1000000) });
    report.posted = Number(await posted.text());
    const entry = performance.getEntriesByType("resource").find(({ name }) => name.endsWith("/size"));
    report.protocol = entry.nextHopProtocol;
    const paths = Array.from({ length: 40 }, (_, at) => "/echo/" + at);
    report.parallel = await Promise.all(paths.map(async (path) => (await fetch(path)).text()));
    report.cookie = document.cookie;
    report.events = await new Promise((resolve, reject) => {
      const list = [];
      const source = new EventSource("/events");
      source.onerror = () => reject(new Error("events"));
      source.onmessage = ({ data }) => {
        // The service sends the next one when it is told to.
        if (list.push(data) < 3) fetch("/next");
        else resolve((source.close(), list));
      };
    });
    report.messages = await new Promise((resolve, reject) => {
      const list = [];
      const socket = new WebSocket("wss://" + location.host + "/socket");
      socket.onerror = () => reject(new Error("socket"));
      socket.onopen = () => socket.send("hello");
      socket.onmessage = ({ data }) => {
        if (list.push(data) === 1) socket.send("x".repeat(100000));
        else socket.close();
      };
      socket.onclose = () => resolve(list.map((text) => text.slice(0, 20)));
    });
  } catch (error) {
    report.error = String(error);
  }
  await fetch("/report", { method: "POST", body: JSON.stringify(report) });
</script>`;

describe("browser", { skip: requires("openssl", "chromium") }, () => {
  let gateway: Gateway;
  let reported: (report: Report) => void = () => {};

  before(async () => {
    let sendNext = (): void => {};
    const answers: Record<string, (request: IncomingMessage, response: ServerResponse) => unknown> =
      {
        "/": (_, response) =>
          response
            .setHeader("set-cookie", ["a=1", "b=2"])
            .setHeader("content-type", "text/html")
            .end(page),
        "/size": async (request, response) => response.end(String((await read(request)).length)),
        "/events": (_, response) => {
          let count = 0;
          response.writeHead(200, { "content-type": "text/event-stream" });
          sendNext = () => void response.write(`data: event ${count++}\n\n`);
          sendNext();
        },
        "/next": (_, response) => (sendNext(), response.end()),
        "/report": async (request, response) => {
          reported(JSON.parse((await read(request)).toString()) as Report);
          response.end();
        },
      };
    const server = createServer((request, response) => {
      const answer = answers[request.url ?? ""];
      if (answer === undefined) response.end(request.url);
      else void answer(request, response);
    });
    const sockets = new WebSocketServer({ server, path: "/socket" });
    sockets.on("connection", (socket) => {
      socket.on("message", (message: Buffer) => socket.send(`re: ${message.toString()}`));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    shared.after(() => {
      sockets.close();
      server.closeAllConnections();
      server.close();
    });
    const { certFile: cert, keyFile: key } = testCertificates().localhostEcdsa;
    const { port } = server.address() as AddressInfo;
    gateway = await startGateway(shared, {
      listen: [{ tls: { cert, key } }, { tls: { cert, key }, http2: false }],
      services: { web: `http://127.0.0.1:${port}` },
      routes: [{ match: "/*", service: "web" }],
    });
  });

  /** Opens the page and waits for what it reports. */
  async function visit(t: TestContext, url: string): Promise<Report> {
    const profile = mkdtempSync(join(tmpdir(), "gateward-browser-"));
    const report = new Promise<Report>((resolve) => (reported = resolve));
    const options = [
      "headless",
      "no-sandbox",
      "disable-gpu",
      "disable-dev-shm-usage",
      "no-first-run",
    ];
    // It is to talk to nobody else.
    const quiet = ["disable-background-networking", "disable-component-update", "disable-sync"];
    const resolver = "host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost";
    const flags = [
      ...options,
      ...quiet,
      resolver,
      `user-data-dir=${profile}`,
      "ignore-certificate-errors",
    ];
    const args = [...flags.map((flag) => `--${flag}`), url];
    const child = spawn(commandPath("chromium")!, args, { stdio: "ignore", detached: true });
    const closed = once(child, "close");
    t.after(async () => {
      // All of its processes are in a group of their own.
      if (child.exitCode === null) process.kill(-child.pid!, "SIGKILL");
      await closed;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    });
    const ended = closed.then(() => assert.fail("the browser ended before the page had reported"));
    return await Promise.race([report, ended]);
  }

  for (const [listener, protocol] of [
    [0, "h2"],
    [1, "http/1.1"],
  ] as const) {
    test(`page: fetch, events and a WebSocket work over ${protocol}`, async (t) => {
      const report = await visit(t, `https://localhost:${gateway.ports[listener]}/`);
      assert.deepEqual(report, {
        posted: 1_000_000,
        protocol,
        parallel: Array.from({ length: 40 }, (_, at) => `/echo/${at}`),
        cookie: "a=1; b=2",
        events: ["event 0", "event 1", "event 2"],
        messages: ["re: hello", "re: xxxxxxxxxxxxxxxx"],
      });
    });
  }
});

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
