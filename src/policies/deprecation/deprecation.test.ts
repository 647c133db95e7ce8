import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import { testPolicy } from "../../testing/index.ts";
import { BrownoutCalendar } from "./brownout-calendar.ts";
import deprecation from "./deprecation.ts";

type Options = NonNullable<z.input<typeof deprecation.schema>>;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A policy whose clock stands at the given moment. */
async function subjectAt(moment: string, options: Options) {
  const subject = await testPolicy(deprecation, options, { service: () => "fine" });
  subject.clock.advance(Date.parse(moment) - subject.clock.now());
  return subject;
}

for (const protocol of ["HTTP/1.1", "HTTP/2"] as const) {
  test(`deprecation: ${protocol}: clients are told since when, until when, and what to use`, async () => {
    await using subject = await testPolicy(
      deprecation,
      {
        since: "2023-07-01",
        sunset: "2037-03-01T12:00:00Z",
        successor: "https://api.example.com/v2/orders",
        info: "/docs/v1",
        sunsetInfo: "/docs/end-of-v1",
      },
      { service: () => ({ headers: { link: "<a>; rel=next", sunset: "never" }, body: "fine" }) },
    );
    const { status, headers, results, body } = await subject.request({ protocol });
    assert.deepEqual([status, body, results], [200, "fine", { served: 1 }]);
    assert.equal(headers["deprecation"], "@1688169600");
    assert.equal(headers["sunset"], "Sun, 01 Mar 2037 12:00:00 GMT");
    assert.equal(
      headers["link"],
      '<a>; rel=next, </docs/v1>; rel="deprecation", </docs/end-of-v1>; rel="sunset", ' +
        '<https://api.example.com/v2/orders>; rel="successor-version"',
    );
  });
}

test("deprecation: without a date there is no header of it", async () => {
  await using subject = await testPolicy(deprecation, { sunset: "2037-03-01" });
  const { headers } = await subject.request();
  assert.deepEqual([headers["deprecation"], headers["link"]], [undefined, undefined]);
});

test("deprecation: from the date on it answers 410, names the successor, and asks no service", async () => {
  const options: Options = { sunset: "2037-03-01", after: 410, successor: "/v2" };
  await using subject = await subjectAt("2037-02-28T23:59:59Z", options);
  assert.equal((await subject.request()).status, 200);
  subject.clock.advance("1s");
  const { status, problem, headers, sent, results } = await subject.request();
  assert.deepEqual([status, problem?.name, sent], [410, "retired", undefined]);
  assert.equal(problem?.detail, "Use /v2 instead.");
  assert.deepEqual(results, { retired: 1 });
  assert.equal(headers["link"], '</v2>; rel="successor-version"');
  assert.equal(headers["sunset"], "Sun, 01 Mar 2037 00:00:00 GMT");
});

test("deprecation: where it is to go on after its date, it does", async () => {
  await using subject = await subjectAt("2037-03-02T00:00:00Z", { sunset: "2037-03-01" });
  assert.equal((await subject.request()).status, 200);
});

test("deprecation: in a window everything is refused, and told until when", async () => {
  const windows = [{ from: "2037-02-01T12:00:00Z", until: "2037-02-01T13:00:00Z" }];
  const options: Options = { sunset: "2037-03-01", brownouts: { windows } };
  await using subject = await subjectAt("2037-02-01T11:59:59Z", options);
  assert.equal((await subject.request()).status, 200);
  subject.clock.advance("1s");
  const { status, problem, headers, results } = await subject.request();
  assert.deepEqual([status, problem?.name, headers["retry-after"]], [503, "brownout", "3600"]);
  assert.deepEqual(results, { brownout: 1 });
  subject.clock.advance("59m59s");
  assert.equal((await subject.request()).headers["retry-after"], "1");
  subject.clock.advance("1s");
  assert.equal((await subject.request()).status, 200);
});

