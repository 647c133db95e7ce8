import assert from "node:assert/strict";
import { test } from "node:test";
import type { RouteConfig } from "../config/config.ts";
import { validate } from "../config/validate.ts";
import { packRoutes, readPages } from "./route-pages.ts";

function makeRoutes(count: number): RouteConfig[] {
  const { config, findings } = validate(
    {
      services: { users: "http://127.0.0.1:3001" },
      routes: Array.from({ length: count }, (_, index) => ({
        match: { path: `/ünïcode-${index}/:id(\\d+)`, headers: { "x-tenant": [`t-${index}`] } },
        service: "users",
        timeout: { response: "3s" },
      })),
    },
    {},
  );
  assert.ok(config !== undefined, JSON.stringify(findings));
  return config.routes;
}

test("route pages: routes come out in another thread as they went in", () => {
  for (const count of [0, 1, 49, 50, 51, 230]) {
    const routes = makeRoutes(count);
    const pages = structuredClone(packRoutes(routes, new Int32Array(count * 2)));
    assert.equal(pages.count, routes.length);
    // Of what is undefined JSON says nothing.
    const expected = JSON.parse(JSON.stringify(routes)) as unknown;
    assert.deepEqual([...readPages(pages)].flat(), expected);
  }
});

test("route pages: the text is shared, not copied", () => {
  const pages = packRoutes(makeRoutes(3), new Int32Array(6));
  const cloned = structuredClone(pages);
  pages.text[0] = 0x20;
  assert.equal(cloned.text[0], 0x20);
});
