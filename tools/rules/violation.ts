import assert from "node:assert/strict";

/** One place where the repository breaks one of its own rules. */
export interface Violation {
  readonly path: string;
  /** From 1; absent where the whole file is meant. */
  readonly line?: number;
  /** What is wrong and what to do instead. */
  readonly message: string;
}

/** Fails with one line for each violation, in the form editors can jump to. */
export function assertNone(violations: readonly Violation[]): void {
  const lines = violations.map(({ path, line, message }) =>
    line === undefined ? `${path}: ${message}` : `${path}:${line}: ${message}`,
  );
  assert.ok(lines.length === 0, `\n${lines.join("\n")}`);
}
