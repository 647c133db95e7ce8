import { failed, PASSED, type ProbeOutcome } from "./probe.ts";

/** What an answer has to be like for a check to pass. */
export interface ExpectedAnswer {
  readonly status: { has(status: number): boolean };
  /** Of the first `BODY_BYTES_MAX` bytes as UTF-8; null for any. */
  readonly body: { test(text: string): boolean } | null;
}

/** What is read of a body. A check's answer that is longer passes or fails by its beginning. */
export const BODY_BYTES_MAX = 8192;

/** The body of one answer, as far as it counts. */
export class AnswerBody {
  private readonly parts: Buffer[] = [];
  private size = 0;

  /** @returns whether that is all that counts */
  add(part: Buffer): boolean {
    const rest = BODY_BYTES_MAX - this.size;
    this.parts.push(part.length > rest ? part.subarray(0, rest) : part);
    this.size += Math.min(part.length, rest);
    return this.size === BODY_BYTES_MAX;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.parts);
  }
}

/** Holds an answer against what is expected. */
export function judgeAnswer(
  expected: ExpectedAnswer,
  status: number,
  body: AnswerBody,
): ProbeOutcome {
  if (!expected.status.has(status)) return failed("unexpected", `status ${status}`);
  if (expected.body === null || expected.body.test(body.bytes.toString("utf8"))) return PASSED;
  return failed("unexpected", "the body is not as expected");
}
