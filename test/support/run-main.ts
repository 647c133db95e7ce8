import type { TestContext } from "node:test";
import { main } from "../../src/cli/main.ts";

export interface Outcome {
  readonly exitCode: number;
  /** Lines without the last line feed. */
  readonly out: string;
  readonly err: string;
}

/** Runs a command line of `gateward` in this process; what it prints. */
export async function runMain(t: TestContext, ...args: string[]): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  const log = t.mock.method(console, "log", (line: string) => void out.push(line));
  const error = t.mock.method(console, "error", (line: string) => void err.push(line));
  try {
    const exitCode = await main(args);
    return { exitCode, out: out.join("\n"), err: err.join("\n") };
  } finally {
    log.mock.restore();
    error.mock.restore();
  }
}
