/** What an attacker tries at a cache: to have others given what he has brought about, to see what is theirs, to fill it. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { ask, type Question } from "../support/ask.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway, type Gateway } from "../support/gateway.ts";
import { startHttpService, type HttpService } from "../support/http-service.ts";
import { memoryBytes } from "../support/memory-bytes.ts";
import { metricValue } from "../support/metric-value.ts";
import { rawConnect } from "../support/raw-client.ts";
import { startRawServer } from "../support/raw-server.ts";

const cleanup = fileCleanup();
const HOST = "shop.test";
/** Same service, same routes, no cache: what a client would be given without one. */
const PLAIN = "plain.test";

/** Believed by some framework or other. */
const BELIEVED = [
  "x-forwarded-host",
  "x-forwarded-scheme",
  "x-forwarded-proto",
  "x-forwarded-port",
  "x-forwarded-server",
  "x-forwarded-prefix",
  "x-forwarded-path",
  "x-forwarded-uri",
  "x-forwarded-ssl",
  "x-original-url",
  "x-original-host",
  "x-rewrite-url",
  "x-host",
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
  "forwarded",
];

interface Told {
  method: string;
  url: string;
  host: string;
  bodyBytes: number;
}

let service: HttpService;
let gateway: Gateway;

before(async () => {
  service = await startHttpService(cleanup, {
    answer: (request, response, { method, url, headers, bodyBytes }) => {
      // As CGI has it, and all that came after: to many services these are one name.
      const sent = new Map(headers.map(([name, value]) => [name.replaceAll("_", "-"), value]));
      response.setHeader("cache-control", "max-age=600");
      if (url.startsWith("/private")) response.setHeader("cache-control", "private, max-age=600");
      if (url.startsWith("/cookie")) response.setHeader("set-cookie", "session=evil");
      if (url.startsWith("/tenant")) response.setHeader("vary", "X-Tenant");
      if (url.startsWith("/many")) {
        response.setHeader("vary", Array.from({ length: 200 }, (_, index) => `x-${index}`).join());
      }
      if (url.startsWith("/part") && sent.has("range")) {
        response.writeHead(206, { "content-range": "bytes 0-3/100" });
        return response.end("evil");
      }
      if (url.startsWith("/big")) return response.end("b".repeat(300_000));
      const believed = BELIEVED.map((name) => sent.get(name)).filter((value) => value !== HOST);
      const told = { method, url, host: sent.get("host"), bodyBytes, believed };
      const secret = request.headers.authorization ?? "";
      return response.end(JSON.stringify({ ...told, tenant: sent.get("x-tenant"), secret }));
    },
  });
  gateway = await startGateway(cleanup, {
    workers: 2,
    cache: { memory: "4mb" },
    services: { shop: service.url },
    routes: [
      { match: { path: "/*", hosts: PLAIN }, service: "shop" },
      { match: "/*", service: "shop", policies: ["cache"] },
    ],
  });
});

const asked = (path: string): number => service.seen.filter(({ url }) => url === path).length;

/** Bytes on a connection of their own; what comes back, until the gateway ends it or has answered once. */
async function attack(text: string): Promise<string> {
  const connection = await rawConnect(cleanup, gateway.port);
  await connection.send(text);
  const response = await connection.readResponse().catch(() => undefined);
  connection.destroy();
  return response?.body.toString() ?? "";
}

const get = (path: string, question: Question = {}) =>
  ask(gateway.port, "HTTP/1.1", {
    path,
    ...question,
    headers: { host: HOST, ...question.headers },
  });

/** What somebody else is given afterwards, by either worker. */
async function assertVictims(path: string): Promise<void> {
  for (let count = 0; count < 4; count++) {
    const { status, body } = await get(path);
    assert.equal(status, 200, path);
    assert.doesNotMatch(body, /evil/i, path);
    const told = JSON.parse(body) as Told;
    assert.deepEqual([told.method, told.url, told.bodyBytes], ["GET", path, 0]);
  }
}

