/** What a service is asked for: prefixes, rewrites, hosts, raw paths; and where redirects lead. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import type { HttpService, SeenRequest } from "../support/http-service.ts";
import { rawConnect } from "../support/raw-client.ts";
import { headerValue, headerValues } from "../support/raw-message.ts";
import type { RawResponse } from "../support/raw-message.ts";

const shared = fileCleanup();

describe("requests as services see them", () => {
  const folder = mkdtempSync(join(tmpdir(), "gateward-forwarded-"));
  shared.after(() => rmSync(folder, { recursive: true, force: true }));
  let gateway: Gateway;
  let service: HttpService;

  before(async () => {
    service = await startHttpService(shared, { name: "tcp" });
    const path = join(folder, "service.sock");
    const local = await startHttpService(shared, { name: "unix", path });
    const { url } = service;
    gateway = await startGateway(shared, {
      services: {
        plain: url,
        prefixed: `${url}/v2`,
        local: `${local.url}:/inner`,
        target: { targets: [url], host: "target" },
        literal: { targets: [url], host: "internal.example:81" },
        raw: { targets: [`${url}/base`], rawPath: true },
      },
      routes: [
        { match: "/plain/*", service: "plain" },
        { match: "/prefixed/*", service: "prefixed" },
        { match: "/stripped/*", service: "prefixed", rewrite: "/*" },
        { match: "/local/*", service: "local" },
        { match: "/target/*", service: "target" },
        { match: "/literal/*", service: "literal" },
        { match: "/renamed/*", service: "target", rewrite: { host: "other.example" } },
        { match: "/raw/*", service: "raw" },
        { match: "/users/:id/orders/:order", service: "plain", rewrite: "/o/:order/of/:id" },
        {
          match: "/query/*",
          service: "plain",
          rewrite: { path: "/q/*", query: { set: { via: "gate way" }, remove: ["debug"] } },
        },
        { match: "/bare/*", service: "plain", rewrite: { query: { remove: "*" } } },
        { match: "/old/*", redirect: { to: "https://new.example/at/*", status: 301 } },
        { match: "/fixed", redirect: "/elsewhere?kept=no" },
        { match: "/again/:id", redirect: { to: "/plain/:id", status: 307 } },
      ],
    });
  });

  const send = async (
    t: Parameters<typeof rawConnect>[0],
    target: string,
    options: { method?: string; fields?: string; body?: string } = {},
  ): Promise<RawResponse> => {
    const { method = "GET", fields = "", body = "" } = options;
    const client = await rawConnect(t, gateway.port);
    await client.send(
      `${method} ${target} HTTP/1.1\r\nHost: Api.Example:99\r\n${fields}\r\n${body}`,
    );
    return await client.readResponse();
  };

  const seen = async (...parameters: Parameters<typeof send>): Promise<SeenRequest> => {
    const response = await send(...parameters);
    assert.equal(response.status, 200, response.body.toString());
    return JSON.parse(response.body.toString()) as SeenRequest;
  };

  const hosts = ({ headers }: SeenRequest): string[] =>
    headers.filter(([name]) => name === "host").map(([, value]) => value);

  const urls: readonly (readonly [string, string, string])[] = [
    ["as it came", "/plain/a%20b?c=%20&c", "/plain/a%20b?c=%20&c"],
    ["normalised", "/plain//a/./b/../%63?d=//..", "/plain/a/c?d=//.."],
    ["under the service's prefix", "/prefixed/a?b", "/v2/prefixed/a?b"],
    ["with the route's own prefix taken off", "/stripped/a/b?c", "/v2/a/b?c"],
    ["with an empty rest", "/stripped/", "/v2/"],
    ["under the prefix of a Unix socket", "/local/a?b", "/inner/local/a?b"],
    ["with parameters in other places", "/users/7%20x/orders/9?a=1", "/o/9/of/7%20x?a=1"],
    [
      "with parameters of the query set and removed",
      "/query/a?debug=1&x=2&debug&via=me",
      "/q/a?x=2&via=gate%20way",
    ],
    ["with a parameter of the query added", "/query/a", "/q/a?via=gate%20way"],
    ["without any query", "/bare/a?b=1&c", "/bare/a"],
    ["untouched", "/raw/a%2fb/%63//d/../e;f?g=%zz", "/base/raw/a%2fb/%63//d/../e;f?g=%zz"],
  ];
  for (const [how, target, expected] of urls) {
    test(`path: ${target} is forwarded ${how}`, async (t) => {
      assert.equal((await seen(t, target)).url, expected);
    });
  }

  test("path: of an absolute form, what follows the host is forwarded, also untouched", async (t) => {
    assert.equal((await seen(t, "http://api.example/plain/a?b")).url, "/plain/a?b");
    assert.equal((await seen(t, "http://api.example/raw/%2f?b")).url, "/base/raw/%2f?b");
  });

  test("host: the client's, the target's own, a given one, or the route's", async (t) => {
    const own = `127.0.0.1:${service.port}`;
    assert.deepEqual(hosts(await seen(t, "/plain/x")), ["Api.Example:99"]);
    assert.deepEqual(hosts(await seen(t, "/target/x")), [own]);
    assert.deepEqual(hosts(await seen(t, "/literal/x")), ["internal.example:81"]);
    assert.deepEqual(hosts(await seen(t, "/renamed/x")), ["other.example"]);
    const { headers } = await seen(t, "/target/x");
    assert.deepEqual(
      headers.find(([name]) => name === "x-forwarded-host"),
      ["x-forwarded-host", "Api.Example:99"],
    );
  });

  test("host: a target over a Unix socket gets the client's", async (t) => {
    const request = await seen(t, "/local/x");
    assert.equal(request.service, "unix");
    assert.deepEqual(hosts(request), ["Api.Example:99"]);
  });

  test("body: whatever the method, it is forwarded as framed, and none is made up", async (t) => {
    for (const method of ["DELETE", "POST", "OPTIONS", "PATCH", "PURGE"]) {
      const bare = await seen(t, "/plain/x", { method });
      assert.equal(bare.method, method);
      const framing = bare.headers.filter(([name]) => /^(content-length|transfer-)/.test(name));
      assert.deepEqual(framing, []);
      const empty = await seen(t, "/plain/x", { method, fields: "Content-Length: 0\r\n" });
      assert.equal(empty.headers.find(([name]) => name === "content-length")?.[1], "0");
    }
    for (const method of ["DELETE", "GET"]) {
      const fields = "Content-Length: 3\r\n";
      assert.equal((await seen(t, "/plain/x", { method, fields, body: "abc" })).bodyBytes, 3);
      const chunked = { fields: "Transfer-Encoding: chunked\r\n", body: "3\r\nabc\r\n0\r\n\r\n" };
      assert.equal((await seen(t, "/plain/x", { method, ...chunked })).bodyBytes, 3);
    }
  });

  const redirects: readonly (readonly [string, number, string])[] = [
    ["/old/a/b", 301, "https://new.example/at/a/b"],
    ["/old/a%20b?c=d&e", 301, "https://new.example/at/a%20b?c=d&e"],
    ["/old/", 301, "https://new.example/at/"],
    ["/old/a/../b", 301, "https://new.example/at/b"],
    ["/fixed?mine=1", 302, "/elsewhere?kept=no"],
    ["/again/7", 307, "/plain/7"],
    ["/again/7?x", 307, "/plain/7?x"],
  ];
  for (const [target, status, location] of redirects) {
    test(`redirect: ${target} leads to ${location}`, async (t) => {
      const response = await send(t, target);
      assert.equal(response.status, status);
      assert.deepEqual(headerValues(response, "location"), [location]);
      assert.equal(headerValue(response, "content-length"), "0");
    });
  }
});
