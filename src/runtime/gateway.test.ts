import assert from "node:assert/strict";
import { get } from "node:http";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { FakeAnswer } from "../../test/support/fake-data-plane.ts";
import { testCertificates } from "../../test/support/certificates.ts";
import { freePort } from "../../test/support/free-port.ts";
import { requires } from "../../test/support/requires.ts";
import { createLog } from "../base/log/create-log.ts";
import { reloadsTotal } from "../base/metrics/families.ts";
import type { AdminConfig } from "../config/config.ts";
import { loadConfig } from "../config/load-config.ts";
import type { Endpoints } from "./data-plane.ts";
import type { EndpointSource } from "./endpoint-source.ts";
import { fileFingerprint } from "./file-watcher.ts";
import { Gateway } from "./gateway.ts";
import type { AdminDoor, GatewayView } from "./gateway-view.ts";

const fake = new URL("../../test/support/fake-data-plane.ts", import.meta.url).href;

class FakeEndpoints implements EndpointSource {
  names: readonly string[] = [];
  onChange: () => void = () => {};
  private address = "192.0.2.1";

  async resolve(names: readonly string[]): Promise<Endpoints> {
    return Object.fromEntries(names.map((name) => [name, [this.address]]));
  }

  watch(names: readonly string[]): void {
    this.names = names;
  }

  addresses(): string[] {
    return [this.address];
  }

  dispose(): void {
    this.names = [];
  }

  move(address: string): void {
    this.address = address;
    this.onChange();
  }
}

/** Refuses port 1, and remembers where it is. */
class FakeAdmin implements AdminDoor {
  where = "";
  private next = "";

  async prepare(config: AdminConfig | false): Promise<void> {
    if (config !== false && config.port === 1) throw new Error("admin: no port 1 here");
    this.next = config === false ? "nowhere" : config.key;
  }

  commit(): void {
    this.where = this.next;
  }

  abort(): void {
    this.next = "";
  }

  async close(): Promise<void> {
    this.where = "closed";
  }
}

interface Bench {
  gateway: Gateway;
  view: GatewayView;
  admin: FakeAdmin;
  endpoints: FakeEndpoints;
  file: string;
  port: number;
  /** Writes the document with these routes and further top-level lines. */
  write(routes: string[], ...lines: string[]): Promise<void>;
  /** The same, then reloads and waits until that is done. */
  reload(routes: string[], ...lines: string[]): Promise<void>;
  ask(path?: string): Promise<FakeAnswer>;
  log(): Promise<Record<string, unknown>[]>;
}

async function makeBench(
  context: TestContext,
  routes: string[] = ["a"],
  takenPort?: number,
): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), "gateward-"));
  const file = join(folder, "gateward.yaml");
  const logFile = join(folder, "gateward.log");
  const port = takenPort ?? (await freePort());
  const write = (names: string[], ...lines: string[]): Promise<void> =>
    writeFile(file, document(port, names, lines));
  await write(routes);
  const load = (): ReturnType<typeof loadConfig> => loadConfig({ file, folder });
  const fingerprint = await fileFingerprint(file);
  const { loaded } = await load();
  assert.ok(loaded !== undefined);
  const log = createLog(
    { level: "debug", format: "json" },
    { to: logFile, isTerminal: false, colors: false },
  );
  const admin = new FakeAdmin();
  const endpoints = new FakeEndpoints();
  let view: GatewayView | undefined;
  const gateway = new Gateway({
    version: "0.0.0",
    loaded,
    fingerprint,
    load,
    workerCount: 2,
    log,
    openEndpoints: (onChange) => {
      endpoints.onChange = onChange;
      return endpoints;
    },
    openAdmin: (given) => {
      view = given;
      return admin;
    },
    dataPlaneModule: fake,
    times: { stableMs: 0 },
  });
  context.after(async () => {
    await gateway.close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    gateway,
    view: view!,
    admin,
    endpoints,
    file,
    port,
    write,
    reload: async (names, ...lines) => {
      await write(names, ...lines);
      gateway.reload("test");
      await gateway.reloaded();
    },
    ask: (path = "/") => ask(port, path),
    log: async () => {
      const lines = (await readFile(logFile, "utf8")).trim().split("\n");
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    },
  };
}

function document(port: number, names: string[], lines: string[]): string {
  const routes = names.map(
    (name, index) => `  - { name: ${name}, match: GET /${index}, respond: { status: 204 } }\n`,
  );
  const listen = lines.some((line) => line.startsWith("listen:"))
    ? []
    : [`listen: 127.0.0.1:${port}`];
  const head = [...listen, "log: { level: debug }", ...lines].join("\n");
  return `${head}\nroutes:\n${routes.join("")}`;
}

