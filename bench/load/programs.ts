import { spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { commandPath } from "../../test/support/command-path.ts";

/** Programs the benchmark runs, and the Debian packages they are in. */
const packageOf = {
  nginx: "nginx",
  haproxy: "haproxy",
  varnishd: "varnish",
  wrk: "wrk",
  h2load: "nghttp2-client",
  openssl: "openssl",
  taskset: "util-linux",
} as const;

export type Program = keyof typeof packageOf;

/** Debian asks this program whether a freshly installed service may start (101: no). */
const servicePolicyFile = "/usr/sbin/policy-rc.d";

/**
 * Sees to it that the programs are there: as root on Debian by installing them, else by an error
 * that says what is missing.
 */
export function requirePrograms(programs: readonly Program[]): void {
  const missing = findMissing(programs);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((program) => packageOf[program]))];
  const isDebianRoot = process.getuid?.() === 0 && existsSync("/etc/debian_version");
  if (isDebianRoot) installPackages(packages);
  const stillMissing = findMissing(programs);
  if (stillMissing.length === 0) return;
  throw new Error(
    `missing: ${stillMissing.join(", ")}. On Debian: apt-get install ${packages.join(" ")}`,
  );
}

function findMissing(programs: readonly Program[]): Program[] {
  return programs.filter((program) => commandPath(program) === undefined);
}

/** Installs without starting the services: Debian would put nginx on port 80 at once. */
function installPackages(packages: readonly string[]): void {
  console.log(`Installing ${packages.join(" ")} ...`);
  const hasPolicy = existsSync(servicePolicyFile);
  if (!hasPolicy) writeFileSync(servicePolicyFile, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    aptGet(["update"]);
    aptGet(["install", "-y", "--no-install-recommends", ...packages]);
  } finally {
    if (!hasPolicy) rmSync(servicePolicyFile);
  }
}

function aptGet(args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const result = spawnSync("apt-get", ["-qq", ...args], { env, encoding: "utf8" });
  if (result.status !== 0) console.error(`apt-get ${args[0]} failed:\n${result.stderr}`);
}
