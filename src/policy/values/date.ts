import { parsedText } from "./parsed-text.ts";
import { Refusal } from "./refusal.ts";

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/;
const HINT = "write it like 2027-03-01 (its beginning in UTC) or 2027-03-01T12:00:00Z";

/** `2027-03-01`, which is its beginning in UTC, or a moment with its zone (RFC 3339) -> epoch milliseconds. */
export function parseDate(text: string): number {
  const epochMs = DAY.test(text) || MOMENT.test(text) ? Date.parse(text) : Number.NaN;
  // Date.parse takes the 31st of February for a day of March.
  const isReal =
    !Number.isNaN(epochMs) &&
    new Date(`${text.slice(0, 10)}T00:00:00Z`).toISOString().startsWith(text.slice(0, 10));
  if (!isReal) throw new Refusal(`${JSON.stringify(text)} is not a date`, HINT);
  return epochMs;
}

/** Schema of a date; the output is epoch milliseconds. */
export function date() {
  return parsedText(parseDate, { what: "a date", hint: HINT, sample: "2027-03-01" });
}
