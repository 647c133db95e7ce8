/**
 * chaos: four real targets behind a real gateway; one is killed, one hangs, one answers 500, one is slow, one after the
 * other with some overlap, and all come back. `npm run chaos`; exit code 0 when at least 99.9 % of the answers were good
 * and the 99th percentile stayed under twice the healthy one once the gateway had had time to notice.
 */
import { parseArgs } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../support/free-port.ts";
import { startGateway } from "../support/gateway.ts";
import { OpenLoad, type Answer } from "./open-load.ts";
import { UnrulyTarget, type Trouble } from "./unruly-target.ts";

const HEALTHY_MS = 10_000;
/** Of each trouble; the next begins when half of it is over. */
const TROUBLE_MS = 12_000;
/** By then what fails is ejected, or its breaker open: percentiles count from here. */
const NOTICED_MS = 3000;
const GOOD_SHARE_MIN = 0.999;
const P99_FACTOR_MAX = 2;

const { values } = parseArgs({
  options: { rate: { type: "string" }, workers: { type: "string" } },
});
const rate = Number(values.rate ?? 2000);
const workers = Number(values.workers ?? 1);

const ends: (() => void | Promise<void>)[] = [];
const cleanup = { after: (end: () => void | Promise<void>) => void ends.push(end) };
let hasFailed = true;
try {
  hasFailed = await run();
} finally {
  for (const end of ends.toReversed()) await end();
}
process.exit(hasFailed ? 1 : 0);

async function run(): Promise<boolean> {
  const targets: UnrulyTarget[] = [];
  for (let index = 0; index < 4; index++) targets.push(await UnrulyTarget.start(await freePort()));
  cleanup.after(() => targets.forEach((target) => target.stop()));
  const gateway = await startGateway(cleanup, {
    workers,
    services: {
      api: {
        targets: targets.map(({ url }) => url),
        balance: "least-requests",
        health: { path: "/healthz", interval: "1s" },
        outliers: { maxEjected: "75%", ejection: { base: "5s" } },
        panic: "25%",
        retry: {
          attempts: 3,
          on: ["connect-failure", "refused", "reset", "timeout", "5xx"],
          perTry: "250ms",
          budget: "30%",
        },
      },
    },
    routes: [{ match: "/*", service: "api" }],
  });
  // Connections and code are warm when counting begins.
  await new OpenLoad(gateway.url, rate / 4).runFor(3000);
  const load = new OpenLoad(gateway.url, rate);
  await sleep(HEALTHY_MS);
  const spells = await makeTrouble(targets, load);
  await sleep(HEALTHY_MS);
  await load.finish();
  return judge(load.answers, spells);
}

interface Spell {
  trouble: Trouble;
  fromMs: number;
  toMs: number;
}

/** Each target has a trouble of its own. */
async function makeTrouble(targets: readonly UnrulyTarget[], load: OpenLoad): Promise<Spell[]> {
  const troubles: Trouble[] = ["killed", "hanging", "failing", "slow"];
  return await Promise.all(
    troubles.map(async (trouble, index) => {
      await sleep((index * TROUBLE_MS) / 2);
      const fromMs = load.nowMs;
      targets[index]!.begin(trouble);
      await sleep(TROUBLE_MS);
      await targets[index]!.end(trouble);
      return { trouble, fromMs, toMs: load.nowMs };
    }),
  );
}

/** @returns whether something is not as it should be */
function judge(answers: readonly Answer[], spells: readonly Spell[]): boolean {
  const good = answers.filter(({ status }) => status === 200).length;
  const share = good / answers.length;
  const healthy = p99(answers.filter(({ atMs }) => atMs < HEALTHY_MS));
  console.log(`${answers.length} answers, ${(share * 100).toFixed(3)} % good`);
  console.log(`p99 healthy ${healthy.toFixed(1)} ms`);
  const unsettled = ({ atMs }: Answer): boolean =>
    spells.some(({ fromMs }) => atMs >= fromMs && atMs < fromMs + NOTICED_MS);
  let failed = share < GOOD_SHARE_MIN;
  for (const { trouble, fromMs, toMs } of spells) {
    const during = answers.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
    const settled = p99(during.filter((answer) => !unsettled(answer)));
    const bad = during.filter(({ status }) => status !== 200).length;
    console.log(
      `${trouble}: ${bad} of ${during.length} bad; p99 once noticed ${settled.toFixed(1)} ms`,
    );
    if (settled > healthy * P99_FACTOR_MAX) failed = true;
  }
  const last = Math.max(...spells.map(({ toMs }) => toMs));
  console.log(`p99 afterwards ${p99(answers.filter(({ atMs }) => atMs > last)).toFixed(1)} ms`);
  console.log(failed ? "chaos: failed" : "chaos: as it should be");
  return failed;
}

function p99(answers: readonly Answer[]): number {
  const sorted = answers.map(({ latencyMs }) => latencyMs).sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length * 0.99)] ?? 0;
}
