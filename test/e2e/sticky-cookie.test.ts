/** Sessions that live in a target: the cookie that binds a client to it holds everywhere, for long. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";

const shared = fileCleanup();
const names = ["one", "two", "three"];

/** Which target answers a request with that cookie, and the cookie it sets. */
async function ask(gateway: Gateway, path: string, cookie = "") {
  const response = await fetch(gateway.url + path, { headers: cookie === "" ? {} : { cookie } });
  const { service } = (await response.json()) as { service: string };
  return { service, setCookie: response.headers.get("set-cookie") };
}

describe("sticky cookie", () => {
  let config: Record<string, unknown>;

  before(async () => {
    const services = await Promise.all(
      names.map(async (name) => await startHttpService(shared, { name })),
    );
    const targets = services.map(({ url }) => url);
    const secret = "${STICKY_SECRET}";
    config = {
      workers: 2,
      services: {
        plain: { targets, balance: "sticky" },
        keyed: { targets, balance: { name: "sticky", cookie: "shop", ttl: "1h", secret } },
      },
      routes: [
        { match: "/plain", service: "plain" },
        { match: "/keyed", service: "keyed" },
      ],
    };
  });

  const start = (secret = "0123456789abcdef"): Promise<Gateway> =>
    startGateway(shared, config, { env: { STICKY_SECRET: secret } });

  test("binds a client on every machine, in every worker, and after a restart", async () => {
    const first = await start();
    const cookies = new Map<string, string>();
    for (const path of ["/plain", "/keyed"]) {
      for (let tries = 0; cookies.size < names.length && tries < 100; tries++) {
        const { service, setCookie } = await ask(first, path);
        cookies.set(service, setCookie!.split(";")[0]!);
      }
      assert.deepEqual([...cookies.keys()].sort(), names.toSorted());
      const other = await start();
      for (const [name, cookie] of cookies) {
        for (let count = 0; count < 4; count++) {
          assert.deepEqual(await ask(other, path, cookie), { service: name, setCookie: null });
        }
      }
      await other.stop();
      cookies.clear();
    }
    await first.stop();
  });

  test("has the attributes that are configured", async () => {
    const gateway = await start();
    const { setCookie } = await ask(gateway, "/keyed");
    assert.match(setCookie!, /^shop=[\w-]{16}; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/);
    await gateway.stop();
  });

  test("holds nothing that another secret has made", async () => {
    const one = await start();
    const { setCookie } = await ask(one, "/keyed");
    await one.stop();
    const other = await start("another secret of length");
    const answer = await ask(other, "/keyed", setCookie!.split(";")[0]);
    assert.match(answer.setCookie ?? "", /^shop=/);
    await other.stop();
  });
});
