import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { freePort } from "./free-port.ts";
import { changedPorts, quickstartPorts, replacePorts } from "./quickstart-ports.ts";

const configFile = new URL("../../examples/quickstart/gateward.yaml", import.meta.url);

test("quickstart ports: each of them stands in the config file, so that it can be replaced", () => {
  const { gateway, admin, services } = quickstartPorts;
  const config = readFileSync(configFile, "utf8");
  for (const port of [gateway, admin, ...Object.values(services)]) {
    assert.notEqual(replacePorts(config, [[port, 1]]), config, `port ${port}`);
  }
});

test("quickstart ports: only whole numbers are replaced", () => {
  const config = "listen: 8080\nadmin: 18080\nurl: http://127.0.0.1:8080\nid: 8080x\n";
  const replaced = "listen: 81\nadmin: 18080\nurl: http://127.0.0.1:81\nid: 8080x\n";
  assert.equal(replacePorts(config, [[8080, 81]]), replaced);
});

test("quickstart ports: those that changed are told with what stands in for them", () => {
  assert.deepEqual(changedPorts(quickstartPorts), []);
  assert.deepEqual(changedPorts({ ...quickstartPorts, admin: 5 }), [[quickstartPorts.admin, 5]]);
});

test("free port: a free one is kept, a taken one gives way to another", async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const taken = (server.address() as AddressInfo).port;
  const other = await freePort(taken, "127.0.0.1");
  assert.notEqual(other, taken);
  assert.equal(await freePort(other, "127.0.0.1"), other);
});
