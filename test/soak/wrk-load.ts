import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandPath } from "../support/command-path.ts";

const SCRIPT = `
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('\\nWRK %d %d %d %d %d %d\\n',
    summary.requests, e.status, e.connect, e.read, e.write, e.timeout))
end
`;

export interface WrkResult {
  requestCount: number;
  /** What failed, in words; empty when nothing did. */
  failures: string;
}

/** wrk on one path with as much as it can, where it is installed. */
export class WrkLoad {
  private readonly child: ChildProcess;
  private readonly ended: Promise<string>;

  private constructor(wrk: string, folder: string, url: string, seconds: number) {
    const script = join(folder, "soak.lua");
    writeFileSync(script, SCRIPT);
    const args = ["-t1", "-c16", `-d${seconds}s`, "--timeout", "10s", "-s", script, url];
    this.child = spawn(wrk, args, { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    this.child.stdout!.setEncoding("utf8").on("data", (text: string) => (output += text));
    this.ended = new Promise((resolve) => this.child.once("close", () => resolve(output)));
  }

  /** Undefined where wrk is not installed. */
  static start(folder: string, url: string, durationMs: number): WrkLoad | undefined {
    const wrk = commandPath("wrk");
    if (wrk === undefined) return undefined;
    return new WrkLoad(wrk, folder, url, Math.max(1, Math.round(durationMs / 1000)));
  }

  async result(): Promise<WrkResult> {
    const output = await this.ended;
    const line = /^WRK (.*)$/m.exec(output)?.[1];
    if (line === undefined) throw new Error(`wrk printed no result:\n${output}`);
    const [requestCount = 0, ...errors] = line.split(" ").map(Number);
    const names = ["status", "connect", "read", "write", "timeout"];
    const failures = names.flatMap((name, index) =>
      errors[index]! > 0 ? [`${errors[index]} ${name}`] : [],
    );
    return { requestCount, failures: failures.join(", ") };
  }
}
