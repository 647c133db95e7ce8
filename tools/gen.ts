/**
 * `npm run gen`: writes everything that is made from something else. `npm run gen -- --check` writes
 * nothing and fails when something is stale.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** In the order in which they need each other. Each takes `--check`. */
const generators = [
  "gen-policies.ts",
  "gen-policy-pages.ts",
  "gen-reference.ts",
  "problems-page.ts",
];

for (const name of generators) {
  const script = fileURLToPath(new URL(name, import.meta.url));
  const run = spawnSync(process.execPath, [script, ...process.argv.slice(2)], { stdio: "inherit" });
  if (run.status !== 0) process.exitCode = 1;
}
