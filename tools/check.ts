/**
 * `npm run check`: everything that must hold before a change goes in. All steps run, whatever the
 * earlier ones found; a table at the end says which failed, and what shows or repairs it.
 */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

interface Step {
  readonly name: string;
  /** A command of node_modules/.bin and its arguments. */
  readonly command: readonly [string, ...string[]];
  readonly remedy: string;
}

const root = fileURLToPath(new URL("..", import.meta.url));

/** Bytes are counted between forced collections, with a young generation no run fills. */
const allocationTest = ["node", "--expose-gc", "--max-semi-space-size=64", "--test"] as const;
const budgets = globSync("{bench,src}/**/*.alloc.ts", { cwd: root });

const steps: readonly Step[] = [
  { name: "generated files", command: ["node", "tools/gen.ts", "--check"], remedy: "npm run gen" },
  { name: "format", command: ["oxfmt", "--check"], remedy: "npm run fmt" },
  { name: "lint", command: ["oxlint"], remedy: "npm run lint" },
  { name: "types", command: ["tsc", "--noEmit", "-p", "."], remedy: "npm run types" },
  { name: "tests and rules", command: ["node", "tools/run-tests.ts"], remedy: "npm test" },
  {
    name: "allocation budgets",
    command: [...allocationTest, "--test-concurrency=1", ...budgets],
    remedy: "allocate less per request, or raise the number and say why",
  },
];

const results = steps
  .filter(({ name }) => name !== "allocation budgets" || budgets.length > 0)
  .map((step) => ({ ...step, ...run(step) }));

console.log("");
for (const { name, passed, seconds, remedy } of results) {
  const time = `${seconds.toFixed(1)} s`.padStart(8);
  console.log(`${passed ? "ok    " : "FAILED"} ${time}  ${name}${passed ? "" : `: ${remedy}`}`);
}
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;

function run({ name, command: [program, ...args] }: Step): { passed: boolean; seconds: number } {
  console.log(`\n== ${name}`);
  const start = performance.now();
  const path = [join(root, "node_modules", ".bin"), process.env["PATH"]].join(delimiter);
  const { status } = spawnSync(program, args, {
    cwd: root,
    env: { ...process.env, PATH: path },
    stdio: "inherit",
  });
  return { passed: status === 0, seconds: (performance.now() - start) / 1000 };
}
