import assert from "node:assert/strict";
import { test } from "node:test";
import { findInHosts, findInHostsFile } from "./hosts-file.ts";

const hosts = `
# local names
127.0.0.1	localhost loopback
::1 localhost ip6-localhost # comment users
10.0.0.7 users Users.Internal
10.0.0.8 users
10.0.0.7 users
fe80::1%lo0 users
#10.0.0.9 users
`;

test("hosts file: a name has all addresses that its lines give, each once, in order", () => {
  assert.deepEqual(findInHosts(hosts, "localhost"), ["127.0.0.1", "::1"]);
  assert.deepEqual(findInHosts(hosts, "users"), ["10.0.0.7", "10.0.0.8"]);
  assert.deepEqual(findInHosts(hosts, "USERS.internal"), ["10.0.0.7"]);
});

test("hosts file: addresses, comments and parts of names are no names", () => {
  for (const name of ["127.0.0.1", "comment", "local", "internal", ""]) {
    assert.deepEqual(findInHosts(hosts, name), [], name);
  }
});

test("hosts file: one that does not exist has no names", async () => {
  assert.deepEqual(await findInHostsFile("/nowhere/hosts", "localhost"), []);
});
