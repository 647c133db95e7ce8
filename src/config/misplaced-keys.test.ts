import assert from "node:assert/strict";
import { test } from "node:test";
import { knownPolicies } from "./known-policies.ts";
import { formatPath } from "./mistake.ts";
import { validate } from "./validate.ts";

/** What is said of the keys that are not known where they stand, by path. */
function hints(document: object): Record<string, string | undefined> {
  const { findings } = validate(document, knownPolicies);
  const unknown = findings.filter(({ message }) => message.startsWith("unknown key"));
  return Object.fromEntries(unknown.map(({ path, hint }) => [formatPath(path), hint]));
}

const ofService = (options: object): Record<string, string | undefined> =>
  hints({ services: { s: { targets: ["http://a"], ...options } }, routes: [] });

const ofRoute = (options: object): Record<string, string | undefined> =>
  hints({ services: { s: "http://a", b: "http://b" }, routes: [{ match: "/*", ...options }] });

test("misplaced keys: what was written too deep is sent to the map around it", () => {
  const answer = { status: 503, text: "sorry" };
  assert.deepEqual(ofService({ fallback: [{ respond: answer }] }), {
    "services.s.fallback[0].respond.text": "it belongs beside respond, not in it",
  });
  assert.deepEqual(ofService({ fallback: { respond: answer } }), {
    "services.s.fallback.respond.text": "it belongs beside respond, not in it",
  });
  assert.deepEqual(ofService({ retry: { hedge: "100ms", backoff: { retryAfter: "2s" } } }), {
    "services.s.retry.hedge": "it belongs beside retry, not in it",
    "services.s.retry.backoff.retryAfter": "it belongs beside backoff, not in it",
  });
  assert.deepEqual(ofService({ overload: true }), {
    "services.s.overload": "it belongs at the top of the document",
  });
});

test("misplaced keys: what is for a whole list is sent to the map that the list can stand in", () => {
  const branches = [{ service: "s", sticky: "cookie" }, { service: "b" }];
  assert.deepEqual(ofRoute({ split: branches }), {
    "routes[0].split[0].sticky": "write split as a map: { branches: […], sticky: … }",
  });
  assert.deepEqual(ofService({ fallback: [{ cached: true, on: [500] }] }), {
    "services.s.fallback[0].on": "write fallback as a map: { steps: […], on: … }",
  });
});

test("misplaced keys: what was written too high is sent into the part that has it", () => {
  assert.deepEqual(ofService({ trials: 3, breaker: { after: "2s" }, outliers: { factor: 2 } }), {
    "services.s.trials": "it belongs in breaker",
    "services.s.breaker.after": "it belongs in slow",
    "services.s.outliers.factor": "it belongs in successRate or slow",
  });
  assert.deepEqual(ofRoute({ service: "s", weight: 1, sticky: "cookie" }), {
    "routes[0].weight": "it belongs in an entry of split",
    "routes[0].sticky": "it belongs in split",
  });
  assert.deepEqual(hints({ eventLoop: "1s", breaker: true, routes: [] }), {
    eventLoop: "it belongs in overload",
    breaker: "it belongs in an entry of services",
  });
});

test("misplaced keys: what another part has is sent there, and what is a policy into policies", () => {
  assert.deepEqual(ofService({ breaker: { inFlight: 10 }, split: [], mirror: { to: "s" } }), {
    "services.s.breaker.inFlight": "it belongs in connections",
    "services.s.split": "it is an option of routes",
    "services.s.mirror": "it is a policy: write it in policies, - mirror: …",
  });
  assert.deepEqual(ofRoute({ service: "s", concurrency: "adaptive", retry: { budget: "1%" } }), {
    "routes[0].concurrency": "it is an option of services",
    "routes[0].retry.budget": "it is an option of retry of services",
  });
});

test("misplaced keys: a slip of the keyboard is one, and what is known nowhere near gets the list", () => {
  assert.deepEqual(ofService({ fallback: { respond: { header: {}, colour: "red" } } }), {
    "services.s.fallback.respond.header": 'did you mean "headers"?',
    "services.s.fallback.respond.colour": "one of status, headers, body",
  });
  assert.deepEqual(ofRoute({ service: "s", policies: [{ fault: { status: 503 } }] }), {
    "routes[0].policies[0].fault.status":
      "one of share, delay, abort, as, header, until, maxDelayed",
  });
});
