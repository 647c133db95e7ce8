/** Freshness as another implementation sees it, and what is our own. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { fc } from "../../../test/support/fast-check.ts";
import { bornAtMs, termsOf, type HeaderReader } from "./response-terms.ts";

interface OtherPolicy {
  storable(): boolean;
  stale(): boolean;
}

// It brings no types.
const CachePolicy = createRequire(import.meta.url)("http-cache-semantics") as new (
  request: object,
  response: object,
  options: object,
) => OtherPolicy;

const NOW = Date.UTC(2026, 10, 21, 12);
const options = { ttl: undefined, heuristic: true, respect: true };

function reader(headers: Readonly<Record<string, string>>): HeaderReader {
  return (name) => headers[name];
}

function date(offsetSeconds: number): string {
  return new Date(NOW + offsetSeconds * 1000).toUTCString();
}

const seconds = fc.integer({ min: 0, max: 4000 });
const directive = fc.oneof(
  fc.constantFrom("public", "private", "no-store", "no-cache", "must-revalidate", "immutable"),
  fc.constantFrom("no-transform", "max-age=junk", 'max-age="30"'),
  seconds.map((value) => `max-age=${value}`),
  seconds.map((value) => `s-maxage=${value}`),
);
const offset = fc.integer({ min: -4000, max: 4000 });
const responses = fc.record(
  {
    "cache-control": fc
      .uniqueArray(directive, { maxLength: 4, selector: (text) => text.split("=")[0] })
      .map((directives) => directives.join(", ")),
    // It takes no account of a Date that is long past (RFC 9111 section 4.2.3); that is tested below.
    date: fc.constant(date(0)),
    expires: fc.oneof(offset.map(date), fc.constant("0")),
    age: seconds.map(String),
    "last-modified": offset.map((value) => date(value - 5000)),
    vary: fc.constantFrom("accept", "*"),
  },
  { requiredKeys: [] },
);

test("freshness: what may be reused, and until when, is what http-cache-semantics says", () => {
  fc.assert(
    fc.property(responses, seconds, fc.boolean(), (headers, waited, isAuthorized) => {
      const clock = Date.now;
      Date.now = () => NOW;
      try {
        const request = {
          url: "/",
          method: "GET",
          headers: isAuthorized ? { authorization: "Basic x" } : {},
        };
        const other = new CachePolicy(
          request,
          { status: 200, headers },
          { immutableMinTimeToLive: 0 },
        );
        const header = reader(headers);
        const terms = termsOf(200, header, options, NOW);
        const bornMs = bornAtMs(header, NOW, NOW);
        const mayKeep = terms.isStorable && (terms.isShareable || !isAuthorized);
        const thenMs = NOW + waited * 1000;
        const isFresh = mayKeep && terms.lifetimeMs > 0 && thenMs < bornMs + terms.lifetimeMs;
        Date.now = () => thenMs;
        // Its satisfiesWithoutRevalidation never reuses what has must-revalidate, fresh or not.
        const isFreshThere = other.storable() && !other.stale();
        assert.equal(isFresh, isFreshThere, JSON.stringify(headers));
      } finally {
        Date.now = clock;
      }
    }),
    { numRuns: 2000 },
  );
});

const ttl = { default: 5000, "404": 1000, "3xx": 2000 };

for (const [what, status, headers, expected] of [
  ["a status of its own", 404, {}, 1000],
  ["its class", 301, {}, 2000],
  ["the rest", 200, {}, 5000],
  ["what the service says goes before", 200, { "cache-control": "max-age=9" }, 9000],
  ["Expires too", 200, { date: date(0), expires: date(7) }, 7000],
] as const) {
  test(`ttl: ${what}`, () => {
    const given = { ttl, heuristic: false, respect: true };
    assert.equal(termsOf(status, reader(headers), given, NOW).lifetimeMs, expected);
  });
}

test("respect: with false only ttl counts, and what is forbidden stays so", () => {
  const given = { ttl, heuristic: false, respect: false };
  assert.equal(termsOf(200, reader({ "cache-control": "max-age=9" }), given, NOW).lifetimeMs, 5000);
  for (const forbidden of ["no-store", "private"]) {
    const terms = termsOf(200, reader({ "cache-control": forbidden }), given, NOW);
    assert.equal(terms.isStorable, false);
  }
});

test("no-cache and private with fields: only these are withheld", () => {
  const header = reader({ "cache-control": 'max-age=9, no-cache="x-a", private="X-B"' });
  const terms = termsOf(200, header, options, NOW);
  assert.equal(terms.isStorable, true);
  assert.equal(terms.lifetimeMs, 9000);
  assert.deepEqual(terms.withheld, ["x-a", "x-b"]);
});

test("nothing said: nothing is kept", () => {
  const given = { ttl: undefined, heuristic: false, respect: true };
  assert.equal(termsOf(200, reader({ etag: '"1"' }), given, NOW).isStorable, false);
});

test("age: the largest of what the service says, what Date tells and how long it took", () => {
  assert.equal(bornAtMs(reader({ age: "30" }), NOW - 2000, NOW), NOW - 32_000);
  assert.equal(bornAtMs(reader({ date: date(-60) }), NOW, NOW), NOW - 60_000);
  assert.equal(bornAtMs(reader({ date: date(60) }), NOW, NOW), NOW);
  assert.equal(bornAtMs(reader({ age: "x" }), NOW, NOW), NOW);
});
