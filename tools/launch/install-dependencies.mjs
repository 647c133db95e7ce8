import { readFileSync } from "node:fs";
import { join } from "node:path";
import { withExclusiveLock } from "./exclusive-lock.mjs";
import { missingPackages } from "./missing-packages.mjs";
import { npmCi } from "./npm-ci.mjs";
import { dropUnusableNode } from "./pinned-node.mjs";

/**
 * Installs the locked dependencies when they are missing or older than package-lock.json; quick,
 * silent and without network when they are not.
 *
 * @param {string} root the repository's folder
 * @param {{ runNpm?: typeof npmCi, say?: (line: string) => void }} [settings] tests replace these
 * @returns {Promise<boolean>} whether anything had to be installed
 * @throws {Error} the message says what to do
 */
export async function installDependencies(root, settings = {}) {
  const { runNpm = npmCi, say = (line) => console.error(line) } = settings;
  if (whatIsMissing(root).length === 0) return false;

  const onWait = () => say("gateward: another process is installing the dependencies; waiting");
  return withExclusiveLock(
    join(root, ".cache", "install.lock"),
    async () => {
      const missing = whatIsMissing(root);
      if (missing.length === 0) return false;
      say(`gateward: installing the locked dependencies (${count(missing)} missing or older)`);
      const start = performance.now();
      const { code, output } = await runNpm(root);
      if (code !== 0) throw new Error(`npm ci failed (exit code ${code}):\n${output.trimEnd()}`);
      dropUnusableNode(root);
      say(`gateward: installed in ${((performance.now() - start) / 1000).toFixed(1)} s`);
      return true;
    },
    { onWait },
  );
}

function whatIsMissing(root) {
  const locked = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const platform = { os: process.platform, cpu: process.arch };
  return missingPackages(locked, readInstalled(root), platform);
}

function readInstalled(root) {
  try {
    return JSON.parse(readFileSync(join(root, "node_modules", ".package-lock.json"), "utf8"));
  } catch {
    return undefined; // Not there, or broken off while being written: nothing counts as installed.
  }
}

function count(missing) {
  return missing.length === 1 ? "1 package" : `${missing.length} packages`;
}
