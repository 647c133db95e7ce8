import { listProcessGroup, readProcFile } from "./process-group.ts";

/** Bytes of a process group. RSS counts a page shared by two processes twice, PSS once. */
export interface Memory {
  readonly rssBytes: number;
  readonly pssBytes: number;
}

/** Memory of all processes of a group, from /proc/PID/smaps_rollup. Kernel socket buffers are not in it. */
export function readGroupMemory(group: number): Memory {
  let rssBytes = 0;
  let pssBytes = 0;
  for (const { pid } of listProcessGroup(group)) {
    const text = readProcFile(`/proc/${pid}/smaps_rollup`) ?? "";
    rssBytes += parseKilobytes(text, "Rss");
    pssBytes += parseKilobytes(text, "Pss");
  }
  return { rssBytes, pssBytes };
}

/** Resident bytes only: cheap enough to be sampled many times a second. */
export function readGroupRssBytes(group: number): number {
  let rssBytes = 0;
  for (const { pid } of listProcessGroup(group)) {
    rssBytes += parseKilobytes(readProcFile(`/proc/${pid}/status`) ?? "", "VmRSS");
  }
  return rssBytes;
}

/** Bytes the group has caused to be written to disk, from /proc/PID/io: shows temporary files. */
export function readGroupWrittenBytes(group: number): number {
  let bytes = 0;
  for (const { pid } of listProcessGroup(group)) {
    const text = readProcFile(`/proc/${pid}/io`) ?? "";
    bytes += Number(/^write_bytes: (\d+)/m.exec(text)?.[1] ?? 0);
  }
  return bytes;
}

/** The value of a `Name:   123 kB` line, in bytes; 0 when it is not there. */
export function parseKilobytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) * 1024;
}
