import assert from "node:assert/strict";
import { test } from "node:test";
import { logTo } from "../base/log/log.ts";
import { RepeatLimiter } from "../base/log/repeat-limiter.ts";
import { ExpressionFailures } from "./expression-failures.ts";

test("expression failures: each expression is told of once in a while, whatever clients send", () => {
  const told: unknown[] = [];
  let nowMs = 0;
  const log = logTo((_level, _message, fields) => told.push(fields));
  const failures = new ExpressionFailures(log, new RepeatLimiter(60_000, 1000, () => nowMs));
  for (const name of ["a", "b", "c"]) failures.report("request.headers[request.path]", name);
  failures.report("identity.subject", "field not found: subject");
  nowMs = 60_000;
  failures.report("request.headers[request.path]", "d");
  assert.deepEqual(told, [
    { expression: "request.headers[request.path]", reason: "a", repeated: 0 },
    { expression: "identity.subject", reason: "field not found: subject", repeated: 0 },
    { expression: "request.headers[request.path]", reason: "d", repeated: 2 },
  ]);
});