async function ask(port: number, path: string): Promise<FakeAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<FakeAnswer>();
  get({ port, path, agent: false }, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (part: string) => (text += part));
    response.on("end", () => resolve(JSON.parse(text) as FakeAnswer)).on("error", reject);
  }).on("error", reject);
  return promise;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(10);
}

function reloads({ view }: Bench): Record<string, number> {
  for (const { family, samples } of view.metrics.collect()) {
    if (family !== reloadsTotal) continue;
    const names = family.fixed!.values;
    return Object.fromEntries(names.map((name, index) => [name, samples[0]!.values[index]!]));
  }
  return {};
}

test("gateway: it is starting until all workers serve, then serving, then draining", async (context) => {
  const { gateway, admin } = await makeBench(context);
  assert.equal(gateway.status().phase, "starting");
  await gateway.start();
  assert.equal(gateway.status().phase, "serving");
  assert.equal(gateway.status().revision, 1);
  assert.equal(admin.where, "127.0.0.1:9090");
  const ended = gateway.shutDown();
  assert.equal(gateway.status().phase, "draining");
  await ended;
  assert.equal(admin.where, "closed");
});

test("gateway: a changed file is served without being asked to reload", async (context) => {
  const bench = await makeBench(context);
  await bench.gateway.start();
  await bench.write(["b"]);
  await until(async () => (await bench.ask()).routes[0] === "b");
  await bench.gateway.reloaded();
  assert.equal(bench.gateway.status().revision, 2);
  assert.equal(bench.gateway.status().lastReload?.result, "applied");
});

test("gateway: a file with mistakes is refused with each of them, and the old one serves on", async (context) => {
  const bench = await makeBench(context);
  await bench.gateway.start();
  await bench.reload(["b"], "timeouts: { idel: 1s }", "workers: none");
  assert.deepEqual((await bench.ask()).routes, ["a"]);
  const errors = (await bench.log()).filter(({ level }) => level === "error");
  const messages = errors.map(({ msg }) => String(msg));
  assert.match(messages[0]!, /^gateward\.yaml:3:\d+ timeouts\.idel: .*idle/);
  assert.match(messages[1]!, /^gateward\.yaml:4:\d+ workers: /);
  assert.match(messages[2]!, /refused, the one before stays in force/);
  assert.equal(errors[2]!["mistakes"], 2);
  assert.deepEqual(reloads(bench), { applied: 0, unchanged: 0, refused: 1 });
});

test("gateway: a configuration that a worker refuses is refused as a whole", async (context) => {
  const bench = await makeBench(context);
  await bench.gateway.start();
  await bench.reload(["refuse in 1"]);
  assert.deepEqual((await bench.ask()).routes, ["a"]);
  assert.equal(bench.gateway.status().revision, 1);
  const refused = (await bench.log()).find(({ reason }) => reason === "refused in 1");
  assert.equal(refused?.["level"], "error");
  await bench.reload(["b"]);
  assert.deepEqual((await bench.ask()).routes, ["b"]);
});

test("gateway: a refused configuration leaves no listener of its own behind, in any worker", async (context) => {
  const bench = await makeBench(context);
  const extra = await freePort();
  await bench.gateway.start();
  await bench.reload(["refuse in 1"], `listen: [127.0.0.1:${bench.port}, 127.0.0.1:${extra}]`);
  // Workers are told to close it and not waited for.
  const problem = (error: NodeJS.ErrnoException): string => String(error.code);
  await until(async () => (await ask(extra, "/").then(String, problem)) === "ECONNREFUSED");
  await bench.reload(["b"], `listen: [127.0.0.1:${bench.port}, 127.0.0.1:${extra}]`);
  assert.deepEqual((await ask(extra, "/")).routes, ["b"]);
});

test("gateway: a configuration of which a worker dies is tried once more, and then given up", async (context) => {
  const bench = await makeBench(context);
  await bench.gateway.start();
  await bench.write(["die in 1"]);
  await until(() => reloads(bench)["refused"] === 2);
  await until(() => bench.gateway.status().workers.every(({ state }) => state === "serving"));
  assert.deepEqual((await bench.ask()).routes, ["a"]);
  await sleep(1200);
  assert.equal(reloads(bench)["refused"], 2);
});

test("gateway: an equal configuration changes nothing, however it is written", async (context) => {
  const bench = await makeBench(context);
  await bench.gateway.start();
  await bench.reload(["a"], "# a comment", "timeouts: { idle: 75000ms }");
  assert.equal(bench.gateway.status().revision, 1);
  assert.deepEqual(reloads(bench), { applied: 0, unchanged: 1, refused: 0 });
});

test("gateway: a file that is gone for a moment is no reason to do anything", async (context) => {
  const bench = await makeBench(context);
  await bench.gateway.start();
  await rename(bench.file, `${bench.file}~`);
  await sleep(300);
  assert.deepEqual((await bench.ask()).routes, ["a"]);
  assert.deepEqual(reloads(bench), { applied: 0, unchanged: 0, refused: 0 });
  await bench.write(["b"]);
  await until(async () => (await bench.ask()).routes[0] === "b");
});

