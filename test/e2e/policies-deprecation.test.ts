/** A route that is deprecated, and one that has ended, in a real gateway. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { ask, protocols } from "../support/ask.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway, type Gateway } from "../support/gateway.ts";
import { startHttpService, type HttpService } from "../support/http-service.ts";

const shared = fileCleanup();
const key = "of-a-shop-0123456789abcdefghijklmnop";

describe("deprecation", () => {
  let gateway: Gateway;
  let service: HttpService;

  before(async () => {
    service = await startHttpService(shared);
    const successor = "https://api.example.com/v2/orders";
    const route = (name: string, deprecation: object) => ({
      name,
      match: `/${name}`,
      service: "orders",
      policies: ["api-key", { deprecation: { successor, ...deprecation } }],
    });
    gateway = await startGateway(shared, {
      services: { orders: service.url },
      consumers: { shop: { keys: [key] } },
      routes: [
        route("old", { since: "2020-01-01", sunset: "2099-01-01T12:00:00Z" }),
        route("ended", { since: "2020-01-01", sunset: "2020-02-01", after: 410, info: "/news" }),
        route("outlived", { sunset: "2020-02-01" }),
      ],
    });
  });

  for (const protocol of protocols) {
    const asked = (path: string) =>
      ask(gateway.port, protocol, { path, headers: { "x-api-key": key } });

    test(`${protocol}: what has ended is answered 410 with where to go, and no service is asked`, async () => {
      const count = service.seen.length;
      const { status, headers, body } = await asked("/ended");
      assert.equal(status, 410);
      assert.equal(headers["content-type"], "application/problem+json");
      const problem = JSON.parse(body) as { type: string; detail: string };
      assert.match(problem.type, /\/retired$/);
      assert.equal(problem.detail, "Use https://api.example.com/v2/orders instead.");
      assert.equal(headers["deprecation"], "@1577836800");
      assert.equal(headers["sunset"], "Sat, 01 Feb 2020 00:00:00 GMT");
      assert.equal(
        headers["link"],
        '</news>; rel="deprecation", <https://api.example.com/v2/orders>; rel="successor-version"',
      );
      assert.equal(service.seen.length, count);
    });

    test(`${protocol}: what will end is served, and so is what has outlived its end`, async () => {
      const old = await asked("/old");
      assert.deepEqual([old.status, old.headers["sunset"]], [200, "Thu, 01 Jan 2099 12:00:00 GMT"]);
      assert.equal((await asked("/outlived")).status, 200);
    });
  }

  test("deprecation: the gateway's log tells who still calls", async () => {
    const told = () =>
      gateway.output
        .split("\n")
        .filter((line) => line.endsWith("}") && line.includes("still called"))
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .map(({ msg, at, callers }) => `${String(at)}: ${String(msg)} ${JSON.stringify(callers)}`);
    const lines = await gateway.poll(5000, "heard", async () => {
      return told().length < 3 ? undefined : told();
    });
    assert.deepEqual(lines.toSorted(), [
      'route ended: No longer served, and still called {"shop":1}',
      'route old: Deprecated, and still called {"shop":1}',
      'route outlived: Past its sunset, and still called {"shop":1}',
    ]);
  });
});
