import assert from "node:assert/strict";
import { test } from "node:test";
import { candidateNames, parseSearchDomains, readSearchDomains } from "./search-domains.ts";

const kubernetes = parseSearchDomains(`
nameserver 10.96.0.10
search shop.svc.cluster.local svc.cluster.local. cluster.local # ours
options edns0 ndots:5
`);

test("search domains: resolv.conf is read as the C library reads it", () => {
  assert.deepEqual(kubernetes, {
    domains: ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local"],
    ndots: 5,
  });
  assert.deepEqual(parseSearchDomains("search a\nsearch b c\n"), { domains: ["b", "c"], ndots: 1 });
  assert.deepEqual(parseSearchDomains("domain a b\n;search x\n"), { domains: ["a"], ndots: 1 });
  assert.deepEqual(parseSearchDomains("search .\noptions ndots:99"), { domains: [], ndots: 15 });
});

test("search domains: names with few dots are completed before they are taken as they are", () => {
  assert.deepEqual(candidateNames("users.shop", kubernetes), [
    "users.shop.shop.svc.cluster.local",
    "users.shop.svc.cluster.local",
    "users.shop.cluster.local",
    "users.shop",
  ]);
  const office = parseSearchDomains("search example.com");
  assert.deepEqual(candidateNames("users", office), ["users.example.com", "users"]);
  assert.deepEqual(candidateNames("users.shop", office), ["users.shop", "users.shop.example.com"]);
});

test("search domains: a closing dot says that a name is whole", () => {
  assert.deepEqual(candidateNames("users.", kubernetes), ["users"]);
});

test("search domains: without resolv.conf there are none", async () => {
  assert.deepEqual(await readSearchDomains("/nowhere"), { domains: [], ndots: 1 });
});
