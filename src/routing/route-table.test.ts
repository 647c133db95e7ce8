import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/fast-check.ts";
import type { MatchValue } from "./match-value.ts";
import { MATCHED, MatchResult } from "./match-result.ts";
import type { RouteMatch, RouteProblem } from "./route-rule.ts";
import { compileRoutes } from "./route-table.ts";

function problemsOf(...matches: readonly RouteMatch[]): readonly RouteProblem[] {
  return compileRoutes(matches.map((match, value) => ({ value, match }))).problems;
}

function assertConflict(...matches: readonly RouteMatch[]): RouteProblem {
  const problems = problemsOf(...matches);
  assert.equal(problems.length, 1, JSON.stringify(matches));
  assert.deepEqual([problems[0]!.ruleIndex, problems[0]!.otherIndex], [1, 0]);
  const swapped = problemsOf(...matches.toReversed());
  assert.equal(swapped.length, 1, "whichever comes first");
  return problems[0]!;
}

test("route table: every mistake of every rule is listed with its place", () => {
  const problems = problemsOf(
    { path: "/a/:b(", hosts: ["a b", "x.org:80"], methods: ["get", "G T"] },
    { path: "/ok" },
    {
      path: "/c",
      headers: { "bad name": "x", ok: { regex: "(" } },
      query: { q: [] },
      cookies: { "": "x" },
      clients: ["10.0.0.0/33"],
      contentTypes: ["json"],
    },
  );
  const places = problems.map((problem) => `${problem.ruleIndex} ${problem.at.join(".")}`);
  assert.deepEqual(places, [
    "0 path",
    "0 methods.0",
    "0 methods.1",
    "0 hosts.0",
    "0 hosts.1",
    "2 headers.bad name",
    "2 headers.ok",
    "2 query.q",
    "2 cookies.",
    "2 clients",
    "2 contentTypes.0",
  ]);
  assert.equal(problems[0]!.position, 5);
  assert.match(problems[1]!.hint ?? "", /GET/);
  assert.match(problems[4]!.hint ?? "", /"x\.org"/);
});

test("route table: rules without mistakes are matched beside ones with", () => {
  const rules = [
    { value: "bad", match: { path: "bad" } },
    { value: "good", match: { path: "/good" } },
  ];
  const { matcher, problems } = compileRoutes(rules);
  assert.equal(problems.length, 1);
  const request = {
    method: "GET",
    host: "",
    path: "/good",
    clientAddress: "",
    header: () => undefined,
    query: () => undefined,
    cookie: () => undefined,
  };
  const result = new MatchResult<string>();
  assert.equal(matcher.match(request, result), MATCHED);
  assert.equal(result.value, "good");
});

test("route table: equal paths for the same method conflict, and the message shows a request", () => {
  const problem = assertConflict(
    { path: "/users/:id", methods: ["GET", "PUT"] },
    { path: "/users/:name", methods: ["PUT", "POST"] },
  );
  assert.match(problem.message, /routes\[0\].*PUT \/users\/x,/);
  assert.ok(problem.hint !== undefined);
  assert.match(assertConflict({ path: "/a" }, { path: "/a" }).message, /any method, \/a,/);
  assertConflict({ path: "/a/*" }, { path: "/a/*rest" });
  assertConflict({ path: "/caf%C3%A9" }, { path: "/café" });
});

test("route table: the name of the other route is in the message", () => {
  const rules = ["first", "second"].map((name) => ({ value: 0, name, match: { path: "/a" } }));
  assert.match(compileRoutes(rules).problems[0]!.message, /routes\[0\] \("first"\)/);
});

