/** stale-while-revalidate at a gateway of two workers: who waits, and how often the service is asked. */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { connect } from "node:net";
import { once } from "node:events";
import { before, describe, test } from "node:test";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import type { HttpService } from "../support/http-service.ts";
import { rush } from "../support/rush.ts";
import { until } from "../support/until.ts";

/** Stale as it comes: it has been under way for as long as it is fresh. */
const STALE = { "cache-control": "max-age=60, stale-while-revalidate=600", age: "60" };

type Answer = (response: ServerResponse) => void;

const shared = fileCleanup();

/** Answers are held back until they are let go. */
function held() {
  const waiting: ServerResponse[] = [];
  const letGo = (): void => {
    for (const response of waiting) {
      response.setHeader("cache-control", "max-age=600");
      response.end("fresh");
    }
  };
  return { waiting, hold: (response: ServerResponse) => waiting.push(response), letGo };
}

describe("cache refresh", () => {
  /** By path: what is asked after the first answer, which is stale as it comes. */
  const answers = new Map<string, Answer>();
  let service: HttpService;
  let gateway: Gateway;
  let config: Record<string, unknown>;

  const asked = (path: string) => service.seen.filter(({ url }) => url === path).length;

  before(async () => {
    service = await startHttpService(shared, {
      answer: (_, response, { url }) => {
        if (asked(url) > 1) {
          answers.get(url)!(response);
          return;
        }
        response.writeHead(200, STALE);
        response.end("stale");
      },
    });
    config = {
      workers: 2,
      services: { products: service.url },
      routes: [{ name: "products", match: "GET /*", service: "products", policies: ["cache"] }],
    };
    gateway = await startGateway(shared, config);
  });

  /** Has a stale answer kept; what the service is asked after that, `answer` answers. */
  async function startScene(path: string, answer: Answer) {
    answers.set(path, answer);
    const ask = async () => {
      const response = await fetch(gateway.url + path, { headers: { connection: "close" } });
      return [response.status, await response.text()] as const;
    };
    assert.deepEqual(await ask(), [200, "stale"]);
    return { ask, crowd: { ports: [gateway.port], path, count: 400, clients: 100 } };
  }

  test("with a slow service all are given the stale answer at once, and one request is made", async () => {
    const { hold, letGo } = held();
    const { ask, crowd } = await startScene("/slow", hold);
    // The service answers none of them.
    assert.deepEqual(await ask(), [200, "stale"]);
    assert.deepEqual(await rush(crowd), { 200: 400 });
    assert.equal(asked("/slow"), 2);
    letGo();
    await until(async () => (await ask())[1] === "fresh");
    assert.deepEqual(await rush(crowd), { 200: 400 });
    assert.deepEqual(await ask(), [200, "fresh"]);
    assert.equal(asked("/slow"), 2);
  });

  test("of a service that fails clients see nothing, and it is not asked by each of them", async () => {
    const { ask, crowd } = await startScene("/fails", (response) => {
      response.statusCode = 503;
      response.end();
    });
    const began = performance.now();
    assert.deepEqual(await rush(crowd), { 200: 400 });
    assert.deepEqual(await ask(), [200, "stale"]);
    // Each of the workers once, and again for every second that it took.
    const most = 1 + 2 * Math.ceil((performance.now() - began) / 1000);
    assert.ok(asked("/fails") <= most, `${asked("/fails")} of ${most}`);
  });

  test("it goes on when the client that has begun it leaves", async () => {
    const { hold, letGo, waiting } = held();
    const { ask } = await startScene("/left", hold);
    const client = connect(gateway.port, "127.0.0.1");
    client.end(`GET /left HTTP/1.1\r\nhost: 127.0.0.1:${gateway.port}\r\n\r\n`);
    client.resume();
    await once(client, "close");
    await until(() => waiting.length === 1);
    letGo();
    await until(async () => (await ask())[1] === "fresh");
    assert.equal(waiting.length, 1);
  });

  test("it goes on while the configuration changes", async () => {
    const { hold, letGo, waiting } = held();
    const { ask } = await startScene("/reload", hold);
    await ask();
    await until(() => waiting.length === 1);
    assert.equal(await gateway.reload({ ...config, limits: { bodyBytes: "2mb" } }), "applied");
    assert.deepEqual(await ask(), [200, "stale"]);
    letGo();
    await until(async () => (await ask())[1] === "fresh");
    assert.equal(waiting.length, 1);
  });

  test("who shuts down waits for what is under way", async () => {
    const { hold, letGo, waiting } = held();
    const { ask } = await startScene("/shutdown", hold);
    await ask();
    await until(() => waiting.length === 1);
    const [response] = waiting;
    let isCut = false;
    response!.on("close", () => (isCut = !response!.writableFinished));
    const stopped = gateway.stop();
    await until(async () => (await fetch(`${gateway.url}/a`).catch(() => null)) === null);
    assert.equal(gateway.child.exitCode, null);
    letGo();
    assert.deepEqual(await stopped, { code: 0, signal: null });
    assert.equal(isCut, false);
  });
});
