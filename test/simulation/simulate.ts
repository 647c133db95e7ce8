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
let stoodIn = 0;
let takenOut = 0;
const failures: string[] = [];
for (let seed = first; seed < first + schedules; seed++) {
  try {
    const record = await simulateResilientService(seed);
    requests += record.requests.length;
    takenOut += record.gateway.log.filter(({ message }) => message === "target is down").length;
    for (const { calls, fallback } of record.requests) {
      const own = calls.filter(({ service }) => service === "api").length;
      repetitions += Math.max(0, own - 1);
      if (fallback !== "") stoodIn += 1;
    }
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error));
  }
}
for (const failure of failures.slice(0, 20)) console.log(`FAILED: ${failure}`);
const share = ((repetitions / requests) * 100).toFixed(2);
console.log(`${schedules} schedules, ${requests} requests, ${share} % sent again`);
console.log(`${takenOut} targets taken out by checks, ${stoodIn} answers by fallbacks`);
console.log(`simulation: ${failures.length} schedules failed`);
process.exit(failures.length === 0 ? 0 : 1);