test("deprecation: the part of each hour that is refused grows up to the end", () => {
  const from = Date.parse("2037-02-01");
  const sunset = from + 10 * DAY_MS;
  const options = { windows: [], from, every: HOUR_MS, shareMax: 0.5 };
  const calendar = new BrownoutCalendar(options, sunset);
  assert.equal(calendar.refusedUntil(from - 1), 0);
  assert.equal(calendar.refusedUntil(from), 0);
  let before = -1;
  for (let day = 0; day <= 10; day++) {
    const hour = from + day * DAY_MS;
    let refusedMinutes = 0;
    for (let minute = 0; minute < 60; minute++) {
      if (calendar.refusedUntil(hour + minute * 60_000) !== 0) refusedMinutes++;
    }
    assert.ok(refusedMinutes > before, `day ${day}: ${refusedMinutes}`);
    before = refusedMinutes;
  }
  assert.equal(before, 30);
  assert.equal(calendar.refusedUntil(sunset + DAY_MS), sunset + DAY_MS + HOUR_MS / 2, "no further");
  assert.equal(calendar.refusedUntil(from + 5 * DAY_MS), from + 5 * DAY_MS + HOUR_MS / 4);
});

test("deprecation: dates that make no sense together are mistakes", () => {
  const mistakes = (options: Options) =>
    deprecation.check!(deprecation.schema.parse(options), {} as never).map(
      ({ path = [], message }) => `${path.join(".")}: ${message}`,
    );
  assert.deepEqual(mistakes({}), [": there is no date"]);
  assert.deepEqual(mistakes({ since: "2027-01-01", after: 410 }), [
    "after: there is no date to end it",
  ]);
  assert.deepEqual(mistakes({ since: "2027-01-02", sunset: "2027-01-01" }), [
    "sunset: it ends before it is deprecated",
  ]);
  assert.deepEqual(mistakes({ sunset: "2027-01-01", brownouts: {} }), [
    "brownouts: there are no times in it",
  ]);
  const windows = [
    { from: "2026-12-02", until: "2026-12-01" },
    { from: "2026-12-02", until: "2027-01-02" },
  ];
  assert.deepEqual(mistakes({ sunset: "2027-01-01", brownouts: { windows } }), [
    "brownouts.windows.0: it ends before it begins",
    "brownouts.windows.1: it ends after sunset",
  ]);
  assert.deepEqual(mistakes({ since: "2027-01-01", brownouts: { from: "2027-01-01" } }), [
    "brownouts.from: what grows from then on has no end",
  ]);
  assert.deepEqual(mistakes({ sunset: "2027-01-01", after: "410" }), []);
});

test("deprecation: an address that would end its link, and other wrong values, are refused", () => {
  const wrong: unknown[] = [
    { successor: "v2" },
    { successor: "/a>; rel=x" },
    { successor: "https://a b" },
    { info: "javascript:1" },
    { after: 404 },
    { since: "yesterday" },
    { brownouts: { every: "1s" } },
  ];
  for (const options of wrong) assert.equal(deprecation.schema.safeParse(options).success, false);
});

test("deprecation: the log tells who still calls and how often, before the end and after it", async () => {
  await using subject = await subjectAt("2027-01-01", {
    sunset: "2027-02-01",
    after: 410,
    callerLog: "1h",
  });
  const called = async (name: string) => {
    await subject.request({ identity: { method: "test", subject: name } });
  };
  const told = () =>
    subject.gateway.log
      .splice(0)
      .filter(({ level }) => level === "warn")
      .map(({ message, callers, others, unknown }) => [
        message,
        { ...(callers as object) },
        others,
        unknown,
      ]);
  await called("anna");
  assert.deepEqual(told(), [["Deprecated, and still called", { anna: 1 }, 0, 0]]);
  await called("anna");
  await called("__proto__");
  await subject.request();
  assert.deepEqual(told(), []);
  subject.clock.advance(HOUR_MS);
  await called("anna");
  const counts = Object.fromEntries([
    ["anna", 2],
    ["__proto__", 1],
  ]);
  assert.deepEqual(told(), [["Deprecated, and still called", counts, 0, 1]]);
  for (let count = 0; count < 103; count++) await called(`caller ${count}`);
  subject.clock.advance(40 * DAY_MS);
  await subject.request();
  const [[message, callers, others, unknown] = []] = told();
  assert.equal(message, "No longer served, and still called");
  assert.deepEqual([Object.keys(callers as object).length, others, unknown], [100, 3, 1]);
});

test("deprecation: nothing is told where that is not wished", async () => {
  await using subject = await subjectAt("2027-01-01", { sunset: "2027-02-01", callerLog: false });
  await subject.request();
  assert.deepEqual(subject.gateway.log, []);
});
