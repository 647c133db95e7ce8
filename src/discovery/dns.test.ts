import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";
import { FakeDnsServer } from "../../test/support/fake-dns-server.ts";
import { Random } from "../base/random.ts";
import { DnsDiscovery } from "./dns.ts";
import type { DnsSettings } from "./dns.ts";

/** What discovery told: `change`, `warn` and `info` events, and a list of all changes. */
class Told extends EventEmitter {
  readonly changes: [hostname: string, addresses: readonly string[]][] = [];
  readonly logged: string[] = [];

  readonly onChange = (hostname: string, addresses: readonly string[]): void => {
    this.changes.push([hostname, addresses]);
    this.emit("change", hostname, addresses);
  };

  readonly log = {
    info: (message: string) => this.onLog("info", message),
    warn: (message: string) => this.onLog("warn", message),
  };

  private onLog(level: string, message: string): void {
    this.logged.push(`${level}: ${message}`);
    this.emit(level, message);
  }
}

function discover(
  server: FakeDnsServer,
  told: Told,
  settings: Partial<DnsSettings> = {},
): DnsDiscovery {
  return new DnsDiscovery({
    servers: [server.address],
    hostsFile: "/nowhere/hosts",
    resolvConf: "/nowhere/resolv.conf",
    lookup: async () => [],
    timeoutMs: 200,
    onChange: told.onChange,
    log: told.log,
    random: new Random(1),
    ttlMinMs: 5,
    ...settings,
  });
}

