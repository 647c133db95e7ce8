import { readFileSync } from "node:fs";

/** The proxies get a core for themselves, one after the other; everything else shares another. */
export interface CoreChoice {
  readonly proxyCore: number;
  readonly loadCores: string;
}

/** The first two cores this process may use; call it before the process is pinned. Throws without two. */
export function chooseCores(): CoreChoice {
  const status = readFileSync("/proc/self/status", "utf8");
  const [proxyCore, loadCore] = parseCoreList(
    /^Cpus_allowed_list:\s+(.*)$/m.exec(status)?.[1] ?? "",
  );
  if (proxyCore === undefined || loadCore === undefined) {
    throw new Error("the benchmark needs two cores");
  }
  return { proxyCore, loadCores: String(loadCore) };
}

/** "0,2-4" is 0, 2, 3, 4. */
export function parseCoreList(text: string): number[] {
  return text.split(",").flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
