/**
 * process-metrics: what the whole process uses, under the names that every Prometheus client gives
 * them. Read at each scrape, on the main thread.
 */
import { readdirSync } from "node:fs";
import { defineCounter, defineGauge } from "./metric-family.ts";
import type { MetricRegistry } from "./metric-registry.ts";

const cpuSecondsTotal = defineCounter({
  name: "process_cpu_seconds_total",
  help: "User and system CPU time of all threads.",
  unit: "seconds",
});

const residentMemoryBytes = defineGauge({
  name: "process_resident_memory_bytes",
  help: "Memory of the process that is in RAM.",
  unit: "bytes",
});

const openFds = defineGauge({
  name: "process_open_fds",
  help: "Open file descriptors, sockets included.",
});

const startTimeSeconds = defineGauge({
  name: "process_start_time_seconds",
  help: "When the process started, in seconds since 1970.",
  unit: "seconds",
});

/** Where Linux lists what the process holds open; elsewhere the count is left out. */
const FD_FOLDER = "/proc/self/fd";

export function addProcessMetrics(registry: MetricRegistry): void {
  registry.compute(cpuSecondsTotal, () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  registry.compute(residentMemoryBytes, residentBytes);
  if (countOpenFds() !== undefined) registry.compute(openFds, () => countOpenFds() ?? Number.NaN);
  registry.compute(startTimeSeconds, () => performance.timeOrigin / 1000);
}

/** It is read from a file: without a descriptor to spare there is no telling, and that must end nothing. */
function residentBytes(): number {
  try {
    return process.memoryUsage.rss();
  } catch {
    return Number.NaN;
  }
}

function countOpenFds(): number | undefined {
  try {
    // One of them is the folder itself, open while it is read.
    return readdirSync(FD_FOLDER).length - 1;
  } catch {
    return undefined;
  }
}
