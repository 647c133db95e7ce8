import assert from "node:assert/strict";
import { test } from "node:test";
import { describeRoutes } from "./describe.ts";
import type { RouteMatch } from "./route-rule.ts";
import { compileRoutes } from "./route-table.ts";

function rowsOf(matches: Readonly<Record<string, RouteMatch>>) {
  const rules = Object.entries(matches).map(([name, match]) => ({ value: name, name, match }));
  return describeRoutes(compileRoutes(rules).matcher);
}

test("route listing: rules stand in the order in which they are tried", () => {
  const rows = rowsOf({
    rest: { path: "/*" },
    param: { path: "/a/:x" },
    wide: { path: "/*", hosts: ["*.org"] },
    exact: { path: "/a/b" },
    get: { path: "/a/:x", methods: ["GET"] },
    narrow: { path: "/*", hosts: ["*.x.org"] },
    host: { path: "/*", hosts: ["x.org"] },
  });
  const names = rows.map((row) => row.name);
  assert.deepEqual(names, ["host", "narrow", "wide", "exact", "get", "param", "rest"]);
  assert.deepEqual(
    rows.map((row) => row.order),
    [1, 2, 3, 4, 5, 6, 7],
  );
});

test("route listing: a row has all that the rule asks for", () => {
  const [row] = rowsOf({
    full: {
      path: "/a/:x(\\d+)",
      methods: ["GET", "PUT"],
      headers: { "X-A": "1" },
      query: { q: { present: true } },
      cookies: { c: { regex: "a+" } },
      clients: ["10.0.0.0/8", "::1"],
      contentTypes: ["text/*"],
    },
  });
  assert.deepEqual(row, {
    order: 1,
    ruleIndex: 0,
    name: "full",
    value: "full",
    methods: ["GET", "PUT"],
    hosts: ["*"],
    path: "/a/:x(\\d+)",
    conditions: [
      "header x-a=1",
      "query q present",
      "cookie c~a+",
      "content type text/*",
      "client 10.0.0.0/8 or ::1",
    ],
  });
});

test("route listing: hosts with the same rules share rows, a rule at several ranks has several", () => {
  const rows = rowsOf({
    both: { path: "/a", hosts: ["b.org", "a.org", "*.c.org"] },
    more: { path: "/b", hosts: ["a.org", "b.org"] },
  });
  assert.deepEqual(
    rows.map((row) => [row.name, row.hosts.join()]),
    [
      ["both", "a.org,b.org"],
      ["more", "a.org,b.org"],
      ["both", "*.c.org"],
    ],
  );
});
