/** What a page of another site can make a real browser send, and what becomes of it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { before, describe, test, type TestContext } from "node:test";
import type { Browser, Page } from "playwright-core";
import { startBrowser } from "../support/browser.ts";
import { testCertificates } from "../support/certificates.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway, type Gateway } from "../support/gateway.ts";
import { requires } from "../support/requires.ts";

const shared = fileCleanup();

/** Pages by path; `TARGET` is the address under attack. */
const attacks: Readonly<Record<string, string>> = {
  "/form": `<form method="post" action="TARGET"></form><script>document.forms[0].submit()</script>`,
  "/sandbox": `<iframe sandbox="allow-scripts allow-forms" srcdoc="<form method=post action=TARGET></form><script>document.forms[0].submit()</script>"></iframe>`,
  "/fetch": `<script>fetch("TARGET", { method: "POST", mode: "no-cors", credentials: "include", body: "x=1" })</script>`,
  "/beacon": `<script>navigator.sendBeacon("TARGET", "x=1")</script>`,
  "/override": `<img src="TARGET?_method=DELETE">`,
};

describe("csrf", { skip: requires("openssl", "chromium"), timeout: 60_000 }, () => {
  let gateway: Gateway;
  let browser: Browser;
  let evil: string;
  /** Requests that came through: method and path. */
  const reached: string[] = [];
  /** Over HTTP/2, and over HTTP/1.1. */
  let origins: readonly string[];

  before(async () => {
    const service = await listen((request) => {
      reached.push(`${request.method} ${request.url}`);
      return { type: "text/html", body: "<!doctype html>a page" };
    });
    const { certFile: cert, keyFile: key } = testCertificates().localhostEcdsa;
    gateway = await startGateway(shared, {
      listen: [{ tls: { cert, key } }, { tls: { cert, key }, http2: false }],
      services: { shop: service },
      routes: [
        {
          match: "/*",
          service: "shop",
          policies: [{ csrf: { token: { secret: "x".repeat(32), session: "sid" } } }],
        },
      ],
    });
    origins = gateway.ports.map((port) => `https://localhost:${port}`);
    browser = await startBrowser(shared);
    evil = await listen(({ url = "" }) => {
      const [path = "", target = ""] = url.split("?");
      const body = (attacks[path] ?? "").replace("TARGET", decodeURIComponent(target));
      return { type: "text/html", body: `<!doctype html><link rel="icon" href="data:,">${body}` };
    });
  });

  async function newPage(t: TestContext): Promise<Page> {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    t.after(() => context.close());
    return await context.newPage();
  }

  test("no page of another site makes a change reach the service", async (t) => {
    const page = await newPage(t);
    for (const origin of origins) {
      for (const attack of Object.keys(attacks)) {
        const url = `${origin}/orders`;
        // The page is never told what came of it; the gateway is.
        const refused = await refusedCount();
        await page.goto(`${evil}${attack}?${encodeURIComponent(url)}`).catch(() => {});
        while ((await refusedCount()) === refused) await new Promise(setImmediate);
      }
    }
    assert.deepEqual(
      reached.filter((line) => line.includes("/orders")),
      [],
    );
  });

  test("the own pages make changes, with the token that they were given", async (t) => {
    const page = await newPage(t);
    for (const origin of origins) {
      await page.goto(`${origin}/page`);
      const statuses = await page.evaluate(`(async () => {
        const token = document.cookie.match(/(?:^|; )csrf-token=([^;]*)/)[1];
        const send = async (headers) => (await fetch("/orders", { method: "POST", headers })).status;
        return [await send({ "x-csrf-token": token }), await send({}), await send({ "x-csrf-token": "x" })];
      })()`);
      assert.deepEqual(statuses, [200, 403, 403]);
    }
    assert.deepEqual(
      reached.filter((line) => line.includes("/orders")),
      ["POST /orders", "POST /orders"],
    );
  });

  async function refusedCount(): Promise<number> {
    const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    const line = /^gateward_policy_results_total\{policy="csrf".*result="refused"\} (\d+)$/m.exec(
      text,
    );
    return Number(line?.[1] ?? 0);
  }
});

interface Seen {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
}

async function listen(answer: (request: Seen) => { type: string; body: string }): Promise<string> {
  const server = createServer((request, response) => {
    const { type, body } = answer(request);
    response.setHeader("content-type", type).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  shared.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