/** Discovery holds no timer of its own that would keep a test alive. */
async function keepAlive<Result>(work: () => Promise<Result>): Promise<Result> {
  const timer = setInterval(() => {}, 1000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/** Waits until the server has been asked so many times more. */
async function askedAgain(server: FakeDnsServer, times: number): Promise<void> {
  const enough = server.questions.length + times;
  while (server.questions.length < enough) await new Promise(setImmediate);
}

test("dns: resolve gives the addresses of all names, literal ones without asking", async () => {
  await using server = await FakeDnsServer.start();
  server.names.set("a.test", { a: ["10.0.0.2", "10.0.0.1"], ttl: 60 });
  server.names.set("b.test", { aaaa: ["fd00::1"], ttl: 60 });
  const told = new Told();
  using dns = discover(server, told);
  const names = ["a.test", "b.test", "127.0.0.1", "::1", "gone.test", "a.test"];
  assert.deepEqual(await dns.resolve(names), {
    "a.test": ["10.0.0.1", "10.0.0.2"],
    "b.test": ["fd00::1"],
    "127.0.0.1": ["127.0.0.1"],
    "::1": ["::1"],
    "gone.test": [],
  });
  assert.deepEqual(told.changes, []);
  assert.deepEqual(told.logged, ["warn: name does not resolve"]);
  assert.ok(!server.questions.some((question) => /127|::1/.test(question)));
});

test("dns: a watched name is asked for again, and a change is told once", async () => {
  await using server = await FakeDnsServer.start();
  server.names.set("a.test", { a: ["10.0.0.1", "10.0.0.2"] });
  const told = new Told();
  using dns = discover(server, told);
  await keepAlive(async () => {
    await dns.resolve(["a.test"]);
    dns.watch(["a.test", "10.1.1.1"]);
    await askedAgain(server, 2);
    // The same set in another order is no change.
    server.names.set("a.test", { a: ["10.0.0.2", "10.0.0.1"] });
    await askedAgain(server, 2);
    assert.deepEqual(told.changes, []);
    server.names.set("a.test", { a: ["10.0.0.3", "10.0.0.1"] });
    await once(told, "change");
    await askedAgain(server, 3);
  });
  assert.deepEqual(told.changes, [["a.test", ["10.0.0.1", "10.0.0.3"]]]);
  assert.deepEqual(dns.addresses("a.test"), ["10.0.0.1", "10.0.0.3"]);
});

test("dns: failures leave the last addresses in use, are logged once, and so is the recovery", async () => {
  await using server = await FakeDnsServer.start();
  server.names.set("a.test", { a: ["10.0.0.1"] });
  const told = new Told();
  using dns = discover(server, told);
  await keepAlive(async () => {
    await dns.resolve(["a.test"]);
    dns.watch(["a.test"]);
    server.names.set("a.test", { fails: true });
    await once(told, "warn");
    server.names.delete("a.test");
    await askedAgain(server, 2);
    assert.deepEqual(dns.addresses("a.test"), ["10.0.0.1"]);
    assert.deepEqual(await dns.resolve(["a.test"]), { "a.test": ["10.0.0.1"] });
    server.names.set("a.test", { a: ["10.0.0.1"] });
    await once(told, "info");
  });
  assert.deepEqual(told.changes, []);
  assert.deepEqual(told.logged, [
    "warn: name does not resolve any more; its last addresses stay in use",
    "info: name resolves again",
  ]);
});

test("dns: a name that did not resolve at first is told when it does", async () => {
  await using server = await FakeDnsServer.start();
  const told = new Told();
  using dns = discover(server, told);
  await keepAlive(async () => {
    assert.deepEqual(await dns.resolve(["late.test"]), { "late.test": [] });
    dns.watch(["late.test"]);
    server.names.set("late.test", { a: ["10.0.0.5"] });
    assert.deepEqual(await once(told, "change"), ["late.test", ["10.0.0.5"]]);
  });
});

test("dns: silent servers hold resolve up for a while only, and what comes later is told", async () => {
  await using server = await FakeDnsServer.start();
  server.names.set("slow.test", { silent: true });
  server.names.set("quick.test", { a: ["10.0.0.1"], ttl: 60 });
  const told = new Told();
  const answer = Promise.withResolvers<string[]>();
  using dns = discover(server, told, {
    resolveMaxMs: 20,
    timeoutMs: 1,
    lookup: () => answer.promise,
  });
  await keepAlive(async () => {
    const resolved = await dns.resolve(["slow.test", "quick.test"]);
    assert.deepEqual(resolved, { "slow.test": [], "quick.test": ["10.0.0.1"] });
    answer.resolve(["10.0.0.2"]);
    while (dns.addresses("slow.test").length === 0) await new Promise(setImmediate);
    assert.deepEqual(told.changes, []);
    dns.watch(["slow.test", "quick.test"]);
  });
  assert.deepEqual(told.changes, [["slow.test", ["10.0.0.2"]]]);
});

test("dns: waits after failures double", async () => {
  await using server = await FakeDnsServer.start();
  const told = new Told();
  const askedAtMs: number[] = [];
  using dns = discover(server, told, {
    ttlMinMs: 20,
    lookup: async () => {
      askedAtMs.push(performance.now());
      return [];
    },
  });
  await keepAlive(async () => {
    dns.watch(["gone.test"]);
    while (askedAtMs.length < 5) await new Promise(setImmediate);
  });
  const waits = askedAtMs.slice(1).map((atMs, index) => atMs - askedAtMs[index]!);
  // At least 20, 40, 80 and 160 ms; a busy machine only makes them longer.
  for (const [index, waitMs] of waits.entries()) assert.ok(waitMs >= 19 * 2 ** index, waits.join());
});

test("dns: times to live are kept within bounds and jittered upwards", async () => {
  await using server = await FakeDnsServer.start();
  server.names.set("never.test", { a: ["10.0.0.1"], ttl: 2 ** 31 - 1 });
  server.names.set("hour.test", { a: ["10.0.0.1"], ttl: 3600 });
  server.names.set("now.test", { a: ["10.0.0.1"], ttl: 0 });
  const told = new Told();
  using dns = discover(server, told, { ttlMinMs: 30, ttlMaxMs: 60 });
  const names = ["never.test", "hour.test", "now.test"];
  await keepAlive(async () => {
    await dns.resolve(names);
    const startMs = performance.now();
    dns.watch(names);
    for (const [name, leastMs] of [
      ["now.test", 25],
      ["hour.test", 55],
      ["never.test", 55],
    ] as const) {
      while (server.questions.filter((question) => question === `A ${name}`).length < 2) {
        await new Promise(setImmediate);
      }
      assert.ok(performance.now() - startMs >= leastMs, name);
    }
  });
});

test("dns: names that are not watched any more are neither asked for nor told", async () => {
  await using server = await FakeDnsServer.start();
  server.names.set("a.test", { a: ["10.0.0.1"] });
  server.names.set("b.test", { a: ["10.0.0.2"] });
  const told = new Told();
  using dns = discover(server, told);
  await keepAlive(async () => {
    await dns.resolve(["a.test", "b.test"]);
    dns.watch(["a.test", "b.test"]);
    await askedAgain(server, 4);
    dns.watch(["b.test"]);
    server.names.set("a.test", { a: ["10.0.0.9"] });
    // One question may have been on its way.
    await askedAgain(server, 2);
    server.questions.length = 0;
    await askedAgain(server, 5);
  });
  assert.deepEqual([...new Set(server.questions)], ["A b.test"]);
  assert.deepEqual(told.changes, []);
  assert.deepEqual(dns.addresses("a.test"), []);
});

test("dns: names resolved for a configuration that was refused are not asked for again", async () => {
  await using server = await FakeDnsServer.start();
  server.names.set("a.test", { a: ["10.0.0.1"] });
  server.names.set("refused.test", { a: ["10.0.0.2"] });
  using dns = discover(server, new Told());
  await keepAlive(async () => {
    await dns.resolve(["a.test"]);
    dns.watch(["a.test"]);
    await dns.resolve(["refused.test"]);
    await askedAgain(server, 4);
  });
  assert.equal(server.questions.filter((question) => question === "A refused.test").length, 1);
});

test("dns: resolving at once asks once", async () => {
  await using server = await FakeDnsServer.start();
  server.names.set("a.test", { a: ["10.0.0.1"], ttl: 60 });
  using dns = discover(server, new Told());
  await Promise.all([dns.resolve(["a.test"]), dns.resolve(["a.test"])]);
  dns.watch(["a.test"]);
  await dns.resolve(["a.test"]);
  assert.deepEqual(server.questions, ["A a.test"]);
});

test("dns: disposing ends questions under way and leaves no handle", async () => {
  await using server = await FakeDnsServer.start();
  server.names.set("a.test", { a: ["10.0.0.1"] });
  server.names.set("silent.test", { silent: true });
  const told = new Told();
  const handles = () => process.getActiveResourcesInfo().toSorted().join();
  // The servers of earlier tests leave the loop in its next turns.
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  const before = handles();
  const dns = discover(server, told, { timeoutMs: 60_000 });
  await dns.resolve(["a.test"]);
  dns.watch(["a.test", "silent.test"]);
  const resolving = dns.resolve(["silent.test"]);
  while (!server.questions.includes("A silent.test")) await new Promise(setImmediate);
  dns.dispose();
  assert.deepEqual(await resolving, { "silent.test": [] });
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  assert.equal(handles(), before);
  server.names.set("a.test", { a: ["10.0.0.2"] });
  assert.deepEqual(await dns.resolve(["a.test"]), { "a.test": [] });
  assert.deepEqual(told.changes, []);
  assert.deepEqual(told.logged, []);
});
