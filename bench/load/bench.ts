import { writeFileSync } from "node:fs";
import { chooseCores } from "./cores.ts";
import { haproxy } from "./haproxy.ts";
import { describeMachine, describeVersions } from "./machine.ts";
import { assertMachine, parseOptions, usage } from "./options.ts";
import type { BenchOptions } from "./options.ts";
import { nginx } from "./nginx.ts";
import { pinSelf } from "./process.ts";
import { requirePrograms } from "./programs.ts";
import type { Program } from "./programs.ts";
import { formatMarkdown, formatTable } from "./report.ts";
import type { Scenario, ScenarioResult } from "./scenario.ts";
import { cache } from "./scenarios/cache.ts";
import { listScenarios } from "./scenarios/list.ts";
import { openSession } from "./session.ts";

/** What a scenario came to: figures, or why there are none. */
interface Outcome {
  readonly name: string;
  readonly title: string;
  readonly result?: ScenarioResult;
  readonly failure?: string | undefined;
}

const noCertificate = { cert: "", key: "", both: "" };

process.exitCode = await main(process.argv.slice(2));

/** Exit code 0: all measured; 1: a scenario failed; 2: nothing could be measured. */
async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args);
    if (options.help) {
      console.log(usage);
      return 0;
    }
    const known = listScenarios({ certificate: noCertificate });
    if (options.list) {
      for (const { name, title } of known) console.log(`${name.padEnd(18)}${title}`);
      return 0;
    }
    assertNames(options.scenarioNames, known);
    assertMachine(options);
    const programs: Program[] = ["nginx", "wrk", "h2load", "openssl", "taskset"];
    if (options.proxies.includes(haproxy)) programs.push("haproxy");
    if (runsVarnish(options)) programs.push("varnishd");
    requirePrograms(programs);
    return await measure(options);
  } catch (error) {
    console.error(`bench: ${(error as Error).message}`);
    return 2;
  }
}

function runsVarnish({ scenarioNames, proxies }: BenchOptions): boolean {
  const isAsked = scenarioNames.length === 0 || scenarioNames.includes(cache.name);
  return isAsked && proxies.includes(nginx);
}

async function measure(options: BenchOptions): Promise<number> {
  const cores = chooseCores();
  pinSelf(cores.loadCores);
  await using session = await openSession({ ...options, ...cores, progress: showProgress });
  const { context } = session;
  const machine = describeMachine();
  const versions = describeVersions(context);
  console.log(`${machine}\n${versions}`);
  console.log(`Median of ${options.rounds} rounds of ${options.sliceSeconds} s for each proxy.`);
  const outcomes: Outcome[] = [];
  for (const scenario of listScenarios(context)) {
    if (options.scenarioNames.length > 0 && !options.scenarioNames.includes(scenario.name))
      continue;
    const outcome = await runScenario(scenario, () => scenario.run(context));
    outcomes.push(outcome);
    printOutcome(outcome, options.markdown);
  }
  if (options.jsonFile !== undefined) {
    const { rounds, sliceSeconds } = options;
    const report = { machine, versions, rounds, sliceSeconds, scenarios: outcomes };
    writeFileSync(options.jsonFile, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  const failed = outcomes.filter(({ failure }) => failure !== undefined);
  if (failed.length === 0) return 0;
  console.error(`\nFAILED: ${failed.map(({ name }) => name).join(", ")}`);
  return 1;
}

async function runScenario(
  { name, title }: Scenario,
  run: () => Promise<ScenarioResult>,
): Promise<Outcome> {
  try {
    const result = await run();
    return { name, title, result, failure: result.failure };
  } catch (error) {
    return { name, title, failure: (error as Error).message };
  } finally {
    showProgress("");
  }
}

function printOutcome({ name, title, result, failure }: Outcome, markdown: boolean): void {
  console.log(markdown ? `\n### ${name}\n\n${title}\n` : `\n${name}: ${title}`);
  if (result !== undefined) {
    console.log(markdown ? `${formatMarkdown(result)}\n` : formatTable(result));
    for (const note of result.notes) console.log(markdown ? `- ${note}` : `  ${note}`);
  }
  if (failure !== undefined) console.log(`FAILED: ${failure}`);
}

/** One line that is overwritten, and only where somebody watches. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

function assertNames(names: readonly string[], known: readonly Scenario[]): void {
  for (const name of names) {
    if (!known.some((each) => each.name === name)) {
      throw new Error(
        `no scenario named ${name}; there are ${known.map((each) => each.name).join(", ")}`,
      );
    }
  }
}
