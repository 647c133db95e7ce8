import assert from "node:assert/strict";
import { test } from "node:test";
import type { Config } from "../config/config.ts";
import { validate } from "../config/validate.ts";
import { defineAuthenticator } from "../policy/authenticator.ts";
import { definePolicy } from "../policy/policy.ts";
import { section } from "../policy/values/section.ts";
import { PolicyChains } from "./policy-chain.ts";
import { chainsOfRoutes } from "./routes.ts";

const common = { summary: "Stands for one.", schema: section({}).prefault({}) };
const policies = {
  stamp: definePolicy({ ...common, name: "stamp", compile: () => ({}) }),
  badge: defineAuthenticator({
    ...common,
    name: "badge",
    compile: () => ({ challenge: "", authenticate: () => null }),
  }),
};

function configOf(document: object): Config {
  const { config, findings } = validate(document, policies);
  assert.ok(config !== undefined, JSON.stringify(findings));
  return config;
}

const config = configOf({
  policies: ["stamp"],
  services: {
    users: {
      targets: ["http://127.0.0.1:1"],
      policies: [{ "any-of": ["badge", { "all-of": ["badge", "badge"] }], when: "GET /users/*" }],
    },
  },
  routes: [
    {
      match: "/users/*",
      service: "users",
      policies: [
        { stamp: {}, unless: { headers: { "x-beta": "1" }, expression: "identity == null" } },
        { stamp: {}, when: { hosts: "a.example" } },
      ],
    },
    { match: "/ping", respond: {} },
  ],
  plans: { gold: { policies: ["stamp"] } },
  consumers: { mobile: { plan: "gold", policies: ["stamp"] } },
});

test("routes --policies: what requests of each route meet, in order, with places and conditions", () => {
  assert.equal(
    chainsOfRoutes(config).join("\n"),
    `* /users/* -> users
  1 stamp      policies[0]
  2 any-of     services.users.policies[0]  when GET /users/*
      badge    services.users.policies[0].any-of[0]
      all-of   services.users.policies[0].any-of[1]
        badge  services.users.policies[0].any-of[1].all-of[0]
        badge  services.users.policies[0].any-of[1].all-of[1]
  3 stamp      routes[0].policies[0]  unless header x-beta=1 and identity == null
  4 stamp      routes[0].policies[1]  when a.example/*

* /ping -> respond 200
  1 stamp  policies[0]

then, with the plan gold (routes *)
  1 stamp  plans.gold.policies[0]

then, of the consumer mobile (plan gold before)
  1 stamp  consumers.mobile.policies[0]`,
  );
});

test("routes --policies: a route that meets none says so", () => {
  const [, line] = chainsOfRoutes(configOf({ routes: [{ match: "/", respond: {} }] }));
  assert.equal(line, "  no policies");
});

test("routes --policies: of a split, the ways come first, and what only one of them meets last", () => {
  const split = {
    sticky: "cookie",
    branches: [
      { service: "a", weight: 2 },
      { service: "b", name: "trial", weight: 1 },
      { service: "b", when: { headers: { "x-beta": "1" } } },
    ],
  };
  const services = {
    a: "http://127.0.0.1:1",
    b: { targets: ["http://127.0.0.1:2"], policies: ["stamp"] },
  };
  const routes = [{ match: "/*", split, policies: ["stamp"] }];
  assert.deepEqual(chainsOfRoutes(configOf({ services, routes })), [
    "* /* -> a 66.7 %, trial (b) 33.3 %, b on condition; the same for each cookie",
    "  1 stamp  routes[0].policies[0]",
    "  2 stamp  services.b.policies[0]  when sent to b",
  ]);
});

test("routes --json: callers' policies stand beside those of the routes", () => {
  const chains = new PolicyChains(config);
  assert.deepEqual(chains.consumers, [
    {
      name: "mobile",
      plan: "gold",
      policies: [{ name: "stamp", at: "consumers.mobile.policies[0]" }],
    },
  ]);
  assert.deepEqual(chains.ofRoute(config.routes[1]!), [{ name: "stamp", at: "policies[0]" }]);
});
