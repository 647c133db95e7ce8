import { commandPath } from "../../test/support/command-path.ts";
import { writeConfigFile } from "./config-file.ts";
import type { ProxyKind, ProxySetup } from "./proxy.ts";

/**
 * Varnish that keeps everything for an hour, in memory. Threads suffice for all connections from the start, and
 * one pool of them is enough for one core. Its two processes are one group, and CPU time counts both.
 */
export const varnish: ProxyKind = {
  name: "varnish",
  reloadSignal: "SIGHUP",
  watchesFile: false,
  writeConfig(folder, setup) {
    const vclFile = writeConfigFile(folder, "varnish.vcl", varnishConfig(setup));
    return writeConfigFile(folder, "varnish.sh", startScript(folder, vclFile, setup));
  },
  command: (scriptFile) => ["sh", scriptFile],
};

/** The port is an argument to it, not a line of its configuration. */
function startScript(
  folder: string,
  vclFile: string,
  { port, connectionsMax }: ProxySetup,
): string {
  const parameters = [
    "thread_pools=1",
    `thread_pool_min=${Math.max(100, Math.ceil(connectionsMax / 10))}`,
    `thread_pool_max=${connectionsMax}`,
    "timeout_idle=600",
  ];
  const args = [
    // As whoever starts the benchmark: others may not enter its folder.
    ...["-j", "none", "-F", "-n", `${folder}/work`, "-f", vclFile],
    ...["-a", `127.0.0.1:${port}`, "-s", "malloc,256m"],
    ...parameters.flatMap((parameter) => ["-p", parameter]),
  ];
  return `exec ${commandPath("varnishd") ?? "varnishd"} ${args.join(" ")}\n`;
}

function varnishConfig({ upstreamPort }: ProxySetup): string {
  return `vcl 4.1;
backend bench { .host = "127.0.0.1"; .port = "${upstreamPort}"; }
sub vcl_backend_response { set beresp.ttl = 1h; }
`;
}
