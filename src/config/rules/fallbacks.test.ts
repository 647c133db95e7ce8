import assert from "node:assert/strict";
import { test } from "node:test";
import { knownPolicies } from "../known-policies.ts";
import { formatPath } from "../mistake.ts";
import { validate } from "../validate.ts";

const raw = { targets: ["http://127.0.0.1:4"], rawPath: true };
const services = { a: "http://127.0.0.1:1", b: "http://127.0.0.1:2", c: "http://127.0.0.1:3", raw };
const sorry = { respond: { status: 503 } };
const kept = { cache: { ttl: "1m", maxStale: "1d" } };

interface More {
  route?: object;
  service?: object;
}

function sentences(fallback: unknown, { route, service }: More = {}): string[] {
  const a = { targets: ["http://127.0.0.1:1"], ...service };
  const routes = [{ match: "/a/:id", service: "a", fallback, ...route }];
  const { findings } = validate({ services: { ...services, a }, routes }, knownPolicies);
  return findings
    .filter(({ message }) => !message.startsWith("nothing uses"))
    .map(({ level, path, message, hint }) => {
      return `${level} ${formatPath(path)}: ${message}; ${hint ?? ""}`;
    });
}

test("fallbacks: a step, a list and a map are taken, and their services count as used", () => {
  for (const fallback of [
    { service: "b" },
    [{ service: "b", rewrite: "/b/:id", timeout: "2s" }, { service: "c" }, sorry],
    { on: ["failure", "5xx", 429], steps: [{ service: "b" }], header: false },
    { ...sorry, text: "no {failure}", on: 503 },
  ]) {
    assert.deepEqual(sentences(fallback), []);
    assert.deepEqual(sentences(undefined, { service: { fallback } }), []);
  }
  const two = { a: { targets: ["http://127.0.0.1:1"], fallback: { service: "b" } }, b: services.b };
  const { findings } = validate({ services: two, routes: [{ match: "/", service: "a" }] }, {});
  assert.deepEqual(findings, []);
});

const refused: [what: string, fallback: unknown, sentence: RegExp][] = [
  ["a service unknown", { service: "d" }, /fallback\.service: no service named "d"/],
  [
    "one unknown in a list",
    [sorry, { service: "d" }],
    /fallback\[1\]\.service: no service named "d"/,
  ],
  [
    "one unknown in a map",
    { steps: [{ service: "d" }] },
    /fallback\.steps\[0\]\.service: no service named "d"/,
  ],
  ["the service itself", { service: "a" }, /fallback\.service: a would stand in for itself/],
  [
    "what nothing reaches",
    [sorry, { service: "b" }],
    /fallback\[1\]: no request comes to this step/,
  ],
  ["a step twice", [{ service: "b" }, { service: "b" }], /fallback\[1\]: the same step again/],
  ["nothing", [], /fallback: nothing that could answer/],
  ["an empty step", [{}], /fallback\[0\]: a step that says nothing/],
  [
    "two in one",
    [{ service: "b", ...sorry }],
    /fallback\[0\]\.respond: service and respond in one/,
  ],
  [
    "a step beside steps",
    { service: "b", steps: [sorry] },
    /fallback\.service: service beside steps/,
  ],
  ["unsafe of an answer", { ...sorry, unsafe: true }, /fallback\.unsafe: unsafe without service/],
  ["text alone", { text: "x" }, /fallback: a step that says nothing/],
  [
    "text beside a body",
    { respond: { body: "x" }, text: "y" },
    /fallback\.text: text beside a body/,
  ],
  ["a name unknown", { ...sorry, text: "{fault}" }, /fallback\.text: there is no \{fault\}/],
  ["a status that is none", { ...sorry, on: [200] }, /fallback\.on/],
  ["a word that is none", { ...sorry, on: ["faults"] }, /"faults" is nothing to fall back on/],
  ["nothing to fall back on", { ...sorry, on: [] }, /fallback\.on: nothing to fall back on/],
  ["an unlike path", { service: "raw" }, /of the services a and raw only one has rawPath/],
  ["a parameter", { service: "b", rewrite: "/:name" }, /fallback\.rewrite: `:name` is not in/],
  ["a cache that is not there", [{ cached: true }], /fallback\[0\]: no policy there keeps answers/],
];
for (const [what, fallback, sentence] of refused) {
  test(`fallbacks: ${what} is told`, () => {
    const found = sentences(fallback);
    assert.match(found.join("\n"), sentence);
    assert.match(found[0]!, /^error routes\[0\]/);
    assert.match(sentences(undefined, { service: { fallback } }).join("\n"), sentence);
  });
}

test("fallbacks: without a service there is nothing that could fail", () => {
  const route = { service: undefined, respond: {} };
  assert.match(sentences(sorry, { route })[0]!, /fallback: fallback without a service/);
});

test("fallbacks: a cache that keeps answers may stand anywhere on the way", () => {
  const cached = [{ cached: true }, sorry];
  assert.deepEqual(sentences(cached, { route: { policies: [kept] } }), []);
  assert.deepEqual(sentences(cached, { service: { policies: [kept] } }), []);
  const short = { cache: { ttl: "1m" } };
  assert.match(sentences(cached, { route: { policies: [short] } })[0]!, /no policy there keeps/);
});
