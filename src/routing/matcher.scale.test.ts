/** What a match costs: not more with many routes, and no memory. Ratios only, no clock times. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MATCHED, MatchResult } from "./match-result.ts";
import type { Matcher } from "./matcher.ts";
import { compileRoutes } from "./route-table.ts";
import type { RoutingRequest } from "./routing-request.ts";

const ROUNDS = 15;
const MATCHES_PER_ROUND = 20_000;

function matcherOfSize(count: number): Matcher<number> {
  const resources = Array.from({ length: count / 5 }, (_, index) => `resource${index}`);
  resources[0] = "users";
  const rules = resources.flatMap((resource, index) => [
    { value: index, match: { path: `/api/v1/${resource}`, methods: ["GET", "POST"] } },
    { value: index, match: { path: `/api/v1/${resource}/:id`, methods: ["GET"] } },
    { value: index, match: { path: `/api/v1/${resource}/:id/items/:item(\\d+)` } },
    { value: index, match: { path: `/static/${resource}/*` } },
    { value: index, match: { path: `/api/v1/${resource}/search` } },
  ]);
  const { matcher, problems } = compileRoutes(rules);
  assert.deepEqual(problems, []);
  return matcher;
}

const paths = Array.from({ length: 64 }, (_, index) =>
  Buffer.from(`/api/v1/users/${100 + index}`).toString("latin1"),
);

class PlainRequest implements RoutingRequest {
  readonly method = "GET";
  readonly host = "api.example.org";
  readonly clientAddress = "192.0.2.1";
  path = "";
  header(): undefined {}
  query(): undefined {}
  cookie(): undefined {}
}

/** Nanoseconds of processor time that a match takes in one round. */
function costOf(matcher: Matcher<number>, result: MatchResult<number>): number {
  const request = new PlainRequest();
  const before = process.cpuUsage();
  for (let count = 0; count < MATCHES_PER_ROUND; count++) {
    request.path = paths[count & 63]!;
    if (matcher.match(request, result) !== MATCHED) throw new Error("no match");
  }
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / MATCHES_PER_ROUND;
}

test("matcher: ten thousand routes cost a request what ten do", () => {
  const few = matcherOfSize(10);
  const many = matcherOfSize(10_000);
  const result = new MatchResult<number>();
  let [fewBest, manyBest] = [Infinity, Infinity];
  // Taking turns, and the best of each: what else the machine does hits both alike.
  for (let round = 0; round < ROUNDS; round++) {
    fewBest = Math.min(fewBest, costOf(few, result));
    manyBest = Math.min(manyBest, costOf(many, result));
  }
  const ratio = manyBest / fewBest;
  assert.ok(ratio < 2, `${manyBest.toFixed(0)} ns against ${fewBest.toFixed(0)} ns`);
});

test("matcher: a match of a plain route allocates nothing", () => {
  const matcher = matcherOfSize(100);
  const result = new MatchResult<number>();
  for (let round = 0; round < ROUNDS; round++) costOf(matcher, result);
  // The least of several, since the compiler and others allocate now and then.
  let bytes = Infinity;
  for (let round = 0; round < 5; round++) {
    const before = process.memoryUsage().heapUsed;
    costOf(matcher, result);
    const after = process.memoryUsage().heapUsed;
    if (after >= before) bytes = Math.min(bytes, (after - before) / MATCHES_PER_ROUND);
  }
  // The smallest object is 12 bytes; the two calls of memoryUsage take about 0.1 a match.
  assert.ok(bytes < 4, `${bytes.toFixed(2)} bytes a match`);
});
