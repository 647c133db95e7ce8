/** Quotas at a real gateway: exact over its workers, through reloads, a restart and a crash. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { ask, protocols } from "../support/ask.ts";
import { startGateway } from "../support/gateway.ts";
import { rush } from "../support/rush.ts";

function dataFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "gateward-data-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "data");
}

function configWith(data: string, limit: number) {
  const route = (path: string) => ({
    name: path.slice(1),
    match: path,
    respond: { body: "ok" },
    policies: [{ quota: { limit, period: "year", by: "all" } }],
  });
  return { workers: 4, data, routes: ["/a", "/b", "/c"].map(route) };
}

test("quota: four workers let exactly the limit pass to 200 clients, also over a restart and a reload", async (t) => {
  const data = dataFolder(t);
  const first = await startGateway(t, configWith(data, 1000));
  assert.equal(existsSync(data), false, "nothing is to be kept yet");
  const { port } = first;
  assert.deepEqual(await rush({ ports: [port], path: "/a", count: 1300 }), { 200: 1000, 429: 300 });
  assert.deepEqual(await rush({ ports: [port], path: "/b", count: 555 }), { 200: 555 });
  await first.stop();
  const second = await startGateway(t, configWith(data, 1000));
  const ports = [second.port];
  assert.deepEqual(await rush({ ports, path: "/a", count: 10 }), { 429: 10 });
  assert.deepEqual(await rush({ ports, path: "/b", count: 500 }), { 200: 445, 429: 55 });
  assert.equal(await second.reload(configWith(data, 1100)), "applied");
  assert.deepEqual(await rush({ ports, path: "/a", count: 150 }), { 200: 100, 429: 50 });
  for (const protocol of protocols) {
    const { status, headers, body } = await ask(second.port, protocol, { path: "/a" });
    assert.equal(status, 429);
    assert.match(String(headers["retry-after"]), /^\d{4,8}$/);
    assert.match(String(headers["ratelimit"]), /^"year";r=0;t=\d+$/);
    assert.match(body, /quota-exceeded/);
  }
});

test("quota: killed, the gateway loses at most a hundredth, and lets nothing pass twice", async (t) => {
  const data = dataFolder(t);
  const first = await startGateway(t, configWith(data, 1000));
  assert.deepEqual(await rush({ ports: [first.port], path: "/a", count: 505 }), { 200: 505 });
  await first.stop("SIGKILL");
  const second = await startGateway(t, configWith(data, 1000));
  const { 200: passed = 0 } = await rush({ ports: [second.port], path: "/a", count: 600 });
  assert.ok(passed <= 495 && passed >= 485, `${passed} passed`);
});
