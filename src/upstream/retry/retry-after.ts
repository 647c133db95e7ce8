/** What is read of an answer's head. */
export interface AnswerFields {
  /** @param name in lower case */
  get(name: string): string | undefined;
}

const DIGITS = /^\d{1,9}$/;

/**
 * Retry-After (RFC 9110 section 10.2.3) in milliseconds; -1 where it cannot be read. A date is taken from the
 * answer's own `Date`, so that it does not matter what the clocks show.
 */
export function readRetryAfter(value: string, date: string | undefined): number {
  if (DIGITS.test(value)) return Number(value) * 1000;
  const afterMs = Date.parse(value) - Date.parse(date ?? "");
  return afterMs >= 0 ? afterMs : -1;
}

/** `grpc-retry-pushback-ms` (gRFC A6): milliseconds; -1 for what is not a number, which means never. */
export function readPushback(value: string): number {
  return DIGITS.test(value) ? Number(value) : -1;
}
