import assert from "node:assert/strict";
import { test } from "node:test";
import { knownPolicies } from "../known-policies.ts";
import { formatPath } from "../mistake.ts";
import { validate } from "../validate.ts";

const services = { a: "http://127.0.0.1:1", b: "http://127.0.0.1:2", c: "http://127.0.0.1:3" };
const two = [{ service: "a" }, { service: "b" }, { service: "c", weight: 0 }];

function sentences(split: unknown, more: { route?: object; document?: object } = {}): string[] {
  const routes = [{ match: "/a/:id", split, ...more.route }];
  const { findings } = validate({ services, routes, ...more.document }, knownPolicies);
  return findings
    .filter(({ message }) => !message.startsWith("nothing uses"))
    .map(({ path, message, hint }) => `${formatPath(path)}: ${message}; ${hint ?? ""}`);
}

test("splits: lists and maps of branches are taken, and their services count as used", () => {
  for (const split of [two, { branches: two, sticky: "cookie" }, { branches: two, seed: "x" }]) {
    const { findings } = validate({ services, routes: [{ match: "/", split }] }, knownPolicies);
    assert.deepEqual(findings, []);
  }
});

test("splits: a service that is not there is told where it is named", () => {
  const wrong = [{ service: "a" }, { service: "d" }];
  assert.match(sentences(wrong)[0]!, /^routes\[0\]\.split\[1\]\.service: no service named "d"/);
  assert.match(
    sentences({ branches: wrong })[0]!,
    /^routes\[0\]\.split\.branches\[1\]\.service: no service named "d"/,
  );
});

const when = { headers: { "x-beta": "1" } };
const refused: [what: string, split: unknown, sentence: RegExp][] = [
  ["one branch", [{ service: "a" }], /split: fewer than two branches/],
  ["equal names", [{ service: "a" }, { service: "a" }], /split\[1\]: two branches called "a"/],
  [
    "weights of nothing",
    [
      { service: "a", weight: 0 },
      { service: "b", weight: 0 },
    ],
    /split: every branch without a condition has weight 0/,
  ],
  [
    "conditions only",
    [
      { service: "a", when },
      { service: "b", when, weight: 3 },
    ],
    /split: requests that fit no condition have nowhere to go/,
  ],
  [
    "a condition twice",
    [{ service: "a", when }, { service: "b", when }, { service: "c" }],
    /split\[1\]\.when: no request goes to b/,
  ],
  [
    "a condition that is none",
    [{ service: "a", when: {} }, { service: "b" }],
    /split\[0\]\.when: a takes every request/,
  ],
  ["a way unknown", { branches: two, sticky: "session" }, /split\.sticky: unknown value "session"/],
  [
    "two ways",
    { branches: two, sticky: { header: "x", cookie: "y" } },
    /split\.sticky: both a header and a cookie/,
  ],
  [
    "a cookie that browsers drop",
    { branches: two, sticky: { cookie: "y", sameSite: "none" } },
    /split\.sticky\.sameSite: browsers drop/,
  ],
  [
    "a parameter that the path has not",
    [{ service: "a" }, { service: "b", rewrite: "/b/:name" }],
    /split\[1\]\.rewrite: `:name` is not in the path/,
  ],
];
for (const [what, split, sentence] of refused) {
  test(`splits: ${what} is told`, () => {
    assert.match(sentences(split).join("\n"), sentence);
  });
}

test("splits: a split beside a service is refused", () => {
  assert.match(sentences(two, { route: { service: "a" } })[0]!, /service and split in one route/);
});

test("splits: all services take the path as it came, or none does", () => {
  const raw = { targets: ["http://127.0.0.1:1"], rawPath: true };
  const document = { services: { ...services, a: raw } };
  assert.match(
    sentences(two, { document })[0]!,
    /split\[1\]: of the services a and b only one has/,
  );
  const all = { services: { a: raw, b: raw, c: raw } };
  assert.deepEqual(sentences(two, { document: all }), []);
  const route = { rewrite: "/x" };
  assert.match(sentences(two, { document: all, route })[0]!, /the service a has rawPath/);
});

test("splits: known by consumers, somebody has to find out who they are", () => {
  const split = { branches: two, sticky: "consumer" };
  assert.match(sentences(split)[0]!, /split\.sticky: no policy before the choice finds out/);
  for (const more of [
    { route: { policies: ["api-key"] } },
    { document: { policies: [{ "any-of": ["api-key", "anonymous"] }] } },
  ]) {
    assert.deepEqual(sentences(split, more), []);
  }
});

test("splits: a cache on the route may not answer whom a service would refuse", () => {
  const guarded = { targets: ["http://127.0.0.1:2"], policies: ["api-key"] };
  const document = { services: { ...services, b: guarded } };
  const route = { policies: ["cache"] };
  assert.match(
    sentences(two, { document, route })[0]!,
    /policies\[0\]: cache answers before the policies of the service b are asked/,
  );
  assert.deepEqual(sentences(two, { route }), []);
});
