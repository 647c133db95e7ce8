import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDate } from "./date.ts";
import { Refusal } from "./refusal.ts";

test("date: a day is its beginning in UTC, a moment has its zone", () => {
  assert.equal(parseDate("2027-03-01"), Date.UTC(2027, 2, 1));
  assert.equal(parseDate("2027-03-01T12:30Z"), Date.UTC(2027, 2, 1, 12, 30));
  assert.equal(parseDate("2027-03-01T12:30:15.250+02:00"), Date.UTC(2027, 2, 1, 10, 30, 15, 250));
});

test("date: a moment without a zone, or a day that there is not, is refused", () => {
  for (const text of ["2027-03-01T12:00", "2027-02-30", "2027-02-29T00:00Z", "1.3.2027", "soon"]) {
    assert.throws(() => parseDate(text), Refusal, text);
  }
});
