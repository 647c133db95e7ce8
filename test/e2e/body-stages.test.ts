/** Bodies on their way through stages that a policy of the user's has asked for. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { connect } from "node:http2";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ask, protocols } from "../support/ask.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import { memoryBytes } from "../support/memory-bytes.ts";
import { metricValue } from "../support/metric-value.ts";
import { drink, Pour } from "../support/pour.ts";
import { rawConnect } from "../support/raw-client.ts";

const policy = fileURLToPath(new URL("../support/staging-policy.ts", import.meta.url));
const shared = fileCleanup();
const MB = 1024 * 1024;
/** Far more than waits for collection at any time. */
const LARGE_BYTES = 200 * MB;

describe("body stages", () => {
  let gateway: Gateway;

  before(async () => {
    const answer: Parameters<typeof startHttpService>[1] = {
      answer: (asked, response, seen) => {
        if (asked.url === "/large") {
          response.on("error", () => {});
          new Pour(response, LARGE_BYTES);
        } else if (asked.url === "/pieces") {
          response.write("one ");
          setImmediate(() => response.end("two"));
        } else {
          response.setHeader("content-type", "application/json");
          response.end(JSON.stringify(seen));
        }
      },
    };
    const http1 = await startHttpService(shared, answer);
    const http2 = await startHttpService(shared, { ...answer, http2: true });
    gateway = await startGateway(shared, {
      services: { one: http1.url, two: { targets: [http2.url], http2: true } },
      limits: { bodyBytes: "none" },
      routes: [
        { match: "/own", respond: { body: "own answer" } },
        { match: "/two/*", service: "two", rewrite: "/*" },
        { match: "/*", service: "one" },
      ],
      policies: [policy],
    });
  });

  for (const protocol of protocols) {
    for (const prefix of ["", "/two"]) {
      const way = `${protocol} to ${prefix === "" ? "HTTP/1.1" : "HTTP/2"}`;
      const post = async (stages: string, body: string[]) => {
        const headers = { "x-request-stages": stages };
        const path = `${prefix}/`;
        const answer = await ask(gateway.port, protocol, { method: "POST", path, body, headers });
        assert.equal(answer.status, 200, answer.body);
        const seen = JSON.parse(answer.body) as { bodyBytes: number; headers: [string, string][] };
        const fields = Object.fromEntries(seen.headers);
        return [seen.bodyBytes, fields["content-length"]];
      };

      test(`${way}: requests arrive as their stages made them, with their length where it is known`, async () => {
        assert.deepEqual(await post("whole", ["some ", "pieces"]), [17, "17"]);
        assert.deepEqual(await post("late capitals", ["ab", "cd"]), [8, "8"]);
        assert.deepEqual(await post("capitals", ["ab", "cd"]), [4, undefined]);
      });

      test(`${way}: responses arrive as their stages made them`, async () => {
        const get = async (stages: string) => {
          const headers = { "x-response-stages": stages };
          const { body, headers: got } = await ask(gateway.port, protocol, {
            path: `${prefix}/pieces`,
            headers,
          });
          return [body, got["content-length"]];
        };
        assert.deepEqual(await get("whole"), ["whole:one two", "13"]);
        assert.deepEqual(await get("capitals"), ["ONE TWO", undefined]);
        assert.deepEqual(await get("capitals late"), ["ONE TWOONE TWO", "14"]);
      });
    }

    test(`${protocol}: a stage that refuses or throws answers, in place of the service`, async () => {
      const statuses: number[] = [];
      for (const side of ["request", "response"]) {
        for (const stage of ["refuses", "throws"]) {
          const headers = { [`x-${side}-stages`]: stage };
          const { status } = await ask(gateway.port, protocol, {
            method: "POST",
            body: "x",
            headers,
          });
          statuses.push(status);
        }
      }
      assert.deepEqual(statuses, [422, 500, 422, 500]);
    });

    test(`${protocol}: answers of the gateway pass stages, and one to HEAD tells no wrong length`, async () => {
      const headers = { "x-response-stages": "capitals" };
      const got = await ask(gateway.port, protocol, { path: "/own", headers });
      assert.deepEqual([got.body, got.headers["content-length"]], ["OWN ANSWER", "10"]);
      const head = await ask(gateway.port, protocol, { method: "HEAD", path: "/own", headers });
      assert.deepEqual([head.status, head.headers["content-length"]], [200, undefined]);
    });
  }

  test("a stage that fails after the head breaks the response off", async () => {
    const labels = { type: "staging-refused" };
    const count = await metricValue(gateway, "gateward_faults_total", labels);
    const client = await rawConnect(shared, { port: gateway.port });
    await client.send("GET /large HTTP/1.1\r\nhost: a\r\nx-response-stages: fails-late\r\n\r\n");
    assert.equal(await client.readEnd(), "reset");
    assert.equal(await metricValue(gateway, "gateward_faults_total", labels), count + 1);
  });

  test("HTTP/1.0: a response without a length ends with the connection", async () => {
    const client = await rawConnect(shared, { port: gateway.port });
    await client.send("GET /pieces HTTP/1.0\r\nhost: a\r\nx-response-stages: capitals\r\n\r\n");
    await client.readEnd();
    const text = client.received.toString();
    assert.match(text, /^HTTP\/1\.1 200 [^]*\r\n\r\nONE TWO$/);
    assert.doesNotMatch(text, /chunked|content-length/i);
  });

  test("Expect: 100-continue is answered where a stage waits for the body", async () => {
    const asked = request({
      port: gateway.port,
      host: "127.0.0.1",
      method: "POST",
      headers: { expect: "100-continue", "content-length": 3, "x-request-stages": "whole" },
    });
    asked.flushHeaders();
    await once(asked, "continue");
    asked.end("abc");
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    assert.equal(response.statusCode, 200);
    response.resume();
    await once(response, "end");
  });

  test("a large response streams through a stage at the pace of a slow client, in little memory", async () => {
    const session = connect(gateway.url);
    shared.after(() => session.destroy());
    const atFirst = await memoryBytes(gateway);
    const headers = { "x-response-stages": "capitals" };
    const asked = request({ port: gateway.port, host: "127.0.0.1", path: "/large", headers });
    asked.end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    // Nobody reads meanwhile: what the gateway takes in has to have an end.
    await ask(gateway.port, "HTTP/1.1", { path: "/pieces" });
    const slow = session.request({ ":path": "/large", ...headers });
    const fast = await drink(response);
    assert.equal(fast.bytes, LARGE_BYTES);
    const grown = (await memoryBytes(gateway)) - atFirst;
    assert.ok(grown < LARGE_BYTES / 2, `${grown} bytes more`);
    assert.equal((await drink(slow)).bytes, LARGE_BYTES);
  });

  test("a large request streams through a stage", async () => {
    const asked = request({
      port: gateway.port,
      host: "127.0.0.1",
      method: "POST",
      headers: { "x-request-stages": "capitals" },
    });
    const answered = once(asked, "response") as Promise<[IncomingMessage]>;
    const poured = new Pour(asked, 50 * MB);
    await poured.done;
    const [response] = await answered;
    let text = "";
    for await (const piece of response) text += String(piece);
    assert.equal((JSON.parse(text) as { bodyBytes: number }).bodyBytes, 50 * MB);
  });

  test("a client that leaves within its body leaves nothing behind", async () => {
    for (const stage of ["whole", "capitals"]) {
      const client = await rawConnect(shared, { port: gateway.port });
      const head = `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\nx-request-stages: ${stage}`;
      await client.send(`${head}\r\n\r\nabc`);
      await gateway.poll(5000, "busy", async () => {
        const inFlight = await metricValue(gateway, "gateward_in_flight_requests");
        return inFlight > 0 || undefined;
      });
      client.destroy();
      await gateway.poll(5000, "idle again", async () => {
        const inFlight = await metricValue(gateway, "gateward_in_flight_requests");
        return inFlight === 0 || undefined;
      });
    }
  });

  test("a body beyond the limit of a stage is refused before all of it has come", async () => {
    const client = await rawConnect(shared, { port: gateway.port });
    const head =
      "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 90000000\r\nx-request-stages: whole";
    await client.send(`${head}\r\n\r\n${"x".repeat(MB + 1)}`);
    await client.readUntil("\r\n\r\n");
    assert.match(client.received.toString(), /^HTTP\/1\.1 422 /);
  });
});
