import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { BenchContext } from "./context.ts";
import { freePort } from "./port.ts";
import { probeUntilAnswered } from "./probe.ts";
import { assertRunning } from "./process.ts";
import type { StartedProcess } from "./process.ts";

/** A certificate and its key: PEM files, and both in one file as haproxy wants them. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  readonly both: string;
}

/** What a proxy is set up to do. Every kind writes its own configuration for the same setup. */
export interface ProxySetup {
  /** Port on 127.0.0.1 that the proxy listens on. */
  readonly port: number;
  /** Port on 127.0.0.1 of the nginx behind it. */
  readonly upstreamPort: number;
  /** 0: one route takes everything. Else that many routes (routes.ts), and nothing else is served. */
  readonly routeCount: number;
  /** Listen with TLS 1.3 instead of plain. */
  readonly tls: CertificateFiles | undefined;
  /** Offer HTTP/2 by ALPN; needs `tls`. */
  readonly http2: boolean;
  /** Requests in flight on one connection to the upstream. Only Gateward knows more than 1. */
  readonly pipelining: number;
  /** Client connections at once; nginx and haproxy set memory aside for each. */
  readonly connectionsMax: number;
  /** Top-level lines of Gateward's document beside the usual ones; the others know nothing of it. */
  readonly gatewardLines: string;
  /** Write an access log; to a file in the proxy's folder. */
  readonly accessLog: boolean;
  /** What a request must bring to be answered 200. */
  readonly requestHeaders: Readonly<Record<string, string>>;
}

export type ProxyName = "nginx" | "nginx-16k" | "haproxy" | "varnish" | "gateward";

/** One of the programs that are compared. */
export interface ProxyKind {
  readonly name: ProxyName;
  /** Writes the configuration into the folder and returns the file's path. Used again for reloads. */
  writeConfig(folder: string, setup: ProxySetup): string;
  command(configFile: string, context: BenchContext): string[];
  readonly reloadSignal: NodeJS.Signals;
  /** Whether a changed file is noticed without the signal. */
  readonly watchesFile: boolean;
}

export interface RunningProxy {
  readonly kind: ProxyKind;
  readonly setup: ProxySetup;
  readonly folder: string;
  readonly process: StartedProcess;
  /** From the start of the process to the first whole answer. */
  readonly startMs: number;
  readonly origin: string;
}

let proxyCount = 0;

/** Starts a proxy on the proxy's core and waits until it answers `path` with 200. */
export async function startProxy(
  context: BenchContext,
  kind: ProxyKind,
  options: Partial<Omit<ProxySetup, "port" | "upstreamPort">>,
  path: string,
): Promise<RunningProxy> {
  const folder = join(context.folder, `${kind.name}-${++proxyCount}`);
  mkdirSync(folder);
  const setup: ProxySetup = {
    port: await freePort(),
    upstreamPort: context.upstreamPort,
    routeCount: 0,
    tls: undefined,
    http2: false,
    pipelining: 1,
    connectionsMax: 1000,
    gatewardLines: "",
    accessLog: false,
    requestHeaders: {},
    ...options,
  };
  const configFile = kind.writeConfig(folder, setup);
  const startedMs = performance.now();
  const process = context.processes.start(
    kind.name,
    kind.command(configFile, context),
    String(context.proxyCore),
    join(folder, "output.log"),
  );
  await probeUntilAnswered(setup, path, () => assertRunning(process));
  const startMs = performance.now() - startedMs;
  const origin = `${setup.tls === undefined ? "http" : "https"}://127.0.0.1:${setup.port}`;
  return { kind, setup, folder, process, startMs, origin };
}
