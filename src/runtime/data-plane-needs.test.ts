import assert from "node:assert/strict";
import { test } from "node:test";
import { validate } from "../config/validate.ts";
import { knownPolicies } from "../config/known-policies.ts";
import {
  clientConnectionsIdentity,
  counterIdentities,
  metricChildren,
} from "./data-plane-needs.ts";

const { config } = validate(
  {
    admin: false,
    services: {
      users: { targets: ["http://users.test:3000", "http://10.0.0.9", "unix:/run/users.sock"] },
      orders: "http://users.test:3000",
    },
    routes: [
      { match: "/users/*", service: "users" },
      { match: "/orders/*", service: "orders" },
    ],
  },
  {},
);

test("data plane needs: a slot for each service, for each address of it, and one for clients", () => {
  const names = counterIdentities(config!, { "users.test": ["10.0.0.1", "10.0.0.2"] });
  assert.equal(names[0], clientConnectionsIdentity);
  // Two addresses of the name, the written one and the socket; the other service has the two again.
  assert.equal(new Set(names).size, 1 + 2 + 4 + 2);
  assert.equal(names.length, new Set(names).size);
  assert.equal(counterIdentities(config!, {}).length, 1 + 2 + 2);
});

test("data plane needs: metrics have the URL as a label, whatever it resolves to", () => {
  const children = metricChildren(config!, knownPolicies);
  const labels = children.flatMap((child) => JSON.stringify(child));
  assert.ok(labels.some((one) => one.includes("http://users.test:3000")));
  assert.ok(!labels.some((one) => one.includes("10.0.0.1")));
});