test("route table: rules that no request can both match do not conflict", () => {
  const disjoint: [RouteMatch, RouteMatch][] = [
    [{ methods: ["GET"] }, { methods: ["PUT"] }],
    [{ methods: ["GET"] }, { methods: ["HEAD"] }],
    [{ hosts: ["a.org"] }, { hosts: ["b.org"] }],
    [{ hosts: ["*.a.org"] }, { hosts: ["*.b.org"] }],
    [{ path: "/:x(\\d+)" }, { path: "/:x([a-z]+)" }],
    [{ path: "/:x.json" }, { path: "/:x.yaml" }],
    [{ headers: { x: "1" } }, { headers: { x: "2" } }],
    [{ headers: { x: ["1", "2"] } }, { headers: { X: ["3", "4"] } }],
    [{ headers: { x: { present: true } } }, { headers: { x: { present: false } } }],
    [{ headers: { x: { prefix: "a" } } }, { headers: { x: { prefix: "b" } } }],
    [{ headers: { x: { prefix: "a" } } }, { headers: { x: { regex: "b.*" } } }],
    [{ query: { x: { regex: "\\d+" } } }, { query: { x: { regex: "[a-z]*" } } }],
    [{ cookies: { x: "1" } }, { cookies: { x: "2" } }],
    [{ clients: ["10.0.0.0/16"] }, { clients: ["10.1.0.0/16"] }],
    [{ clients: ["10.0.0.0/8"] }, { clients: ["fd00::/104"] }],
    [{ contentTypes: ["application/json"] }, { contentTypes: ["text/plain"] }],
    [{ contentTypes: ["text/*"] }, { contentTypes: ["image/*"] }],
  ];
  for (const pair of disjoint) {
    assert.deepEqual(problemsOf(...pair), [], JSON.stringify(pair));
    assert.deepEqual(problemsOf(pair[1], pair[0]), [], JSON.stringify(pair));
  }
});

test("route table: rules of which one is more specific do not conflict", () => {
  const ordered: [RouteMatch, RouteMatch][] = [
    [{ hosts: ["a.org"] }, {}],
    [{ hosts: ["*.a.org"] }, { hosts: ["*.org"] }],
    [{ path: "/a" }, { path: "/:x" }],
    [{ path: "/:x(a)" }, { path: "/:x" }],
    [{ path: "/a:x" }, { path: "/:x(a.)" }],
    [{ methods: ["GET"] }, {}],
    [{ headers: { x: "1" } }, {}],
    [{ headers: { x: "1" } }, { headers: { x: { prefix: "1" } } }],
    [{ headers: { x: "1", y: "1" } }, { headers: { x: "1" } }],
    [{ clients: ["10.0.0.0/16"] }, { clients: ["10.0.0.0/8"] }],
    [{ contentTypes: ["text/plain"] }, { contentTypes: ["text/*"] }],
  ];
  for (const pair of ordered) assert.deepEqual(problemsOf(...pair), [], JSON.stringify(pair));
});

test("route table: rules that overlap although nothing of them is equal conflict", () => {
  const overlapping: [RouteMatch, RouteMatch][] = [
    [{ headers: { x: "1" } }, { headers: { y: "1" } }],
    [{ headers: { x: "1" } }, { query: { x: "1" } }],
    [{ headers: { x: ["1", "2"] } }, { headers: { x: ["2", "3"] } }],
    [{ headers: { x: { prefix: "a" } } }, { headers: { x: { prefix: "ab" } } }],
    [{ headers: { x: { not: "1" } } }, { headers: { x: { not: "2" } } }],
    [{ hosts: ["a.org", "b.org"] }, { hosts: ["b.org", "c.org"] }],
    [{ clients: ["10.0.0.0/8", "11.0.0.0/8"] }, { clients: ["11.0.0.0/8"] }],
    [{ contentTypes: ["application/*"] }, { contentTypes: ["*+json"] }],
  ];
  for (const pair of overlapping) assertConflict(...pair);
  assert.match(
    assertConflict({ path: "/:x(\\d+)/y" }, { path: "/:x([0-4]{2})/y" }).message,
    /\/11\/y/,
  );
  assert.match(assertConflict({ hosts: ["a.org"] }, { hosts: ["A.org"] }).message, /on a\.org/);
});

test("route table: each rule reports one conflict, and ten thousand equal ones are found at once", () => {
  const count = 10_000;
  const startedAt = performance.now();
  const problems = problemsOf(...Array.from({ length: count }, () => ({ path: "/a" })));
  assert.equal(problems.length, count - 1);
  // Compared pair by pair with all that a comparison takes, it would be minutes.
  assert.ok(performance.now() - startedAt < 20_000);
});

