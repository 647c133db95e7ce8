import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { freePort } from "../../tools/start/free-port.ts";
import { startServices } from "../../tools/start/services-process.ts";
import { defaultPorts } from "./ports.ts";
import type { ServicePorts } from "./ports.ts";

async function startOnFreePorts(t: TestContext): Promise<Record<keyof ServicePorts, string>> {
  const ports = { ...defaultPorts };
  const names = Object.keys(ports) as (keyof ServicePorts)[];
  for (const name of names) ports[name] = await freePort(0, "127.0.0.1");
  t.after(await startServices(ports));
  const urls = names.map((name) => [name, `http://127.0.0.1:${ports[name]}`]);
  return Object.fromEntries(urls) as Record<keyof ServicePorts, string>;
}

test("demo services: each says which instance answered", async (t) => {
  const urls = await startOnFreePorts(t);
  for (const name of ["users-1", "users-2"] as const) {
    const response = await fetch(`${urls[name]}/users/123`);
    assert.equal(response.headers.get("x-instance"), name);
    assert.deepEqual(await response.json(), { id: "123", name: "User 123", plan: "free" });
  }
  const product = await fetch(`${urls["products-1"]}/products/456`);
  assert.equal(product.status, 200);
});

test("demo services: an order is echoed with its number, and found under it", async (t) => {
  const url = `${(await startOnFreePorts(t))["orders-1"]}/orders`;
  const created = await fetch(url, { method: "POST", body: `{"product":"456"}` });
  assert.equal(created.status, 201);
  assert.equal(created.headers.get("location"), "/api/v1/orders/1");
  assert.deepEqual(await created.json(), { product: "456", id: 1 });
  assert.deepEqual(await (await fetch(`${url}/1`)).json(), { product: "456", id: 1 });
  assert.equal((await fetch(`${url}/2`)).status, 404);
  assert.equal((await fetch(url, { method: "POST", body: "no JSON" })).status, 400);
});
