/** problem: what the gateway's own answers look like, in one place for all tests that meet them. */
import assert from "node:assert/strict";
import { problemTypeBase } from "../../src/base/faults.ts";
import type { FaultName } from "../../src/base/faults.ts";
import { headerValue } from "./raw-message.ts";
import type { RawResponse } from "./raw-message.ts";

/** Checks that a response is the gateway's own answer for that fault (RFC 9457), whole and well-formed. */
export function assertProblem(response: RawResponse, status: number, name: FaultName): void {
  const text = response.body.toString("latin1");
  assert.equal(response.status, status, text);
  assert.equal(headerValue(response, "content-type"), "application/problem+json");
  assert.equal(headerValue(response, "content-length"), String(response.body.length));
  assert.ok(headerValue(response, "date"));
  const problem = JSON.parse(text) as Record<string, unknown>;
  assert.equal(problem["type"], problemTypeBase + name);
  assert.equal(problem["status"], status);
  assert.equal(typeof problem["title"], "string");
  assert.match(String(problem["requestId"]), /^[\w-]{8,}$/);
}
