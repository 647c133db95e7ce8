/** `responseIsFromService`: whom the response is from that a policy looks at. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { faults } from "../base/faults.ts";
import { definePolicy, type Verdict } from "../policy/policy.ts";
import { reply } from "../policy/reply.ts";
import { section } from "../policy/values/section.ts";
import { HANG_UP } from "./fake-service.ts";
import { testGateway } from "./test-gateway.ts";

const verdicts: Record<string, Verdict> = {
  none: undefined,
  fault: faults["internal-error"],
  reply: reply(200, { "content-type": "text/plain" }, "own"),
  standIn: { ...reply(200, {}, "kept"), standsIn: true },
};

/** Answers as it is told, and marks responses of services that it sees. */
const witness = definePolicy({
  name: "witness",
  summary: "Sees whom responses are from, for tests.",
  schema: section({ verdict: z.string().prefault("none").describe("What it answers.") }).prefault(
    {},
  ),
  compile: ({ verdict }) => ({
    onRequest: () => verdicts[verdict],
    onResponse({ response, responseIsFromService }) {
      response.fields.add("x-from-service", String(responseIsFromService));
    },
  }),
});

async function seen(policies: unknown[], answer: () => string | typeof HANG_UP, path = "/") {
  await using gateway = await testGateway(
    {
      policies: ["witness"],
      services: { one: "http://one.test" },
      routes: [
        { match: "/*", service: "one", policies },
        { match: "/fixed", respond: { status: 200, body: "fixed" } },
        { match: "/moved", redirect: { to: "/" } },
      ],
    } as never,
    { policies: [witness], services: { one: answer } },
  );
  const again = await gateway.request({ path });
  const first = again.headers["x-from-service"];
  assert.equal((await gateway.request({ path })).headers["x-from-service"], first);
  return first;
}

const ok = () => "answer";
const hangUp = (): typeof HANG_UP => HANG_UP;

const origins: [what: string, from: string, seen: () => Promise<string | undefined>][] = [
  ["a service's answer", "true", () => seen([], ok)],
  ["what was kept of it", "true", () => seen([{ witness: { verdict: "standIn" } }], ok)],
  ["a refusal", "false, false", () => seen([{ witness: { verdict: "fault" } }], ok)],
  ["a policy's reply", "false, false", () => seen([{ witness: { verdict: "reply" } }], ok)],
  ["a service that hangs up", "false", () => seen([], hangUp)],
  ["a fixed answer", "false", () => seen([], ok, "/fixed")],
  ["a redirect", "false", () => seen([], ok, "/moved")],
];
for (const [what, from, look] of origins) {
  test(`response: whether it is from a service is told: ${what}`, async () => {
    assert.equal(await look(), from);
  });
}
