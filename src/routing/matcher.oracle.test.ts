/**
 * The matcher against an oracle that shares no code with it: every rule is tried, and of those that
 * match the most specific is taken, as docs/guide/routing.md says it in words.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/fast-check.ts";
import type { MatchValue } from "./match-value.ts";
import { MATCHED, METHOD_NOT_ALLOWED, MatchResult, NOT_FOUND } from "./match-result.ts";
import type { RouteRule } from "./route-rule.ts";
import { compileRoutes } from "./route-table.ts";
import type { RoutingRequest } from "./routing-request.ts";

/** One kind of segment: how it is written, as an expression, and how specific it is (lower wins). */
interface SegmentKind {
  readonly pattern: string;
  readonly regex: string;
  readonly rank: number;
}

const literals = ["a", "b", "12", "a.x"].map((text) => {
  return { pattern: text, regex: text.replace(".", "\\."), rank: 0 };
});
const segmentKinds: readonly SegmentKind[] = [
  ...literals,
  { pattern: ":P.x", regex: "[^/]+\\.x", rank: 2 },
  { pattern: ":P-:P", regex: "[^/]+?-[^/]+", rank: 2 },
  { pattern: "a:P", regex: "a[^/]+", rank: 2 },
  { pattern: ":P(\\d+)", regex: "\\d+", rank: 3 },
  { pattern: ":P([ab12]+)", regex: "[ab12]+", rank: 3 },
  { pattern: ":P([a-z]+)", regex: "[a-z]+", rank: 3 },
  { pattern: ":P", regex: "[^/]+", rank: 4 },
];
const restKind: SegmentKind = { pattern: "*", regex: ".*", rank: 5 };
const emptyKind: SegmentKind = { pattern: "", regex: "", rank: 0 };

interface OracleRule {
  readonly path: readonly SegmentKind[];
  readonly methods: readonly string[];
  readonly hosts: readonly string[];
  readonly headers: Readonly<Record<string, MatchValue>>;
}

interface OracleRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

// fast-check hands out frequent values more often when they come first.
const anySegment = fc.constantFrom(...segmentKinds);
const anyPath = fc
  .tuple(
    fc.array(anySegment, { maxLength: 3 }),
    fc.constantFrom(undefined, undefined, restKind, emptyKind),
  )
  .map(([segments, last]) => {
    if (last !== undefined) return segments.concat(last);
    return segments.length === 0 ? [emptyKind] : segments;
  });
const anyRule: fc.Arbitrary<OracleRule> = fc.record({
  path: anyPath,
  methods: fc.constantFrom([], ["GET"], ["POST"], ["HEAD"], ["PUT", "POST"]),
  hosts: fc.constantFrom([], ["x.test"], ["*.x.test"], ["*.test"], ["x.test", "*.y.x.test"]),
  headers: fc.constantFrom(
    {},
    {},
    {},
    {},

    { h: "1" },
    { h: "2" },
    { h: ["1", "2"] },
    { h: { present: true } },
    { h: { present: false } },
    { h: "1", i: "1" },
    { i: { not: "1" } },
  ),
});
const anyRequest: fc.Arbitrary<OracleRequest> = fc.record({
  method: fc.constantFrom("GET", "HEAD", "POST", "PUT", "DELETE"),
  host: fc.constantFrom("x.test", "y.x.test", "z.y.x.test", "test", "other"),
  path: fc
    .array(fc.constantFrom("a", "b", "12", "a.x", "1", "b-a", "ab", "zz.x", ""), { maxLength: 4 })
    .map(
      (segments) =>
        "/" + segments.filter((each, at) => each !== "" || at === segments.length - 1).join("/"),
    ),
  headers: fc.record({
    h: fc.constantFrom(undefined, "1", "2", "3"),
    i: fc.constantFrom(undefined, "1"),
  }),
});

function writePath(path: readonly SegmentKind[]): string {
  let count = 0;
  return "/" + path.map((kind) => kind.pattern.replaceAll("P", () => `p${count++}`)).join("/");
}

function toRule(rule: OracleRule, value: number): RouteRule<number> {
  const { methods, hosts, headers } = rule;
  return { value, match: { path: writePath(rule.path), methods, hosts, headers } };
}

class Request implements RoutingRequest {
  readonly clientAddress = "";
  readonly method: string;
  readonly host: string;
  readonly path: string;
  private readonly headers: OracleRequest["headers"];

  constructor(request: OracleRequest) {
    this.method = request.method;
    this.host = request.host;
    this.path = request.path;
    this.headers = request.headers;
  }

  header(name: string): string | undefined {
    return this.headers[name];
  }

  query(): undefined {
    return undefined;
  }

  cookie(): undefined {
    return undefined;
  }
}

// The oracle

function hostMatches(pattern: string, host: string): boolean {
  return pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : host === pattern;
}

/** Best host pattern of a rule for the request: higher is more specific, -1 when none matches. */
function hostScore(rule: OracleRule, host: string): number {
  if (rule.hosts.length === 0) return 0;
  const scores = rule.hosts
    .filter((pattern) => hostMatches(pattern, host))
    .map((pattern) => (pattern.startsWith("*.") ? pattern.length : 1000));
  return Math.max(-1, ...scores);
}

