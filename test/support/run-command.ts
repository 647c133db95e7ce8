/** run-command: runs a command of the machine, such as curl, and tells how it ended. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { commandPath } from "./command-path.ts";

export interface CommandResult {
  /** -1 when a signal ended it. */
  readonly code: number;
  /** As latin1, so that every byte is a character. */
  readonly stdout: string;
  readonly stderr: string;
}

/** Past this a command hangs. */
const timeoutMs = 15_000;

/** @param input what the command reads from standard input; by default it is closed at once. */
export async function runCommand(
  name: string,
  args: readonly string[],
  input: string | Buffer = "",
): Promise<CommandResult> {
  const child = spawn(commandPath(name) ?? name, args, { timeout: timeoutMs });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("latin1").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("latin1").on("data", (text: string) => (stderr += text));
  // A command that ends without reading all of it is for the test to judge by its result.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number | null];
  return { code: code ?? -1, stdout, stderr };
}