test("route table: ten thousand tenants on one path are compared by their values", () => {
  const tenants = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      path: "/a",
      headers: { tenant: [`t${index}`, `u${index}`] },
      query: { v: { present: true } },
    }));
  const timeOf = (count: number) => {
    const before = process.cpuUsage();
    assert.deepEqual(problemsOf(...tenants(count)), []);
    return process.cpuUsage(before).user;
  };
  timeOf(1000);
  const few = timeOf(1000);
  const many = timeOf(10_000);
  // Ten times as many: comparing all pairs would take a hundred times as long.
  assert.ok(many < 40 * few, `${few} us for 1000, ${many} us for 10000`);
  const rules = tenants(10_000);
  assert.equal(problemsOf(...rules, { ...rules[77]!, headers: { tenant: "u77" } }).length, 0);
  const [problem] = problemsOf(...rules, { ...rules[77]!, headers: { tenant: ["u77", "x"] } });
  assert.deepEqual([problem?.ruleIndex, problem?.otherIndex], [10_000, 77]);
});

test("route table: rules of a large group that want no exact value are compared too", () => {
  const group = Array.from({ length: 40 }, (_, index) => ({
    headers: { h: `${index}`, i: { present: true } },
  }));
  const withoutH = { headers: { h: { present: false }, i: "1" } };
  const withH = { headers: { h: { present: true }, i: "1" } };
  assert.deepEqual(problemsOf(...group, withoutH), []);
  const pairOf = (problem: RouteProblem | undefined) => [problem?.ruleIndex, problem?.otherIndex];
  assert.deepEqual(pairOf(problemsOf(...group, withoutH, withoutH)[0]), [41, 40]);
  assert.deepEqual(pairOf(problemsOf(...group, withH)[0]), [40, 0]);
});

const anyMatch: fc.Arbitrary<RouteMatch> = fc.record({
  path: fc.constantFrom("/a", "/:x(\\d+)", "/:x([1-9]+)", "/:x([a-z]+)"),
  methods: fc.constantFrom([], [], ["GET"], ["PUT"], ["GET", "PUT"]),
  hosts: fc.constantFrom([], [], ["a.org", "b.org"]),
  headers: fc.record({
    h: fc.constantFrom<MatchValue[]>("1", "2", "3", ["1", "2"], { prefix: "2" }, { present: true }),
    i: fc.constantFrom<MatchValue[]>("1", "2", { present: true }),
  }),
  query: fc.constantFrom<Record<string, MatchValue>[]>({}, {}, { q: "1" }),
});

test("route table: dividing large groups misses no conflict and invents none", () => {
  let conflictCount = 0;
  let fineCount = 0;
  fc.assert(
    fc.property(fc.array(anyMatch, { minLength: 60, maxLength: 120 }), (matches) => {
      const found = new Map(problemsOf(...matches).map((one) => [one.ruleIndex, one.otherIndex]));
      for (const [index, match] of matches.entries()) {
        const earlier = matches.slice(0, index);
        const conflicts = (other: RouteMatch) => problemsOf(other, match).length > 0;
        const partner = found.get(index);
        if (partner === undefined) assert.ok(!earlier.some(conflicts), JSON.stringify(match));
        else assert.ok(conflicts(matches[partner]!));
        if (partner === undefined) fineCount++;
        else conflictCount++;
      }
    }),
    { numRuns: 5 },
  );
  assert.ok(conflictCount > 10 && fineCount > 10, `${conflictCount}, ${fineCount}`);
});

test("route table: more methods than can be told apart are refused", () => {
  const methods = Array.from({ length: 30 }, (_, index) => `X${index}`);
  assert.match(problemsOf({ path: "/a", methods })[0]!.message, /30 methods/);
  assert.deepEqual(problemsOf({ path: "/a", methods: methods.slice(0, 23) }), []);
  assert.deepEqual(problemsOf({ path: "/a", methods: ["*"] }), []);
  assert.equal(problemsOf({ path: "/a", methods: ["*", "GET"] }).length, 1);
});