function valueMatches(expected: MatchValue, value: string | undefined): boolean {
  if (typeof expected === "string") return value === expected;
  if (Array.isArray(expected)) return expected.includes(value);
  if ("present" in expected) return (value !== undefined) === expected.present;
  return "not" in expected && value !== expected.not;
}

function valueScore(expected: MatchValue): number {
  if (typeof expected === "string") return 5;
  if (Array.isArray(expected)) return 4;
  return "not" in expected ? 2 : 1;
}

function matchesButForMethod(rule: OracleRule, request: OracleRequest): boolean {
  const pattern = new RegExp(`^/${rule.path.map((kind) => kind.regex).join("/")}$`);
  return (
    hostScore(rule, request.host) >= 0 &&
    pattern.test(request.path) &&
    Object.entries(rule.headers).every(([name, value]) =>
      valueMatches(value, request.headers[name]),
    )
  );
}

function methodsOf(rule: OracleRule): string[] {
  return rule.methods.includes("GET") ? [...rule.methods, "HEAD"] : [...rule.methods];
}

/** What decides, in order; the first number that differs does, and the higher is more specific. */
function scoresOf(rule: OracleRule, request: OracleRequest): number[] {
  const literalCount = (kind: SegmentKind) => kind.pattern.replaceAll(/:P(\(.*\))?/g, "").length;
  const path = [0, 1, 2, 3, 4].map((at) => {
    const kind = rule.path[at];
    if (kind === undefined) return 0;
    return kind.rank === 2 ? 100 - 20 + literalCount(kind) : 100 - 10 * kind.rank;
  });
  const values = Object.values(rule.headers)
    .map(valueScore)
    .sort((a, b) => b - a);
  return [
    hostScore(rule, request.host),
    ...path,
    Number(rule.methods.length > 0),
    values.length,
    ...values,
    0,
    0,
    Number(request.method === "HEAD" && rule.methods.includes("HEAD")),
  ];
}

function compareScores(left: readonly number[], right: readonly number[]): number {
  for (const [index, score] of left.entries()) {
    const difference = (right[index] ?? 0) - score;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The rule's number, or the methods that would do, or nothing. */
function oracle(rules: readonly OracleRule[], request: OracleRequest): number | string | undefined {
  const candidates = rules.flatMap((rule, index) =>
    matchesButForMethod(rule, request) ? [{ rule, index, score: scoresOf(rule, request) }] : [],
  );
  const matching = candidates
    .filter(({ rule }) => rule.methods.length === 0 || methodsOf(rule).includes(request.method))
    .sort((left, right) => compareScores(left.score, right.score));
  const [best, second] = matching;
  if (best !== undefined) {
    const decided = second === undefined || compareScores(best.score, second.score) < 0;
    const both = `${JSON.stringify(best.rule)} and ${JSON.stringify(second?.rule)}`;
    assert.ok(decided, `an unreported conflict of ${both} on ${JSON.stringify(request)}`);
    return best.index;
  }
  if (candidates.length === 0) return undefined;
  return [...new Set(candidates.flatMap(({ rule }) => methodsOf(rule)))].sort().join(", ");
}

/** Leaves out the rules that conflict with others. */
function withoutConflicts(rules: readonly OracleRule[]): OracleRule[] {
  const { problems } = compileRoutes(rules.map(toRule));
  const conflicting = new Set(problems.map((problem) => problem.ruleIndex));
  return rules.filter((_, index) => !conflicting.has(index));
}

test("matcher: agrees with trying every rule, on random tables and requests", () => {
  const result = new MatchResult<number>();
  const outcomes = new Map<number, number>();
  fc.assert(
    fc.property(
      fc.array(anyRule, { minLength: 1, maxLength: 30 }),
      fc.array(anyRequest, { minLength: 20, maxLength: 20 }),
      (candidates, requests) => {
        const rules = withoutConflicts(candidates);
        const { matcher, problems } = compileRoutes(rules.map(toRule));
        assert.deepEqual(problems, []);
        const reversed = compileRoutes(rules.map(toRule).toReversed()).matcher;
        for (const request of requests) {
          const wanted = oracle(rules, request);
          for (const each of [matcher, reversed]) {
            const outcome = each.match(new Request(request), result);
            outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
            const found =
              outcome === MATCHED
                ? result.value
                : outcome === METHOD_NOT_ALLOWED
                  ? result.allow
                  : undefined;
            const table = rules.map((rule) => JSON.stringify(toRule(rule, 0).match)).join("\n");
            assert.equal(found, wanted, `${JSON.stringify(request)} in\n${table}`);
          }
        }
      },
    ),
    { numRuns: 600 },
  );
  // The generators are worth something only while every outcome is common.
  for (const outcome of [MATCHED, METHOD_NOT_ALLOWED, NOT_FOUND]) {
    assert.ok((outcomes.get(outcome) ?? 0) > 500, `outcome ${outcome}: ${outcomes.get(outcome)}`);
  }
});
