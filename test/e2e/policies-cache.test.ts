/** The cache in a gateway of two workers, over both protocols. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { ask, protocols } from "../support/ask.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import type { HttpService } from "../support/http-service.ts";
import { rawConnect } from "../support/raw-client.ts";

const shared = fileCleanup();
const LARGE = "0123456789".repeat(30_000);

describe("cache", () => {
  let gateway: Gateway;
  let service: HttpService;

  before(async () => {
    service = await startHttpService(shared, {
      answer: (request, response, { method, url }) => {
        if (method !== "GET" || url.startsWith("/empty")) {
          response.statusCode = method === "GET" ? 200 : 204;
          response.end();
          return;
        }
        if (request.headers["if-none-match"] === '"1"') {
          response.writeHead(304, { etag: '"1"', "cache-control": "no-cache" });
          response.end();
          return;
        }
        const control = url.startsWith("/validated") ? "no-cache" : "max-age=60";
        response.writeHead(200, { etag: '"1"', "cache-control": control });
        if (url.startsWith("/broken")) {
          response.write("half");
          setImmediate(() => response.destroy());
          return;
        }
        const body = url.startsWith("/large") ? LARGE : `answer to ${url}`;
        // So that many ask before there is an answer.
        setTimeout(() => response.end(body), url.startsWith("/slow") ? 300 : 0);
      },
    });
    gateway = await startGateway(shared, {
      workers: 2,
      services: { shop: service.url },
      policies: ["cache"],
      routes: [{ match: "/*", service: "shop" }],
    });
  });

  const asked = (path: string) => service.seen.filter(({ url }) => url === path).length;

  for (const protocol of protocols) {
    const suffix = protocol === "HTTP/2" ? "?2" : "?1";
    const get = (path: string, headers: Record<string, string> = {}) =>
      ask(gateway.port, protocol, { path: path + suffix, headers });

    test(`a hit over ${protocol} is what the service has answered, in both workers`, async () => {
      for (const path of ["/small", "/large"]) {
        const bodies = new Set<string>();
        for (let count = 0; count < 12; count++) {
          const { status, headers, body } = await get(path);
          assert.equal(status, 200);
          assert.equal(headers["etag"], '"1"');
          if (count > 0) assert.equal(headers["content-length"], String(body.length));
          bodies.add(body);
        }
        assert.deepEqual([...bodies], [path === "/large" ? LARGE : `answer to ${path}${suffix}`]);
        assert.equal(asked(path + suffix), 1);
      }
    });

    test(`conditions and ranges over ${protocol} are answered out of what is kept`, async () => {
      await get("/large");
      const part = await get("/large", { range: "bytes=5-14" });
      assert.deepEqual([part.status, part.body], [206, "5678901234"]);
      assert.equal(part.headers["content-range"], `bytes 5-14/${LARGE.length}`);
      const same = await get("/large", { "if-none-match": '"1"' });
      assert.deepEqual([same.status, same.body], [304, ""]);
    });

    test(`what is to be validated over ${protocol} is sent once, and validated each time`, async () => {
      for (let count = 0; count < 4; count++) {
        const { status, body } = await get("/validated");
        assert.deepEqual([status, body], [200, `answer to /validated${suffix}`]);
      }
      assert.equal(asked(`/validated${suffix}`), 4);
    });

    test(`a thousand that ask at once over ${protocol} make one request of the service`, async () => {
      const answers = await Promise.all(Array.from({ length: 1000 }, () => get("/slow")));
      assert.ok(answers.every(({ body }) => body === `answer to /slow${suffix}`));
      assert.equal(asked(`/slow${suffix}`), 1);
    });

    test(`what has broken off over ${protocol} is not kept`, async () => {
      await get("/broken").catch(() => {});
      await get("/broken").catch(() => {});
      assert.equal(asked(`/broken${suffix}`), 2);
    });

    test(`a change over ${protocol} is known to both workers`, async () => {
      await get("/changed");
      await ask(gateway.port, protocol, { method: "DELETE", path: `/changed${suffix}` });
      for (let count = 0; count < 6; count++) await get("/changed");
      assert.equal(
        service.seen.filter(({ url, method }) => url === `/changed${suffix}` && method === "GET")
          .length,
        2,
      );
    });
  }

  test("the connection over which the service has said that nothing changed is used again", async () => {
    const target = "/validated?connections";
    for (let count = 0; count < 10; count++) {
      const { status } = await ask(gateway.port, "HTTP/1.1", { path: target });
      assert.equal(status, 200);
    }
    const used = service.seen.filter(({ url }) => url === target).map((one) => one.connection);
    assert.equal(used.length, 10);
    // Each worker has its own.
    assert.ok(new Set(used).size <= 2, used.join());
  });

  test("hits follow one another on a connection", async () => {
    await ask(gateway.port, "HTTP/1.1", { path: "/again" });
    const client = await rawConnect(shared, gateway.port);
    const request = "GET /again HTTP/1.1\r\nHost: 127.0.0.1:" + gateway.port + "\r\n\r\n";
    await client.send(request + request + request);
    for (let count = 0; count < 3; count++) {
      assert.equal((await client.readResponse()).body.toString(), "answer to /again");
    }
    assert.equal(asked("/again"), 1);
  });
});
