/** The PROXY protocol on listeners: who is believed, what services and the log are told, what is closed. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http2 from "node:http2";
import { connect as connectTcp } from "node:net";
import { dirname, join } from "node:path";
import { before, describe, test } from "node:test";
import type { TestContext } from "node:test";
import { connect as connectTls } from "node:tls";
import { testCertificates } from "../support/certificates.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import type { SeenRequest } from "../support/http-service.ts";
import { answerOf } from "../support/http2-listener.ts";
import { metricValue } from "../support/metric-value.ts";
import { rawConnect } from "../support/raw-client.ts";
import { RawConnection } from "../support/raw-connection.ts";
import { requires } from "../support/requires.ts";
import { runCommand } from "../support/run-command.ts";

const shared = fileCleanup();
const headTimeoutMs = 1000;

/** Indexes of the listeners. */
const PLAIN = 0;
const SECURE = 1;
const UNTRUSTED = 2;

const signature = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const LOCAL = 0x20;
const PROXY = 0x21;

function line(text: string): Buffer {
  return Buffer.from(`${text}\r\n`, "latin1");
}

function binary(command: number, family: number, payload: Uint8Array): Buffer {
  const length = payload.length;
  return Buffer.concat([
    signature,
    Buffer.from([command, family, length >> 8, length & 0xff]),
    payload,
  ]);
}

const v1 = line("PROXY TCP4 203.0.113.7 198.51.100.2 56324 443");
const ipv4 = Buffer.from([203, 0, 113, 7, 198, 51, 100, 2, 0xdc, 0x04, 0x01, 0xbb]);
const v2 = binary(PROXY, 0x11, ipv4);
const ipv6 = Buffer.from(`20010db8${"0".repeat(23)}1${"0".repeat(31)}1dc0401bb`, "hex");
/** The client speaks TLS to the balancer. */
const overTls = binary(
  PROXY,
  0x11,
  Buffer.concat([ipv4, Buffer.from([0x20, 0, 5, 1, 0, 0, 0, 0])]),
);

/** Header, and the client's address that follows from it. */
const believed: readonly (readonly [string, Buffer, string])[] = [
  ["version 1, IPv4", v1, "203.0.113.7"],
  ["version 1, IPv6", line("PROXY TCP6 2001:DB8::1 2001:db8::2 56324 443"), "2001:db8::1"],
  ["version 1, of a kind it cannot tell", line("PROXY UNKNOWN"), "127.0.0.1"],
  ["version 2, IPv4", v2, "203.0.113.7"],
  ["version 2, IPv6", binary(PROXY, 0x21, ipv6), "2001:db8::1"],
  ["version 2, fields after the addresses", overTls, "203.0.113.7"],
  ["version 2, of a kind it cannot tell", binary(PROXY, 0, Buffer.alloc(0)), "127.0.0.1"],
  ["version 2, a Unix socket", binary(PROXY, 0x31, Buffer.alloc(216)), "127.0.0.1"],
  ["version 2, the balancer's own connection", binary(LOCAL, 0, Buffer.alloc(0)), "127.0.0.1"],
];

