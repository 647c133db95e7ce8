import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/fast-check.ts";
import { malformedRequestCodes } from "./fault-catalogue.ts";
import {
  Fault,
  defineFaultType,
  faultTypes,
  faults,
  malformedRequests,
  problemTypeBase,
  renderProblem,
} from "./faults.ts";

test("fault types: names are kebab-case and head their problem type", () => {
  for (const [name, type] of Object.entries(faultTypes)) {
    assert.match(name, /^[a-z]+(-[a-z0-9.]+)*$/);
    assert.equal(type.name, name);
    assert.equal(type.uri, problemTypeBase + name);
  }
});

test("fault types: the status agrees with whose fault it is", () => {
  for (const type of Object.values(faultTypes)) {
    const byProtocol = type.status === 501 || type.status === 505;
    if (type.whose === "client") assert.ok(type.status < 500 || byProtocol, type.name);
    else assert.ok(type.status >= 500, type.name);
  }
});

test("fault types: a fault of the client is never worth repeating unchanged", () => {
  for (const type of Object.values(faultTypes)) {
    if (type.whose === "client") assert.equal(type.retrySafe, "never", type.name);
  }
});

test("fault types: cause and remedy are sentences", () => {
  for (const type of Object.values(faultTypes)) {
    assert.match(type.cause, /^[A-Z`].*\.$/, type.name);
    assert.match(type.remedy, /^[A-Z`].*\.$/, type.name);
  }
});

test("fault: carries what its type says and captures no stack", () => {
  const fault = new Fault(faultTypes["connect-failed"], "No address for orders.");
  assert.equal(fault.status, 502);
  assert.equal(fault.name, "connect-failed");
  assert.equal(fault.whose, "upstream");
  assert.equal(fault.retrySafe, "always");
  assert.equal(fault.detail, "No address for orders.");
  assert.ok(!(fault instanceof Error));
  assert.ok(!("stack" in fault));
});

test("faults: there is one ready-made for every type and every code", () => {
  for (const type of Object.values(faultTypes)) {
    assert.equal(faults[type.name as keyof typeof faults].type, type);
  }
  for (const [code, sentence] of Object.entries(malformedRequestCodes)) {
    const fault = malformedRequests[code as keyof typeof malformedRequests];
    assert.equal(fault.type, faultTypes["malformed-request"]);
    assert.equal(fault.code, code);
    assert.equal(fault.detail, sentence);
  }
});

test("problem body: has type, title, status and the request id", () => {
  assert.equal(
    renderProblem(faults["no-route"], "r-1"),
    '{"type":"https://gateward.dev/problems/no-route","title":"No such route","status":404,"requestId":"r-1"}',
  );
});

test("problem body: names the broken rule of a malformed request", () => {
  const problem = JSON.parse(renderProblem(malformedRequests["bare-lf"], ""));
  assert.equal(problem.code, "bare-lf");
  assert.equal(problem.detail, "A line ends in LF without CR.");
  assert.ok(!("requestId" in problem));
});

test("problem body: any detail and request id come back as they were, in ASCII, without markup", () => {
  const anyText = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }));
  fc.assert(
    fc.property(anyText, anyText, (detail, requestId) => {
      const body = renderProblem(new Fault(faultTypes["internal-error"], detail), requestId);
      assert.match(body, /^[\x20-\x7e]*$/);
      assert.ok(!body.includes("<"));
      const problem = JSON.parse(body);
      assert.equal(problem.detail ?? "", detail);
      assert.equal(problem.requestId ?? "", requestId);
    }),
  );
});

test("problem body: a lone surrogate stays parseable", () => {
  const body = renderProblem(new Fault(faultTypes["internal-error"], "\ud800"), "");
  assert.equal(JSON.parse(body).detail, "\ud800");
});

test("defineFaultType: a policy's own type renders like the gateway's", () => {
  const type = defineFaultType("rate-limited", {
    status: 429,
    title: "Too many requests",
    whose: "client",
    retrySafe: "always",
    cause: "The caller has used up its budget.",
    remedy: "Wait as long as Retry-After says.",
  });
  assert.equal(JSON.parse(renderProblem(new Fault(type), "")).status, 429);
  assert.equal(type.closes, false);
});

test("problem body: errors stand in it one by one, in ASCII and without markup", () => {
  const errors = [
    { in: "query", name: "\u00fc<b>", path: "/a", message: "must be integer" },
  ] as const;
  const fault = new Fault(faultTypes["internal-error"], "", "", null, errors);
  const body = renderProblem(fault, "");
  assert.match(body, /^[\x20-\x7e]*$/);
  assert.doesNotMatch(body, /</);
  assert.deepEqual(JSON.parse(body).errors, errors);
});