test("gateway: what is asked for during a reload leads to one more, with the last state of the file", async (context) => {
  const bench = await makeBench(context);
  await bench.gateway.start();
  for (let index = 0; index < 20; index += 1) {
    await bench.write([`version-${index}`]);
    bench.gateway.reload("test");
  }
  await bench.gateway.reloaded();
  assert.deepEqual((await bench.ask()).routes, ["version-19"]);
  const { applied = 0, unchanged = 0 } = reloads(bench);
  assert.ok(applied + unchanged < 20, `${applied} applied, ${unchanged} unchanged`);
});

test("gateway: the admin address follows the configuration, and one it cannot have refuses all of it", async (context) => {
  const bench = await makeBench(context);
  await bench.gateway.start();
  await bench.reload(["b"], "admin: 127.0.0.1:9191");
  assert.equal(bench.admin.where, "127.0.0.1:9191");
  await bench.reload(["c"], "admin: 127.0.0.1:1");
  assert.equal(bench.admin.where, "127.0.0.1:9191");
  assert.deepEqual((await bench.ask()).routes, ["b"]);
});

test(
  "gateway: a renewed certificate is served without a reload being asked for",
  { skip: requires("openssl") },
  async (context) => {
    const bench = await makeBench(context);
    const { exact, exactRsa } = testCertificates();
    const [cert, key] = ["cert.pem", "key.pem"].map((name) => join(dirname(bench.file), name));
    await writeFile(cert!, exact.cert);
    await writeFile(key!, exact.key);
    await bench.gateway.start();
    const tls = `listen: { port: ${bench.port}, host: 127.0.0.1, tls: { cert: cert.pem, key: key.pem } }`;
    await bench.reload(["a"], tls);
    assert.equal(bench.gateway.status().revision, 2);
    // Key and certificate do not fit in between, which refuses a reload, should one come.
    await writeFile(key!, exactRsa.key);
    await writeFile(cert!, exactRsa.cert);
    await until(() => bench.gateway.status().revision >= 3);
  },
);

test("gateway: addresses of host names come with the configuration and follow their changes", async (context) => {
  const bench = await makeBench(context);
  await bench.gateway.start();
  await bench.reload(
    ["a"],
    "services: { users: 'http://users.test:80', fixed: 'http://10.0.0.1' }",
  );
  assert.deepEqual((await bench.ask()).endpoints, { "users.test": ["192.0.2.1"] });
  assert.deepEqual(bench.endpoints.names, ["users.test"]);
  bench.endpoints.move("192.0.2.9");
  await until(async () => (await bench.ask()).endpoints["users.test"]?.[0] === "192.0.2.9");
});

test("gateway: a worker that dies is replaced and counted", async (context) => {
  const bench = await makeBench(context);
  await bench.gateway.start();
  await bench.ask("/crash").catch(() => {});
  await until(() => bench.gateway.status().workers.some(({ restarts }) => restarts === 1));
  await until(() => bench.gateway.status().workers.every(({ state }) => state === "serving"));
  assert.deepEqual((await bench.ask()).routes, ["a"]);
});

test("gateway: a start that fails tells why and leaves nothing behind", async (context) => {
  const bench = await makeBench(context, ["refuse in 0"]);
  await assert.rejects(bench.gateway.start(), /^Error: refused in 0$/);
  assert.equal(bench.admin.where, "closed");
  await assert.rejects(bench.ask(), /ECONNREFUSED/);
});

test("gateway: a second one on the same port is refused, though the system would let them share it", async (context) => {
  const bench = await makeBench(context);
  await bench.gateway.start();
  const second = await makeBench(context, ["b"], bench.port);
  await assert.rejects(second.gateway.start(), /in use by another process$/);
  const third = await makeBench(context, ["c"]);
  await third.gateway.start();
  await third.reload(["d"], `listen: [127.0.0.1:${third.port}, 127.0.0.1:${bench.port}]`);
  assert.deepEqual((await third.ask()).routes, ["c"]);
});

test("gateway: a change of the number of workers is said to need a restart", async (context) => {
  const bench = await makeBench(context);
  await bench.gateway.start();
  await bench.reload(["b"], "workers: 5");
  const warning = (await bench.log()).find(({ level }) => level === "warn");
  assert.deepEqual([warning?.["serving"], warning?.["configured"]], [2, 5]);
});

test("gateway: a file that changes while it starts is served as it is after the start", async (context) => {
  const bench = await makeBench(context);
  await bench.write(["b"]);
  await bench.gateway.start();
  await until(async () => (await bench.ask()).routes[0] === "b");
});
