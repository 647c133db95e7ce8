/** What is asked for so often that all of its answer is kept ready, in every way it may have to leave. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { ask } from "../support/ask.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway, type Gateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import { rawConnect } from "../support/raw-client.ts";
import { headerValue } from "../support/raw-message.ts";

const shared = fileCleanup();
/** Bytes of every value, those of line ends among them. */
const BODY = Buffer.from(Array.from({ length: 9000 }, (_, at) => at & 255)).toString("latin1");

describe("cache: answers that are ready", () => {
  let gateway: Gateway;

  before(async () => {
    const service = await startHttpService(shared, {
      answer: (_request, response) => {
        response.writeHead(200, { "cache-control": "max-age=600", "x-from": "service" });
        response.end(BODY, "latin1");
      },
    });
    gateway = await startGateway(shared, {
      services: { shop: service.url },
      routes: [
        { match: "/plain", service: "shop", policies: ["cache"] },
        {
          match: "/changed",
          service: "shop",
          policies: [{ headers: { response: { set: { "x-from": "gateway" } } } }, "cache"],
        },
      ],
    });
  });

  function requests(path: string, count: number, version = "1.1", lines = ""): string {
    return `GET ${path} HTTP/${version}\r\nHost: a.example\r\n${lines}\r\n`.repeat(count);
  }

  test("one after the other, many at once, HEAD, HTTP/1.0, HTTP/2 and the last of a connection", async () => {
    const client = await rawConnect(shared, gateway.port);
    for (let count = 0; count < 30; count++) {
      await client.send(requests("/plain", 1));
      const answer = await client.readResponse();
      assert.equal(answer.status, 200);
      assert.equal(answer.body.toString("latin1"), BODY);
      if (count > 0)
        assert.match(headerValue(answer, "cache-status") ?? "", /^gateward; hit; ttl=\d+$/);
    }
    // Some 9 MB, which no socket takes at once.
    await client.send(requests("/plain", 1000));
    for (let count = 0; count < 1000; count++) {
      assert.equal((await client.readResponse()).body.toString("latin1"), BODY);
    }
    await client.send(requests("/plain", 1).replace("GET", "HEAD"));
    const head = await client.readResponse({ responseTo: "HEAD" });
    assert.deepEqual([head.status, headerValue(head, "content-length")], [200, "9000"]);
    await client.send(requests("/plain", 1, "1.1", "Connection: close\r\n"));
    const last = await client.readResponse();
    assert.deepEqual(
      [headerValue(last, "connection"), last.body.toString("latin1")],
      ["close", BODY],
    );
    const old = await rawConnect(shared, gateway.port);
    await old.send(requests("/plain", 1, "1.0", "Connection: keep-alive\r\n"));
    assert.equal(headerValue(await old.readResponse(), "connection"), "keep-alive");
    const { body } = await ask(gateway.port, "HTTP/2", { path: "/plain" });
    assert.equal(
      Buffer.from(body).length,
      Buffer.from(Buffer.from(BODY, "latin1").toString()).length,
    );
  });

  test("a policy before the cache changes them for itself alone", async () => {
    const client = await rawConnect(shared, gateway.port);
    for (let count = 0; count < 30; count++) {
      await client.send(requests("/changed", 1));
      const answer = await client.readResponse();
      assert.equal(headerValue(answer, "x-from"), "gateway");
      assert.equal(answer.body.toString("latin1"), BODY);
    }
  });
});
