/** What policies change of heads and queries, on the wire, by both versions of HTTP. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { ask, protocols } from "../support/ask.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway, type Gateway } from "../support/gateway.ts";
import { startHttpService, type HttpService } from "../support/http-service.ts";

const shared = fileCleanup();

describe("heads and queries", () => {
  let gateway: Gateway;
  let service: HttpService;

  before(async () => {
    service = await startHttpService(shared, {
      answer(_, response, seen) {
        response.setHeader("server", "secret/1.0");
        response.setHeader("set-cookie", ["a=1", "b=2"]);
        response.setHeader("x-internal-node", "7");
        response.end(JSON.stringify(seen));
      },
    });
    gateway = await startGateway(shared, {
      services: { echo: service.url },
      routes: [
        {
          name: "changed",
          match: "/shops/:shop/*",
          service: "echo",
          policies: [
            {
              headers: {
                request: {
                  remove: ["x-debug", "x-internal-*"],
                  rename: { "x-old": "x-new" },
                  set: { "x-shop": "{request.params.shop}", "x-q": "{request.query.q|none}" },
                  add: { "x-note": ["1", "{request.method}"] },
                },
                response: {
                  remove: ["server", "x-internal-*"],
                  rename: { "set-cookie": "x-cookie" },
                  set: { "x-status": "{response.status} {route}" },
                },
              },
            },
            { query: { keep: ["page", "q"], set: { shop: "{request.params.shop}" } } },
          ],
        },
      ],
    });
  });

  for (const protocol of protocols) {
    test(`${protocol}: the service and the client are sent what the policies say`, async () => {
      const { status, headers } = await ask(gateway.port, protocol, {
        path: "/shops/a%20b/x?q=1%0d%0ax-evil:%20%c4%8a&admin=1&page=%32",
        headers: {
          "x-debug": "1",
          "X-Internal-Role": "admin",
          x_internal_role: "admin",
          "x-old": "old",
          "x-shop": "forged",
          x_shop: "forged",
        },
      });
      assert.equal(status, 200);
      const seen = service.seen.at(-1)!;
      const own = seen.headers.filter(([name]) => /^x[-_]/.test(name) && !/forward/.test(name));
      assert.deepEqual(own, [
        ["x-new", "old"],
        ["x-shop", "a%20b"],
        ["x-q", "1%0D%0Ax-evil: %C4%8A"],
        ["x-note", "1"],
        ["x-note", "GET"],
      ]);
      assert.equal(seen.url, "/shops/a%20b/x?q=1%0d%0ax-evil:%20%c4%8a&page=%32&shop=a%20b");
      assert.equal(headers["server"], undefined);
      assert.equal(headers["x-internal-node"], undefined);
      assert.equal(headers["x-cookie"], "a=1, b=2");
      assert.equal(headers["x-status"], "200 changed");
    });
  }
});
