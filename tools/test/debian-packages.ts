/**
 * Installs the Debian packages that tests need, when run as root on Debian (or a relative of it)
 * and some are missing. Never fails: without them the tests concerned report that they are skipped,
 * and why (test/support/requires.ts).
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { commandPath } from "../../test/support/command-path.ts";
import { debianPackages } from "../../test/support/debian-packages.ts";

/** Package lists and a few megabytes: more than two minutes is a network that does not answer. */
const aptTimeoutMs = 120_000;

const missing = debianPackages.filter((one) =>
  one.commands.some((name) => commandPath(name) === undefined),
);
if (missing.length > 0 && isDebian() && process.getuid?.() === 0) {
  const names = missing.map((one) => one.package);
  console.error(`gateward: installing what tests need from Debian: ${names.join(", ")}`);
  const problem = withoutStartingServices(() => installPackages(names));
  if (problem !== undefined) {
    console.error(`gateward: not installed, so some tests will be skipped: ${problem}`);
  }
}

function isDebian(): boolean {
  if (commandPath("apt-get") === undefined || !existsSync("/etc/os-release")) return false;
  return /^ID(_LIKE)?=.*\bdebian\b/m.test(readFileSync("/etc/os-release", "utf8"));
}

/** Returns what went wrong, in a line. */
function installPackages(names: string[]): string | undefined {
  return aptGet(["update"]) ?? aptGet(["install", "-y", "--no-install-recommends", ...names]);
}

function aptGet(args: string[]): string | undefined {
  const network = ["-o", "Acquire::http::Timeout=15", "-o", "Acquire::Retries=1"];
  const run = spawnSync("apt-get", ["-q", ...network, ...args], {
    encoding: "utf8",
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: aptTimeoutMs,
  });
  if (run.status === 0) return undefined;
  const said = run.error?.message ?? run.stderr.trim().split("\n").at(-1);
  return `apt-get ${args[0]}: ${said}`;
}

/**
 * Debian starts a service when its package is installed: an nginx on port 80 that nobody asked for.
 * A policy-rc.d that answers 101 forbids it; one that is there already is the machine's own affair.
 */
function withoutStartingServices<T>(work: () => T): T {
  const policy = "/usr/sbin/policy-rc.d";
  if (existsSync(policy)) return work();
  writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    return work();
  } finally {
    rmSync(policy, { force: true });
  }
}
