import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BenchContext } from "./context.ts";
import type { StartedProcess } from "./process.ts";

/** What a load generator saw in one slice. */
export interface LoadResult {
  readonly requestCount: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 2xx and 3xx. */
  readonly badStatusCount: number;
  /** Connections refused, broken off or timed out. */
  readonly socketErrorCount: number;
}

/** What wrk sends. Without paths and body it repeats one GET, which costs it least. */
export interface WrkRequests {
  readonly path: string;
  /** Taken in turn instead of `path`. */
  readonly paths?: readonly string[];
  /** Sent with each, beside wrk's own. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes of a POST body. */
  readonly bodyBytes?: number;
  /** A POST body that it matters what it is. */
  readonly body?: Buffer;
}

/** A load generator may take so much longer than it was told: 10 s are wrk's timeout for an answer. */
const overtimeMs = 15_000;
/** h2load waits for nothing once its time is over. */
const h2loadOvertimeMs = 5000;

let fileCount = 0;

/** wrk prints figures for people; this makes it print them for us, unrounded. */
const wrkDone = `
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\\nWRK {"requestCount":%d,"micros":%d,"p50Micros":%d,"p99Micros":%d,' ..
    '"badStatusCount":%d,"socketErrorCount":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.status, e.connect + e.read + e.write + e.timeout))
end
`;

/** Writes the wrk script for these requests and returns its path. */
export function writeWrkScript(folder: string, requests: WrkRequests): string {
  const lines = [wrkDone];
  if (requests.bodyBytes !== undefined) {
    lines.push(`wrk.method = "POST"\nwrk.body = string.rep("x", ${requests.bodyBytes})`);
  }
  if (requests.body !== undefined) {
    lines.push(`wrk.method = "POST"\nwrk.body = "${luaBytes(requests.body)}"`);
  }
  for (const [name, value] of Object.entries(requests.headers ?? {})) {
    lines.push(`wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`);
  }
  if (requests.paths !== undefined) {
    const list = requests.paths.map((path) => `  ${JSON.stringify(path)},`).join("\n");
    lines.push(`local paths = {\n${list}\n}`, wrkRotate);
  }
  const file = join(folder, `wrk-${++fileCount}.lua`);
  writeFileSync(file, lines.join("\n"));
  return file;
}

function luaBytes(body: Buffer): string {
  return Array.from(body, (byte) => `\\${String(byte).padStart(3, "0")}`).join("");
}

/** Requests are made once, in init (only there wrk knows the host), and then sent in turn. */
const wrkRotate = `
local prepared, index = {}, 0
init = function(args)
  for i, path in ipairs(paths) do prepared[i] = wrk.format("GET", path) end
end
request = function()
  index = index % #prepared + 1
  return prepared[index]
end
`;

export interface WrkLoad {
  /** Ended early with SIGINT, wrk still prints what it has seen. */
  readonly process: StartedProcess;
  readonly result: Promise<LoadResult>;
}

/** Starts one wrk thread with so many connections, each sending as soon as it is answered. */
export function startWrk(
  context: BenchContext,
  url: string,
  script: string,
  connectionCount: number,
  seconds: number,
): WrkLoad {
  // wrk takes whole seconds; fractions, for the smoke test, are ended by us.
  const wholeSeconds = Math.ceil(seconds);
  const command = `wrk -t1 -c${connectionCount} -d${wholeSeconds}s --timeout 10s -s`.split(" ");
  const deadlineMs = wholeSeconds * 1000 + overtimeMs;
  const wrk = context.processes.run(
    "wrk",
    [...command, script, url],
    context.loadCores,
    deadlineMs,
  );
  if (seconds < wholeSeconds) {
    const timer = setTimeout(() => context.processes.signal(wrk.process, "SIGINT"), seconds * 1000);
    void wrk.process.ended.then(() => clearTimeout(timer));
  }
  return { process: wrk.process, result: wrk.output.then(parseWrk) };
}

export function parseWrk(output: string): LoadResult {
  const line = /^WRK (\{.*\})$/m.exec(output)?.[1];
  if (line === undefined) throw new Error(`wrk printed no result:\n${output}`);
  const { micros, p50Micros, p99Micros, ...counts } = JSON.parse(line) as Record<string, number>;
  if (micros === undefined || p50Micros === undefined || p99Micros === undefined) {
    throw new Error(`wrk printed an unknown result: ${line}`);
  }
  return {
    requestCount: counts.requestCount ?? 0,
    seconds: micros / 1e6,
    p50Ms: p50Micros / 1000,
    p99Ms: p99Micros / 1000,
    badStatusCount: counts.badStatusCount ?? 0,
    socketErrorCount: counts.socketErrorCount ?? 0,
  };
}

/**
 * Runs h2load: HTTP/2 over TLS, each client with so many streams at once. Its clients must all have
 * connected within the time: one that connects afterwards goes on for ever, until our deadline.
 */
export async function runH2load(
  context: BenchContext,
  url: string,
  clientCount: number,
  streamCount: number,
  seconds: number,
): Promise<LoadResult> {
  const logFile = join(context.folder, `h2load-${++fileCount}.tsv`);
  const options = `-t1 -c${clientCount} -m${streamCount} -D${Math.round(seconds * 1000)}ms`.split(
    " ",
  );
  const command = ["h2load", ...options, `--log-file=${logFile}`, url];
  const deadlineMs = seconds * 1000 + h2loadOvertimeMs;
  const start = () => context.processes.run("h2load", command, context.loadCores, deadlineMs);
  // Now and then it has stopped its clients and does not end: then what it saw is lost, and it is run again.
  const output = await start().output.catch(() => start().output);
  const result = parseH2load(output, readFileSync(logFile, "latin1"));
  rmSync(logFile);
  return result;
}

/** h2load's counts come from its output, the percentiles from its log of every request. */
export function parseH2load(output: string, log: string): LoadResult {
  const protocol = /^Application protocol: (\S+)/m.exec(output)?.[1];
  if (protocol !== "h2") throw new Error(`h2load spoke ${protocol} instead of h2:\n${output}`);
  const seconds = /^finished in ([\d.]+)(ms|s),/m.exec(output);
  const counts =
    /^requests: .* (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/m.exec(
      output,
    );
  const bad = /^status codes: \d+ 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/m.exec(output);
  if (!seconds || !counts || !bad) throw new Error(`h2load printed no result:\n${output}`);
  const micros = parseLogMicros(log);
  return {
    requestCount: Number(counts[2]),
    seconds: Number(seconds[1]) / (seconds[2] === "ms" ? 1000 : 1),
    p50Ms: percentile(micros, 0.5) / 1000,
    p99Ms: percentile(micros, 0.99) / 1000,
    badStatusCount: Number(bad[1]) + Number(bad[2]) + Number(bad[3]),
    socketErrorCount: Number(counts[4]) + Number(counts[5]),
  };
}

/** Third column of h2load's log, sorted: microseconds from request to the end of its response. */
function parseLogMicros(log: string): Uint32Array {
  const lines = log.trimEnd().split("\n");
  return Uint32Array.from(lines, (line) => Number(line.split("\t")[2])).toSorted();
}

function percentile(sorted: Uint32Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
