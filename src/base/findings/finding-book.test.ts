import assert from "node:assert/strict";
import { test } from "node:test";
import { FindingBook, LINES_MAX, LINES_OF_GROUP_MAX } from "./finding-book.ts";
import { FindingTally } from "./finding-tally.ts";
import { placeKey, type Finding } from "./finding.ts";

const finding = (field: string, example = ""): Finding => {
  return { field, rule: "type", message: "must be integer", example };
};
const subject = (operation = "GET /a", at = "route r") => {
  return { policy: "validate", at, operation, of: "request" } as const;
};

/** Notes each list as a message of its own, and tells the book. */
function tell(book: FindingBook, messages: readonly (readonly Finding[])[], operation?: string) {
  const tally = new FindingTally();
  for (const [index, findings] of messages.entries()) {
    tally.note(subject(operation), false, findings, index);
  }
  book.add(tally.take()!);
}

test("findings: a message counts once for a field, whatever number of its items is wrong", () => {
  const book = new FindingBook();
  const price = finding("body /items/*", "text of 3 characters");
  tell(book, [[price, price, finding("body /id")], [price]]);
  const [group] = book.report();
  assert.equal(group?.messages, 2);
  assert.deepEqual(
    group.lines.map(({ field, count }) => [field, count]),
    [
      ["body /items/*", 2],
      ["body /id", 1],
    ],
  );
  assert.deepEqual(group.lines[0]?.examples, ["text of 3 characters"]);
});

test("findings: what several workers tell is added up, with the times of all", () => {
  const book = new FindingBook();
  for (const [nowMs, isRefused] of [
    [500, true],
    [100, false],
  ] as const) {
    const tally = new FindingTally();
    tally.note(subject(), isRefused, [finding("query q", `at ${nowMs}`)], nowMs);
    book.add(tally.take()!);
    assert.equal(tally.take(), undefined);
  }
  const [{ messages, refused, lines } = assert.fail()] = book.report();
  assert.deepEqual([messages, refused], [2, 1]);
  const [{ count, firstAtMs, lastAtMs, examples } = assert.fail()] = lines;
  assert.deepEqual([count, firstAtMs, lastAtMs, examples], [2, 100, 500, ["at 500", "at 100"]]);
});

test("findings: what clients make up displaces itself, and what comes again and again stays", () => {
  const book = new FindingBook();
  const usual = finding("body /id");
  tell(book, [[usual], [usual]]);
  for (let round = 0; round < 10; round++) {
    const flood = Array.from({ length: 400 }, (_, index) => [finding(`body /${round}/${index}`)]);
    tell(book, flood);
  }
  const [{ lines, leftOut } = assert.fail()] = book.report();
  assert.equal(lines.length, LINES_OF_GROUP_MAX);
  assert.deepEqual([lines[0]?.field, lines[0]?.count], ["body /id", 2]);
  assert.equal(leftOut, 4001 - LINES_OF_GROUP_MAX);
});

test("findings: all operations together have a bound, and what is beyond it is counted", () => {
  const book = new FindingBook();
  const count = LINES_MAX / LINES_OF_GROUP_MAX + 2;
  for (let index = 0; index < count; index++) {
    const lines = Array.from({ length: LINES_OF_GROUP_MAX }, (_, at) => finding(`query ${at}`));
    tell(book, [lines], `GET /${index}`);
  }
  const reports = book.report();
  assert.equal(reports.flatMap(({ lines }) => lines).length, LINES_MAX);
  assert.equal(book.leftOut, 2 * LINES_OF_GROUP_MAX);
  book.clear();
  assert.deepEqual([book.report(), book.leftOut], [[], 0]);
});

test("findings: a worker tells no more than so many at once, and counts the rest", () => {
  const tally = new FindingTally();
  const lines = Array.from({ length: 600 }, (_, index) => finding(`query ${index}`));
  tally.note(subject(), false, lines, 0);
  tally.note(subject("GET /b"), false, [finding("query q")], 0);
  const batch = tally.take()!;
  assert.deepEqual(
    [batch.groups[0]?.lines.length, batch.groups.length, batch.leftOut],
    [500, 1, 101],
  );
});

test("findings: a place that is no more takes what was found there with it, and what workers tell late", () => {
  const book = new FindingBook();
  const tally = new FindingTally();
  const tellOfBoth = (): void => {
    for (const at of ["route a", "route b"])
      tally.note(subject("GET /", at), true, [finding("x")], 0);
    book.add(tally.take()!);
  };
  tellOfBoth();
  book.keepOnly(new Set([placeKey("validate", "route b")]));
  tellOfBoth();
  assert.deepEqual(
    book.report().map(({ at, messages }) => [at, messages]),
    [["route b", 2]],
  );
});

test("findings: a message without any is none to tell of", () => {
  const tally = new FindingTally();
  tally.note(subject(), false, [], 0);
  assert.equal(tally.take(), undefined);
});
