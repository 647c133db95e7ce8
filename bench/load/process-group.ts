import { readdirSync, readFileSync } from "node:fs";

/** What one line of /proc/PID/stat says about a process, with all of its threads. */
export interface ProcessStat {
  readonly pid: number;
  readonly group: number;
  /** In clock ticks; ended children that were waited for are included. */
  readonly userTicks: number;
  readonly systemTicks: number;
}

/** Parses /proc/PID/stat (proc(5)). The name, field 2, may itself hold spaces and parentheses. */
export function parseProcessStat(text: string): ProcessStat {
  const afterName = text.lastIndexOf(")");
  const fields = text.slice(afterName + 2).split(" ");
  // fields[0] is field 3 of the manual page.
  const field = (number: number): number => Number(fields[number - 3]);
  return {
    pid: Number.parseInt(text, 10),
    group: field(5),
    userTicks: field(14) + field(16),
    systemTicks: field(15) + field(17),
  };
}

/** The processes of a process group: for nginx the master and its worker. */
export function listProcessGroup(group: number): ProcessStat[] {
  const found: ProcessStat[] = [];
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const text = readProcFile(`/proc/${entry}/stat`);
    if (text === undefined) continue;
    const stat = parseProcessStat(text);
    if (stat.group === group) found.push(stat);
  }
  return found;
}

/** A file of /proc, or undefined when its process has just ended. */
export function readProcFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
