import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { commandPath } from "../../test/support/command-path.ts";
import type { BenchContext } from "./context.ts";
import type { ProxyName } from "./proxy.ts";

/** "2 × AMD EPYC, 25 GB, Debian GNU/Linux 12 (bookworm), Linux 6.1" */
export function describeMachine(): string {
  const all = cpus();
  const system = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  const gigabytes = Math.round(totalmem() / 1e9);
  const kernel = release().split(".").slice(0, 2).join(".");
  return `${all.length} × ${all[0]?.model}, ${gigabytes} GB, ${system}, Linux ${kernel}`;
}

/** Versions of everything that took part: "nginx 1.22.1, haproxy 2.6.12, ...". */
export function describeVersions({ proxies, gatewardPath }: BenchContext): string {
  const commands: Record<ProxyName, [string, ...string[]]> = {
    nginx: ["nginx", "-v"],
    "nginx-16k": ["nginx", "-v"],
    haproxy: ["haproxy", "-v"],
    varnish: ["varnishd", "-V"],
    gateward: [process.execPath, gatewardPath, "--version"],
  };
  const versions = proxies.map(({ name }) => `${name} ${readVersion(commands[name])}`);
  // Where it is missing the scenario that needs it has said so.
  if (commandPath("varnishd") !== undefined) {
    versions.push(`varnish ${readVersion(commands.varnish)}`);
  }
  versions.push(
    `wrk ${readVersion(["wrk", "-v"])}`,
    `h2load ${readVersion(["h2load", "--version"])}`,
  );
  return `${versions.join(", ")}, Node ${process.versions.node}`;
}

function readVersion([command, ...args]: [string, ...string[]]): string {
  const { stdout, stderr } = spawnSync(commandPath(command) ?? command, args, {
    encoding: "utf8",
    timeout: 10_000,
  });
  return /\d+\.\d+\.\d+|\d+\.\d+/.exec(`${stdout}${stderr}`)?.[0] ?? "of unknown version";
}
