import { parsedText } from "./parsed-text.ts";
import { Refusal } from "./refusal.ts";
import { listOf } from "./text.ts";
import { z } from "zod";
import { expected } from "./expected.ts";

const HINT = "write it like 404 or 5xx";
const WRITTEN = /^[1-5](?:xx|\d\d)$/;

/** Statuses, looked up by number. */
export interface StatusSet {
  has(status: number): boolean;
}

/** Schema of statuses and classes of them, `404` or `5xx`; `compileStatusSet` takes the output. */
export function statusSet() {
  const written = parsedText(parseStatus, { what: "a status", hint: HINT, sample: "5xx" });
  const number = z
    .int({ error: expected("a status", HINT) })
    .min(100)
    .max(599)
    .transform(String);
  return listOf(z.union([number, written], { error: expected("a status", HINT) }), "a status");
}

function parseStatus(text: string): string {
  if (WRITTEN.test(text)) return text;
  throw new Refusal(`${JSON.stringify(text)} is not a status`, HINT);
}

/** @param written as the schema gives it */
export function compileStatusSet(written: readonly string[]): StatusSet {
  const statuses = new Set<number>();
  for (const one of written) {
    if (!one.endsWith("xx")) statuses.add(Number(one));
    else for (let last = 0; last < 100; last++) statuses.add(Number(one[0]) * 100 + last);
  }
  return statuses;
}
