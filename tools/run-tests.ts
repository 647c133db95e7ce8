/**
 * Runs every test of the repository and ends with the runner's own count.
 *
 *     npm test                                 everything
 *     npm test -- src/wire                     what is below a folder, or one file
 *     npm test -- --test-name-pattern=chunked  options go to `node --test`
 *
 * Each file gets a process of its own: a test that changes the environment, leaves a handle open or
 * breaks its process cannot change what another file sees.
 */
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

/** Named, because the runner's default would also take copies in dist/ and in packages. */
const roots = ["src", "test", "tools", "bench", "examples"];

/** For one test. None needs half of this; past it something hangs, and the report says which. */
const testTimeoutMs = 60_000;

const given = process.argv.slice(2);
const options = given.filter((one) => one.startsWith("-"));
const places = given.filter((one) => !one.startsWith("-"));

const run = spawnSync(
  process.execPath,
  [
    "--disable-warning=ExperimentalWarning",
    "--import=./tools/test/end-of-file.ts",
    "--test",
    `--test-timeout=${testTimeoutMs}`,
    `--test-concurrency=${availableParallelism()}`,
    ...options,
    ...(places.length > 0 ? places : roots).map(globOf),
  ],
  { cwd: fileURLToPath(new URL("..", import.meta.url)), stdio: "inherit" },
);
process.exitCode = run.status ?? 1;

function globOf(place: string): string {
  const isFolder = statSync(place, { throwIfNoEntry: false })?.isDirectory() ?? true;
  return isFolder ? `${place.replace(/\/$/, "")}/**/*.test.ts` : place;
}