describe("cache poisoning", () => {
  for (const name of [
    ...BELIEVED,
    "X-FORWARDED-HOST",
    "X_Forwarded_Host",
    "x_original_url",
    "X-Original_URL",
  ]) {
    test(`by the header ${name}`, async () => {
      const path = `/header-${name.toLowerCase()}`;
      await attack(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n${name}: evil\r\n\r\n`);
      await assertVictims(path);
    });
  }

  const requests: Record<string, (path: string) => string> = {
    "a GET with a body": (path) =>
      `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 4\r\n\r\nevil`,
    "a GET with a chunked body": (path) =>
      `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n`,
    "a second request hidden in a body": (path) =>
      `GET /x HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 60\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET ${path} HTTP/1.1\r\nX-Original-Url: evil\r\n\r\n`,
    "an absolute target of another host": (path) =>
      `GET http://evil.test${path} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
    "an absolute target and another Host": (path) =>
      `GET http://${HOST}${path} HTTP/1.1\r\nHost: evil.test\r\n\r\n`,
    "two Hosts": (path) => `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nHost: evil.test\r\n\r\n`,
    "a port in Host": (path) => `GET ${path} HTTP/1.1\r\nHost: ${HOST}:1337evil\r\n\r\n`,
    "a user in Host": (path) => `GET ${path} HTTP/1.1\r\nHost: evil@${HOST}\r\n\r\n`,
    "a folded header": (path) =>
      `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nX-A: a\r\n X-Forwarded-Host: evil\r\n\r\n`,
    "a header named in Connection": (path) =>
      `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nX-Original-Url: /evil\r\nConnection: X-Original-Url\r\n\r\n`,
    "Host named in Connection": (path) =>
      `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nX-Forwarded-Host: evil\r\nConnection: host, x-forwarded-host\r\n\r\n`,
    "an unknown method": (path) => `EVIL ${path} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
    "HTTP/1.0 without Host": (path) => `GET ${path} HTTP/1.0\r\nX-Host: evil\r\n\r\n`,
    "a header of 60 kB": (path) =>
      `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nX-Evil: ${"evil".repeat(15_000)}\r\n\r\n`,
    "a control character in a header": (path) =>
      `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nX-Meta: evil\x07\r\n\r\n`,
    "a query behind an encoded question mark": (path) =>
      `GET ${path}%3Fevil=1 HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
    "a parameter behind a semicolon": (path) =>
      `GET ${path};evil=1 HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
    "a fragment": (path) => `GET ${path}#evil HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
  };
  for (const [index, [what, text]] of Object.entries(requests).entries()) {
    test(`by ${what}`, async () => {
      const path = `/request-${index}`;
      await attack(text(path));
      await assertVictims(path);
    });
  }

  test("by a header that is taken away on its way to the service", async () => {
    const connection = "Connection: X-Tenant\r\n";
    await attack(`GET /tenant HTTP/1.1\r\nHost: ${HOST}\r\nX-Tenant: a\r\n${connection}\r\n`);
    const { body } = await get("/tenant", { headers: { "x-tenant": "a" } });
    assert.equal((JSON.parse(body) as { tenant?: string }).tenant, "a");
  });

  test("by HEAD", async () => {
    await get("/head", { method: "HEAD" });
    await assertVictims("/head");
  });

  test("by a part of the answer", async () => {
    const { status } = await get("/part", { headers: { range: "bytes=0-3" } });
    assert.equal(status, 206);
    await assertVictims("/part");
  });

  test("by authorities that differ in HTTP/2", async () => {
    const headers = { ":authority": HOST, host: "evil.test" };
    await ask(gateway.port, "HTTP/2", { path: "/h2", headers }).catch(() => {});
    await assertVictims("/h2");
  });

  test("by a response that is split: nothing of it is stored", async () => {
    const splits = ["X-A: a\rSet-Cookie: evil=1", "X-A: a\nSet-Cookie: evil=1", "X-A: a\0evil"];
    let split = "";
    const raw = await startRawServer(cleanup, async (connection) => {
      await connection.readRequest();
      const head = `HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n${split}\r\n`;
      await connection.send(`${head}Content-Length: 2\r\nConnection: close\r\n\r\nok`);
      connection.end();
    });
    const other = await startGateway(cleanup, {
      services: { raw: raw.url },
      routes: [{ match: "/*", service: "raw", policies: ["cache"] }],
    });
    for (const [index, line] of splits.entries()) {
      split = line;
      const first = await ask(other.port, "HTTP/1.1", { path: `/${index}` });
      const second = await ask(other.port, "HTTP/1.1", { path: `/${index}` });
      for (const { headers } of [first, second]) {
        // A bare LF ends a line: the service has sent the cookie then, and it is not stored.
        if (first.status === 502) assert.equal(headers["set-cookie"], undefined);
        assert.doesNotMatch(String(headers["cache-status"]), /hit/);
      }
    }
  });
});

test("cache: however a target is spelled, its answer is that of the same spelling without a cache", async () => {
  const spellings = [
    ...["/s/page", "//s/page", "/s//page", "/s/./page", "/s/%2e/page", "/s/x/../page"],
    ...["/s/x/..;/page", "/s/x/%2e%2e/page", "/s%2fpage", "/s/page/", "/s/page/.", "/s/page%00"],
    ...["/s/page%20", "/s/page.", "/s/page;a=1", "/s/page%3ba=1", "/s/page%3fa=1", "/S/page"],
    ...["/s/p%61ge", "/s/page%2f", "/s/page%5c", "/s\\page", "/s/page?", "/s/page?a", "/s/page?a="],
    ...[
      "/s/page?a=1&a=2",
      "/s/page?a=2&a=1",
      "/s/page?a=1;a=2",
      "/s/page?a=1%26a=2",
      "/s/page?%61=1",
    ],
    ...["/s/page?a=1#x", "/s/page??a=1", "/s/page?A=1", "/s/page?a=%31", "/s/page?a=1&"],
  ];
  const told = async (host: string, target: string): Promise<string> => {
    const text = await attack(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    if (!text.startsWith('{"method"')) return "refused";
    // A query of nothing is none: `/a?` and `/a` are one.
    return (JSON.parse(text) as Told).url.replace(/\?$/, "");
  };
  const without: string[] = [];
  for (const target of spellings) without.push(await told(PLAIN, target));
  for (const order of [spellings, spellings.toReversed(), spellings]) {
    for (const target of order) {
      assert.equal(await told(HOST, target), without[spellings.indexOf(target)], target);
    }
  }
});

test("cache: one host in any case, with a dot or the scheme's own port, is never another's", async () => {
  for (const host of [HOST, "SHOP.test", `${HOST}:80`, `${HOST}.`, `${HOST}:8080`]) {
    const text = await attack(`GET /hosts HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    if (!text.startsWith('{"method"')) continue;
    const told = JSON.parse(text) as Told;
    const [name = "", port = "80"] = told.host.split(":");
    const [wanted = "", wantedPort = "80"] = host.toLowerCase().split(":");
    assert.deepEqual([name.toLowerCase(), port], [wanted, wantedPort]);
  }
});

test("cache: HTTP/2 and HTTP/1.1 share what is kept", async () => {
  const first = await ask(gateway.port, "HTTP/1.1", { path: "/both" });
  const second = await ask(gateway.port, "HTTP/2", { path: "/both" });
  assert.equal(second.body, first.body);
  assert.equal(asked("/both"), 1);
});

test("cache deception: what is private, has a cookie or was asked for with Authorization is for nobody else", async () => {
  for (const path of ["/private/account.css", "/private/x/..%2faccount.js", "/cookie/a.png"]) {
    const headers = { cookie: "session=victim" };
    await get(path, { headers });
    const { headers: received } = await get(path);
    assert.doesNotMatch(String(received["cache-status"]), /hit/, path);
  }
  const headers = { authorization: "Bearer evil-secret" };
  for (const path of ["/account", "/account.css", "/account;x.css", "/account%0a.css"]) {
    await get(path, { headers });
    const { body } = await get(path);
    assert.doesNotMatch(body, /evil-secret/, path);
  }
});

test("cache: a Vary of very many headers is not kept, and harms nobody", async () => {
  for (let count = 0; count < 3; count++) assert.equal((await get("/many")).status, 200);
  assert.equal(asked("/many"), 3);
});

test("cache: thousands of variants, addresses and large bodies drive out no hot one, and memory holds", async () => {
  const hot = Array.from({ length: 20 }, (_, index) => `/hot-${index}`);
  const askAll = async (paths: readonly string[]) => {
    const answers = await Promise.all(paths.map((path) => get(path)));
    assert.ok(answers.every(({ status }) => status === 200));
  };
  for (let round = 0; round < 4; round++) await askAll(hot);
  await askAll(Array.from({ length: 100 }, (_, index) => `/warm-${index}`));
  const bytesBefore = await memoryBytes(gateway);
  for (let round = 0; round < 20; round++) {
    const flood = Array.from({ length: 150 }, (_, index) => `/flood-${round}-${index}`);
    await askAll([...flood, `/big-${round}`]);
    const variants = Array.from({ length: 100 }, (_, index) => `${round}-${index}`);
    await Promise.all(
      variants.map((tenant) => get("/tenants", { headers: { "x-tenant": tenant } })),
    );
    await askAll(hot);
  }
  assert.deepEqual(
    hot.map(asked),
    hot.map(() => 1),
  );
  const used = await metricValue(gateway, "gateward_cache_bytes");
  assert.ok(used <= (await metricValue(gateway, "gateward_cache_limit_bytes")));
  assert.ok((await metricValue(gateway, "gateward_cache_evictions_total")) > 1000);
  // 11 MB went through a cache of 4 MB; the rest is what the heaps of two workers and the main thread do.
  const grownBytes = (await memoryBytes(gateway)) - bytesBefore;
  assert.ok(grownBytes < 100e6, `${grownBytes} bytes`);
  const { body } = await get("/tenants", { headers: { "x-tenant": "mine" } });
  assert.equal((JSON.parse(body) as { tenant?: string }).tenant, "mine");
});
