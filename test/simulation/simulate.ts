/**
 * simulate: many schedules of failures against the properties that `npm test` checks for some.
 * `npm run simulate -- --schedules 2000 --seed 1`; exit code 0 when they held for all.
 */
import { parseArgs } from "node:util";
import { simulateResilientService } from "./resilient-service.ts";

const { values } = parseArgs({
  options: { schedules: { type: "string" }, seed: { type: "string" } },
});
const schedules = Number(values.schedules ?? 2000);
const first = Number(values.seed ?? 1);
let requests = 0;
let repetitions = 0;
const failures: string[] = [];
for (let seed = first; seed < first + schedules; seed++) {
  try {
    const record = await simulateResilientService(seed);
    requests += record.requests.length;
    for (const { calls } of record.requests) repetitions += Math.max(0, calls.length - 1);
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error));
  }
}
for (const failure of failures.slice(0, 20)) console.log(`FAILED: ${failure}`);
const share = ((repetitions / requests) * 100).toFixed(2);
console.log(`${schedules} schedules, ${requests} requests, ${share} % sent again`);
console.log(`simulation: ${failures.length} schedules failed`);
process.exit(failures.length === 0 ? 0 : 1);
