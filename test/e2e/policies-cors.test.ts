/** Pages of other origins: what the gateway tells browsers, and what a real one makes of it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { before, describe, test } from "node:test";
import { chromium } from "playwright-core";
import { ask, protocols } from "../support/ask.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { commandPath } from "../support/command-path.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";
import type { HttpService } from "../support/http-service.ts";
import { requires } from "../support/requires.ts";

const shared = fileCleanup();
const app = "https://app.example.com";

describe("cors", () => {
  let gateway: Gateway;
  let users: HttpService;
  let auth: HttpService;
  let pagePort: number;

  before(async () => {
    users = await startHttpService(shared, {
      answer(request, response) {
        response.setHeader("Access-Control-Allow-Origin", "*");
        response.setHeader("X-Total", "3");
        response.end(`${request.method} ${request.url}`);
      },
    });
    auth = await startHttpService(shared, {
      answer(request, response) {
        response.statusCode = request.headers.authorization === "Bearer good" ? 200 : 401;
        response.end();
      },
    });
    const pages = createServer((_, response) => {
      response.setHeader("content-type", "text/html");
      response.end(`<!doctype html><link rel="icon" href="data:,">`);
    });
    pages.listen(0, "127.0.0.1");
    await once(pages, "listening");
    shared.after(() => {
      pages.closeAllConnections();
      pages.close();
    });
    pagePort = (pages.address() as AddressInfo).port;
    const origins = [app, "http://127.0.0.1:*"];
    const cors = { origins, exposeHeaders: ["x-total"], credentials: true };
    const secured = ["request-id", { "forward-auth": { service: "auth" } }, { cors }];
    gateway = await startGateway(shared, {
      services: { users: users.url, auth: auth.url, dead: "http://127.0.0.1:1" },
      routes: [
        { match: "GET,PUT /users/*", service: "users", policies: secured },
        { match: "GET /dead", service: "dead", policies: [{ cors }] },
        { match: "/plain/*", service: "users" },
        { match: "DELETE /plain/gone", service: "users", policies: [{ cors }] },
        {
          match: "/some/*",
          service: "users",
          policies: [{ cors, when: "PUT /some/open" }],
        },
        {
          match: "GET /twice",
          respond: { body: "twice" },
          policies: [{ cors: { origins: "https://outer.example" } }, { cors: { origins: "*" } }],
        },
      ],
    });
  });

  const question = (path: string, method: string, origin = app) => ({
    method: "OPTIONS",
    path,
    headers: { origin, "access-control-request-method": method },
  });

  for (const protocol of protocols) {
    test(`${protocol}: a preflight is answered before anybody asks who is calling, though no route lists OPTIONS`, async () => {
      const asked = auth.seen.length;
      const { status, headers, body } = await ask(
        gateway.port,
        protocol,
        question("/users/7", "PUT"),
      );
      assert.equal(status, 204);
      assert.equal(body, "");
      assert.equal(headers["access-control-allow-origin"], app);
      assert.equal(headers["access-control-allow-credentials"], "true");
      assert.match(String(headers["access-control-allow-methods"]), /PUT/);
      assert.equal(headers["content-length"], undefined);
      // Policies that only add to answers do so here too.
      assert.match(String(headers["x-request-id"]), /^[0-9a-f]{32}$/);
      assert.equal(auth.seen.length, asked);
    });

    test(`${protocol}: a page of another origin is told nothing`, async () => {
      const evil = question("/users/7", "PUT", "https://evil.example");
      const { status, headers } = await ask(gateway.port, protocol, evil);
      assert.equal(status, 204);
      const names = Object.keys(headers).filter((name) => name.startsWith("access-control-"));
      assert.deepEqual(names, []);
    });

    test(`${protocol}: answers of the service, and of the gateway in its place, can be read by the page`, async () => {
      const origin = { origin: app };
      const good = { ...origin, authorization: "Bearer good" };
      const fine = await ask(gateway.port, protocol, { path: "/users/7", headers: good });
      assert.equal(fine.status, 200);
      assert.equal(fine.headers["access-control-allow-origin"], app);
      assert.equal(fine.headers["access-control-expose-headers"], "x-total");
      const refused = await ask(gateway.port, protocol, { path: "/users/7", headers: origin });
      assert.equal(refused.status, 401);
      const failed = await ask(gateway.port, protocol, { path: "/dead", headers: origin });
      assert.equal(failed.status, 502);
      for (const { headers } of [refused, failed]) {
        assert.equal(headers["access-control-allow-origin"], app);
        assert.match(String(headers["vary"]), /Origin/);
      }
    });

    test(`${protocol}: a preflight takes the route of the request it asks about, and falls back where that has no cors`, async () => {
      const own = await ask(gateway.port, protocol, question("/plain/gone", "DELETE"));
      assert.equal(own.status, 204);
      assert.equal(own.headers["access-control-allow-origin"], app);
      const other = await ask(gateway.port, protocol, question("/plain/gone", "PUT"));
      assert.equal(other.status, 200);
      assert.equal(other.body, "OPTIONS /plain/gone");
      const none = await ask(gateway.port, protocol, question("/dead", "DELETE"));
      assert.equal(none.status, 405);
    });

    test(`${protocol}: a condition is asked about the method to come`, async () => {
      const open = await ask(gateway.port, protocol, question("/some/open", "PUT"));
      assert.equal(open.headers["access-control-allow-origin"], app);
      const closed = await ask(gateway.port, protocol, question("/some/open", "DELETE"));
      assert.equal(closed.body, "OPTIONS /some/open");
    });

    test(`${protocol}: of several the innermost decides`, async () => {
      const preflight = await ask(gateway.port, protocol, question("/twice", "GET"));
      assert.equal(preflight.headers["access-control-allow-origin"], "*");
      const headers = { origin: "https://outer.example" };
      const plain = await ask(gateway.port, protocol, { path: "/twice", headers });
      assert.equal(plain.headers["access-control-allow-origin"], "*");
    });
  }

  test("OPTIONS without the question is refused where no route lists it", async () => {
    const headers = { origin: app };
    const options = { method: "OPTIONS", path: "/users/7", headers };
    const { status } = await ask(gateway.port, "HTTP/1.1", options);
    assert.equal(status, 405);
  });

  test(
    "chromium: a page may do what is allowed, and reads nothing else",
    { skip: requires("chromium") },
    async (t) => {
      const executablePath = commandPath("chromium")!;
      const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
      t.after(() => browser.close());
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${pagePort}/`);
      const found = await page.evaluate(
        `(async (api) => {
        const tell = async (path, options) => {
          try {
            const response = await fetch(api + path, options);
            return [response.status, response.headers.get("x-total"), response.headers.get("server")];
          } catch (error) {
            return String(error);
          }
        };
        const good = { authorization: "Bearer good" };
        return {
          put: await tell("/users/1", { method: "PUT", headers: good, credentials: "include", body: "x" }),
          refused: await tell("/users/1", { headers: { authorization: "Bearer bad" } }),
          dead: await tell("/dead"),
          patch: await tell("/users/1", { method: "PATCH", headers: good }),
          plain: await tell("/plain/x", { credentials: "include" }),
        };
      })("${gateway.url}")`,
      );
      assert.deepEqual(found, {
        put: [200, "3", null],
        refused: [401, null, null],
        dead: [502, null, null],
        patch: "TypeError: Failed to fetch",
        plain: "TypeError: Failed to fetch",
      });
      await page.goto("data:text/html,<title>nowhere</title>");
      const nowhere = await page.evaluate(
        `fetch("${gateway.url}/dead").then(() => "read", () => "kept from it")`,
      );
      assert.equal(nowhere, "kept from it");
    },
  );
});
