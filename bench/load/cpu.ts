import { listProcessGroup, readProcFile } from "./process-group.ts";

/** USER_HZ: the unit of the times in /proc is 10 ms on every Linux that Node runs on. */
const tickMs = 10;

/** CPU time in milliseconds since the start; resolution 10 ms, so measure over seconds. */
export interface CpuTime {
  readonly userMs: number;
  readonly systemMs: number;
}

/** CPU time of a whole process group, all threads of all its processes and ended children. */
export function readGroupCpu(group: number): CpuTime {
  let userTicks = 0;
  let systemTicks = 0;
  for (const process of listProcessGroup(group)) {
    userTicks += process.userTicks;
    systemTicks += process.systemTicks;
  }
  return { userMs: userTicks * tickMs, systemMs: systemTicks * tickMs };
}

/** Milliseconds for which one core has been busy with anything, from /proc/stat. */
export function readCoreBusyMs(core: number): number {
  return parseCoreBusyMs(readProcFile("/proc/stat") ?? "", core);
}

/** `cpu0 user nice system idle iowait irq softirq steal ...` (proc(5)): all but idle and iowait. */
export function parseCoreBusyMs(stat: string, core: number): number {
  const line = stat.split("\n").find((each) => each.startsWith(`cpu${core} `));
  if (line === undefined) throw new Error(`this machine has no core ${core}`);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
    .split(" ")
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq + steal) * tickMs;
}