const refused: readonly (readonly [string, Buffer])[] = [
  ["a request without a header", Buffer.from("GET /a HTTP/1.1\r\nHost: x\r\n\r\n")],
  ["the preface of HTTP/2 without a header", Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")],
  ["a ClientHello without a header", Buffer.from("16030100c8010000c40303", "hex")],
  ["an address that is none", line("PROXY TCP4 203.0.113.777 198.51.100.2 56324 443")],
  ["a line without end", Buffer.alloc(200, "PROXY TCP4 ")],
  ["an unknown command", binary(0x22, 0x11, ipv4)],
  ["addresses that are too short", binary(PROXY, 0x11, ipv4.subarray(4))],
  [
    "a checksum that is wrong",
    binary(PROXY, 0x11, Buffer.concat([ipv4, Buffer.from([3, 0, 4, 1, 2, 3, 4])])),
  ],
];

describe("PROXY protocol", { skip: requires("openssl") }, () => {
  let gateway: Gateway;

  before(async () => {
    const { certFile: cert, keyFile: key } = testCertificates().localhostEcdsa;
    const echo = await startHttpService(shared);
    const proxyProtocol = { trusted: ["127.0.0.0/8"] };
    gateway = await startGateway(shared, {
      listen: [
        { proxyProtocol },
        { proxyProtocol, tls: { cert, key } },
        { proxyProtocol: { trusted: ["192.0.2.0/24"] } },
      ],
      timeouts: { head: `${headTimeoutMs}ms` },
      log: { level: "info", access: { file: "access.log", fields: ["path", "client", "scheme"] } },
      services: { echo: echo.url },
      routes: [
        { match: "/*", service: "echo" },
        { match: { path: "/who", clients: "203.0.113.0/24" }, respond: { body: "told" } },
        { match: "/who", respond: { body: "not told" } },
      ],
    });
  });

  const get = (path: string): Buffer => Buffer.from(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);

  async function seenOn(client: RawConnection): Promise<Record<string, string>> {
    const { body } = await client.readResponse();
    const { headers } = JSON.parse(body.toString()) as SeenRequest;
    return Object.fromEntries(headers);
  }

  /** TLS begins after the header. */
  async function secure(t: TestContext, header: Buffer, ...alpn: string[]) {
    const tcp = connectTcp(gateway.ports[SECURE]!, "127.0.0.1");
    t.after(() => void tcp.destroy());
    await once(tcp, "connect");
    tcp.write(header);
    const options = alpn.length > 0 ? { ALPNProtocols: alpn } : {};
    const socket = connectTls({ socket: tcp, rejectUnauthorized: false, ...options });
    await once(socket, "secureConnect");
    return socket;
  }

  for (const [what, header, address] of believed) {
    test(`${what}: services are told whose the connection is`, async (t) => {
      const plain = await rawConnect(t, gateway.ports[PLAIN]!);
      await plain.send(Buffer.concat([header, get("/a"), get("/b")]));
      assert.equal((await seenOn(plain))["x-forwarded-for"], address);
      assert.equal((await seenOn(plain))["x-forwarded-for"], address);
      await plain.send(get("/who"));
      const told = address === "203.0.113.7" ? "told" : "not told";
      assert.equal((await plain.readResponse()).body.toString(), told);

      const tls = new RawConnection(await secure(t, header));
      await tls.send(get("/a"));
      const seen = await seenOn(tls);
      assert.deepEqual([seen["x-forwarded-for"], seen["x-forwarded-proto"]], [address, "https"]);
    });
  }

  for (const [what, bytes] of refused) {
    test(`${what}: the connection is closed without an answer`, async (t) => {
      for (const listener of [PLAIN, SECURE]) {
        const client = await rawConnect(t, gateway.ports[listener]!);
        await client.send(bytes);
        await client.readEnd(headTimeoutMs / 2);
        assert.equal(client.received.length, 0);
      }
    });
  }

  test("packets: a header is recognised wherever they cut it, and what follows with it", async (t) => {
    for (const header of [v1, v2]) {
      const bytes = Buffer.concat([header, get("/a")]);
      for (let cut = 1; cut < bytes.length; cut++) {
        const client = await rawConnect(t, gateway.ports[PLAIN]!);
        await client.sendCut(bytes, cut);
        assert.equal((await seenOn(client))["x-forwarded-for"], "203.0.113.7", `cut at ${cut}`);
        client.destroy();
      }
      const slow = await rawConnect(t, gateway.ports[PLAIN]!);
      await slow.trickle(bytes);
      assert.equal((await seenOn(slow))["x-forwarded-for"], "203.0.113.7");
    }
  });

  test("packets: a ClientHello may come with the header, whole or in part", async (t) => {
    // The bytes that a TLS client sends first, taken from one that talks to the test.
    for (const together of [1, 100, Infinity]) {
      const tcp = connectTcp(gateway.ports[SECURE]!, "127.0.0.1");
      t.after(() => void tcp.destroy());
      await once(tcp, "connect");
      tcp.setNoDelay(true);
      const write = tcp.write.bind(tcp);
      let first = true;
      const joined = (bytes: Buffer): void => {
        if (!first) return void write(bytes);
        first = false;
        write(Buffer.concat([v2, bytes.subarray(0, together)]));
        setImmediate(() => write(bytes.subarray(together)));
      };
      const { Duplex } = await import("node:stream");
      const between = new Duplex({
        read() {},
        write(bytes: Buffer, _, done) {
          joined(bytes);
          done();
        },
      });
      tcp.on("data", (bytes: Buffer) => between.push(bytes));
      const socket = connectTls({ socket: between, rejectUnauthorized: false });
      await once(socket, "secureConnect");
      const client = new RawConnection(socket);
      await client.send(get("/a"));
      assert.equal((await seenOn(client))["x-forwarded-for"], "203.0.113.7");
    }
  });

  test("HTTP/2: the header holds for all streams, over TLS and by prior knowledge", async (t) => {
    for (const [listener, header] of [
      [SECURE, v2],
      [PLAIN, v1],
      [PLAIN, overTls],
    ] as const) {
      const createConnection =
        listener === SECURE
          ? await secure(t, header, "h2")
          : connectTcp(gateway.ports[PLAIN]!, "127.0.0.1").setNoDelay(true);
      if (listener === PLAIN) createConnection.write(header);
      const session = http2.connect("http://x", { createConnection: () => createConnection });
      t.after(() => session.destroy());
      for (const path of ["/a", "/b"]) {
        const { body } = await answerOf(session.request({ ":path": path }));
        const seen = Object.fromEntries((JSON.parse(body) as SeenRequest).headers);
        assert.equal(seen["x-forwarded-for"], "203.0.113.7");
        assert.equal(seen["x-forwarded-proto"], header === v1 ? "http" : "https");
      }
    }
  });

  test("scheme: is https where the client spoke TLS to the balancer", async (t) => {
    for (const [header, scheme] of [
      [v2, "http"],
      [overTls, "https"],
    ] as const) {
      const client = await rawConnect(t, gateway.ports[PLAIN]!);
      await client.send(Buffer.concat([header, get("/a")]));
      assert.equal((await seenOn(client))["x-forwarded-proto"], scheme);
    }
  });

  test("access log: names the client that was told", async (t) => {
    const client = await rawConnect(t, gateway.ports[PLAIN]!);
    await client.send(Buffer.concat([overTls, get("/logged")]));
    await client.readResponse();
    const file = join(dirname(gateway.configFile), "access.log");
    const entry = await gateway.poll(5000, "through with its access log", async () => {
      const lines = readFileSync(file, "utf8").trim().split("\n");
      const entries = lines.map((text) => JSON.parse(text) as Record<string, string>);
      return entries.find(({ path }) => path === "/logged");
    });
    assert.deepEqual([entry["client"], entry["scheme"]], ["203.0.113.7", "https"]);
  });

  test("curl: with its own header", { skip: requires("curl") }, async () => {
    for (const version of ["--http1.1", "--http2-prior-knowledge"]) {
      const url = `http://127.0.0.1:${gateway.ports[PLAIN]}/a`;
      const { stdout } = await runCommand("curl", ["-sS", "--haproxy-protocol", version, url]);
      const { headers } = JSON.parse(stdout) as SeenRequest;
      assert.equal(Object.fromEntries(headers)["x-forwarded-for"], "127.0.0.1");
    }
  });

  test("untrusted peers: are closed at once, whatever they send", async (t) => {
    for (const bytes of [Buffer.alloc(0), v1, v2, get("/a")]) {
      const client = await rawConnect(t, gateway.ports[UNTRUSTED]!);
      await client.send(bytes);
      await client.readEnd(headTimeoutMs / 2);
      assert.equal(client.received.length, 0);
    }
  });

  test("slow header: is waited for no longer than for a head, however it trickles", async (t) => {
    const from = performance.now();
    const silent = await rawConnect(t, gateway.ports[PLAIN]!);
    const begun = await rawConnect(t, gateway.ports[SECURE]!);
    const trickling = await rawConnect(t, gateway.ports[PLAIN]!);
    await begun.send(v2.subarray(0, 14));
    let sent = 0;
    const timer = setInterval(() => void trickling.send(v1.subarray(sent, ++sent)), 50);
    t.after(() => clearInterval(timer));
    await Promise.all([silent.readEnd(), begun.readEnd(), trickling.readEnd()]);
    const tookMs = performance.now() - from;
    // Without it the default of ten seconds would end it.
    assert.ok(tookMs > 0.8 * headTimeoutMs && tookMs < 9 * headTimeoutMs, `${tookMs} ms`);
  });

  test("health checks: connections that say nothing, or LOCAL alone, leave nothing behind", async (t) => {
    for (const listener of [PLAIN, SECURE]) {
      for (const bytes of ["", binary(LOCAL, 0, Buffer.alloc(0))]) {
        for (const end of ["end", "reset"] as const) {
          const client = await rawConnect(t, gateway.ports[listener]!);
          await client.send(bytes);
          client[end]();
        }
      }
    }
    await gateway.poll(5000, "rid of all connections", async () => {
      let count = 0;
      for (const port of gateway.ports) {
        const labels = { listener: `127.0.0.1:${port}` };
        count += await metricValue(gateway, "gateward_client_connections", labels);
      }
      return count === 0 ? true : undefined;
    });
    const entries = gateway.output
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text) as { msg: string });
    assert.deepEqual(
      entries.map(({ msg }) => msg),
      ["serving"],
    );
  });
});
