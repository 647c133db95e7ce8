import assert from "node:assert/strict";
import { test } from "node:test";
import { defineFaultType, Fault } from "../base/faults.ts";
import { definePolicy } from "../policy/policy.ts";
import { choice } from "../policy/values/text.ts";
import { section } from "../policy/values/section.ts";
import { ConfigRefused } from "./test-document.ts";
import { testPolicy } from "./test-policy.ts";

const notForYou = defineFaultType("not-for-you", {
  status: 403,
  title: "Not for you",
  whose: "client",
  retrySafe: "never",
  cause: "The caller's name is not the one that may pass.",
  remedy: "Call under another name.",
});

const bouncer = definePolicy({
  name: "bouncer",
  summary: "Lets one caller pass and tells the service when.",
  schema: section({ name: choice(["ann", "bob"]).prefault("ann").describe("Who.") }).prefault({}),
  results: ["passed", "refused"],
  faults: [notForYou],
  needs: () => ["identity"],
  compile({ name }, { counter, clock }) {
    const passed = counter("passed");
    const refused = counter("refused");
    const refusal = new Fault(notForYou, `only ${name}`);
    return {
      onRequest({ identity, request }) {
        if (identity?.subject !== name) {
          refused.add(1);
          return refusal;
        }
        passed.add(1);
        request.fields.set("x-passed-at", String(clock.now()));
        return undefined;
      },
    };
  },
});

test("test policy: a request passes it with an identity, to the service", async () => {
  await using subject = await testPolicy(bouncer, undefined, {
    service: ({ headers }) => headers["x-passed-at"]!,
  });
  const { status, body, sent, results, outcome } = await subject.request({
    path: "/door?open",
    identity: { method: "test", subject: "ann" },
  });
  assert.deepEqual([status, body], [200, String(subject.clock.now())]);
  assert.equal(sent?.target, "/door?open");
  assert.equal(sent?.headers["x-test-caller"], undefined);
  assert.deepEqual(results, { passed: 1 });
  assert.equal(outcome.identity?.subject, "ann");
});

test("test policy: what it refuses does not get to the service, and is told as a problem", async () => {
  await using subject = await testPolicy(bouncer, { name: "bob" });
  const { status, problem, sent, results } = await subject.request();
  assert.deepEqual([status, problem?.name, problem?.detail], [403, "not-for-you", "only bob"]);
  assert.equal(sent, undefined);
  assert.deepEqual(results, { refused: 1 });
  await subject.request();
  assert.deepEqual(subject.results(), { passed: 0, refused: 2 });
  assert.equal(subject.gateway.metric("gateward_faults_total", { type: "not-for-you" }), 2);
});

test("test policy: options are checked as in a document, conditions hold", async () => {
  await assert.rejects(testPolicy(bouncer, { name: "eve" } as never), ConfigRefused);
  await using subject = await testPolicy(bouncer, {}, { conditions: { unless: "GET /open" } });
  assert.equal((await subject.request({ path: "/open" })).status, 200);
  assert.equal((await subject.request({ path: "/shut" })).status, 403);
});
