import type { ProcessSet } from "./process.ts";
import type { CertificateFiles, ProxyKind } from "./proxy.ts";

/** What every scenario is given: the upstream that runs, who is compared, and for how long. */
export interface BenchContext {
  /** Temporary folder for configurations, logs and response files; removed at the end. */
  readonly folder: string;
  readonly processes: ProcessSet;
  /** The core the proxies share, and those of the upstream, the load generator and this process. */
  readonly proxyCore: number;
  readonly loadCores: string;
  readonly upstreamPort: number;
  readonly certificate: CertificateFiles;
  readonly proxies: readonly ProxyKind[];
  /** Path of Gateward's executable. */
  readonly gatewardPath: string;
  /** Length of a measured slice, and how many of them each proxy gets. */
  readonly sliceSeconds: number;
  readonly rounds: number;
  /** Smaller counts of connections, reloads and bytes where a scenario has them. */
  readonly quick: boolean;
  /** Tells a waiting person what is going on. */
  progress(text: string): void;
}
