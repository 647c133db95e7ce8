/** A new version of a service with real processes: shares that grow, copies, drills. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { startHttpService } from "../support/http-service.ts";

const shared = fileCleanup();

/** Which service answers a request with that cookie, and the cookie it sets. */
async function ask(gateway: Gateway, path: string, cookie = "") {
  // A connection of its own: another worker may serve each.
  const headers = { connection: "close", ...(cookie === "" ? {} : { cookie }) };
  const response = await fetch(gateway.url + path, { headers });
  const { service } = (await response.json()) as { service: string };
  return { service, setCookie: response.headers.get("set-cookie") };
}

describe("traffic splitting", () => {
  let gateway: Gateway;
  let services: Record<string, string>;

  const configOf = (old: number, fresh: number) => {
    const branches = [
      { service: "old", weight: old },
      { service: "new", weight: fresh },
    ];
    return {
      workers: 2,
      services,
      routes: [
        { match: "/sticky", split: { branches, sticky: "cookie" } },
        { match: "/reset", service: "old", policies: [{ fault: { abort: "reset" } }] },
        { match: "/copied", service: "old", policies: [{ mirror: { to: "new" } }] },
      ],
    };
  };

  before(async () => {
    const started = await Promise.all(
      ["old", "new"].map(async (name) => [name, (await startHttpService(shared, { name })).url]),
    );
    services = Object.fromEntries(started) as Record<string, string>;
    gateway = await startGateway(shared, configOf(60, 40));
  });

  test("all workers send a client the same way, and a weight that grows moves nobody back", async () => {
    const clients: { cookie: string; service: string }[] = [];
    for (let index = 0; index < 12; index++) {
      const { service, setCookie } = await ask(gateway, "/sticky");
      clients.push({ cookie: setCookie!.split(";")[0]!, service });
    }
    for (const { cookie, service } of [...clients, ...clients]) {
      assert.deepEqual(await ask(gateway, "/sticky", cookie), { service, setCookie: null });
    }
    assert.equal(await gateway.reload(configOf(10, 90)), "applied");
    for (const { cookie, service } of clients) {
      const now = await ask(gateway, "/sticky", cookie);
      if (service === "new") assert.equal(now.service, "new");
    }
    assert.equal(await gateway.reload(configOf(0, 100)), "applied");
    for (const { cookie } of clients) {
      assert.equal((await ask(gateway, "/sticky", cookie)).service, "new");
    }
  });

  test("a request that is broken off for a drill gets no answer at all", async () => {
    await assert.rejects(fetch(`${gateway.url}/reset`), /fetch failed/);
  });

  test("a copied request is answered by the one, and by nobody where the other is away", async () => {
    assert.equal((await ask(gateway, "/copied")).service, "old");
    const away = { ...configOf(1, 1), services: { ...services, new: "http://127.0.0.1:1" } };
    assert.equal(await gateway.reload(away), "applied");
    assert.equal((await ask(gateway, "/copied")).service, "old");
  });
});
