import assert from "node:assert/strict";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FakeDnsServer } from "../../test/support/fake-dns-server.ts";
import { NameResolver } from "./name-resolver.ts";
import type { NameResolverSettings } from "./name-resolver.ts";

/** Asks only the fake server: no file of this machine, no C library. */
function resolverOf(server: FakeDnsServer, settings: NameResolverSettings = {}): NameResolver {
  const hostsFile = "/nowhere/hosts";
  const resolvConf = "/nowhere/resolv.conf";
  const lookup = async () => [];
  const servers = [server.address];
  return new NameResolver({ servers, hostsFile, resolvConf, lookup, timeoutMs: 200, ...settings });
}

test("name resolver: addresses come sorted and once, with the shortest time to live", async () => {
  await using server = await FakeDnsServer.start();
  server.names.set("users.test", { a: ["10.0.0.2", "10.0.0.1", "10.0.0.2"], ttl: 60 });
  const resolved = await resolverOf(server).resolve("users.test");
  assert.deepEqual(resolved, { addresses: ["10.0.0.1", "10.0.0.2"], ttlMs: 60_000 });
  assert.deepEqual(server.questions, ["A users.test"]);
});

test("name resolver: IPv6 addresses serve where there are no others", async () => {
  await using server = await FakeDnsServer.start();
  server.names.set("six.test", { aaaa: ["fd00::2", "fd00::1"], ttl: 5 });
  server.names.set("both.test", { a: ["10.0.0.1"], aaaa: ["fd00::1"] });
  const resolver = resolverOf(server);
  const resolved = await resolver.resolve("six.test");
  assert.deepEqual(resolved, { addresses: ["fd00::1", "fd00::2"], ttlMs: 5000 });
  assert.deepEqual((await resolver.resolve("both.test")).addresses, ["10.0.0.1"]);
});

test("name resolver: the hosts file comes before the servers", async () => {
  await using server = await FakeDnsServer.start();
  server.names.set("users.test", { a: ["10.0.0.1"] });
  await using folder = await mkdtempDisposable(join(tmpdir(), "gateward-hosts-"));
  const hostsFile = join(folder.path, "hosts");
  await writeFile(hostsFile, "10.9.9.9 users.test\n127.0.0.1 localhost\n");
  const resolver = resolverOf(server, { hostsFile });
  assert.deepEqual((await resolver.resolve("users.test")).addresses, ["10.9.9.9"]);
  assert.deepEqual((await resolver.resolve("localhost")).addresses, ["127.0.0.1"]);
  assert.deepEqual(server.questions, []);
});

test("name resolver: localhost is known without any file, and never asked for", async () => {
  await using server = await FakeDnsServer.start();
  const resolver = resolverOf(server);
  for (const name of ["localhost", "LocalHost", "users.localhost"]) {
    assert.deepEqual((await resolver.resolve(name)).addresses, ["127.0.0.1", "::1"]);
  }
  assert.deepEqual(server.questions, []);
});

test("name resolver: search domains complete a name in their order", async () => {
  await using server = await FakeDnsServer.start();
  server.names.set("users.shop", { a: ["203.0.113.1"] });
  server.names.set("users.shop.svc.test", { a: ["10.0.0.1"] });
  await using folder = await mkdtempDisposable(join(tmpdir(), "gateward-resolv-"));
  const resolvConf = join(folder.path, "resolv.conf");
  await writeFile(resolvConf, "search other.test svc.test\noptions ndots:5\n");
  const resolved = await resolverOf(server, { resolvConf }).resolve("users.shop");
  assert.deepEqual(resolved.addresses, ["10.0.0.1"]);
});

test("name resolver: a server in trouble does not turn a name into another one", async () => {
  await using server = await FakeDnsServer.start();
  server.names.set("users.shop.svc.test", { fails: true });
  server.names.set("users.shop", { a: ["203.0.113.1"] });
  await using folder = await mkdtempDisposable(join(tmpdir(), "gateward-resolv-"));
  const resolvConf = join(folder.path, "resolv.conf");
  await writeFile(resolvConf, "search svc.test\noptions ndots:5\n");
  const resolving = resolverOf(server, { resolvConf }).resolve("users.shop");
  await assert.rejects(resolving, { code: "ESERVFAIL" });
});

test("name resolver: what servers do not know the C library may", async () => {
  await using server = await FakeDnsServer.start();
  const lookup = async (hostname: string) => [hostname === "printer.local" ? "10.0.0.9" : "::9"];
  const resolver = resolverOf(server, { lookup });
  assert.deepEqual(await resolver.resolve("printer.local"), {
    addresses: ["10.0.0.9"],
    ttlMs: 30_000,
  });
});

test("name resolver: names that nobody knows and servers that are silent are errors", async () => {
  await using server = await FakeDnsServer.start();
  server.names.set("silent.test", { silent: true });
  server.names.set("empty.test", {});
  const resolver = resolverOf(server, {
    lookup: () => Promise.reject(new Error("not the one to report")),
  });
  await assert.rejects(resolver.resolve("unknown.test"), { code: "ENOTFOUND" });
  await assert.rejects(resolver.resolve("empty.test"), { code: "ENODATA" });
  await assert.rejects(resolver.resolve("silent.test"), { code: "ETIMEOUT" });
});

test("name resolver: cancel ends what is being asked", async () => {
  await using server = await FakeDnsServer.start();
  server.names.set("silent.test", { silent: true });
  const resolver = resolverOf(server, { timeoutMs: 60_000 });
  const rejected = assert.rejects(resolver.resolve("silent.test"), { code: "ECANCELLED" });
  while (server.questions.length === 0) await new Promise(setImmediate);
  resolver.cancel();
  await rejected;
});
