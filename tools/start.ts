/**
 * `npm start`: the quickstart, demo services and all, until Ctrl-C.
 * `npm start -- --config FILE`: the gateway alone, as `bin/gateward start --config FILE` does.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { main } from "../src/cli/main.ts";
import { endWithNpm } from "./start/end-with-npm.ts";
import { firstAnswer } from "./start/first-answer.ts";
import { availablePorts, changedPorts, replacePorts } from "./start/quickstart-ports.ts";
import type { QuickstartPorts } from "./start/quickstart-ports.ts";
import { startServices } from "./start/services-process.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const quickstartFile = join("examples", "quickstart", "gateward.yaml");

endWithNpm();
const given = process.argv.slice(2);
process.exitCode = given.length > 0 ? await startGateway(given) : await startQuickstart();
// Whatever the gateway left open may not keep the process.
setTimeout(process.exit, 2_000).unref();

function startGateway(options: string[]): Promise<number> {
  // npm runs scripts in the repository; a relative FILE is meant from where the user is.
  process.chdir(process.env["INIT_CWD"] ?? process.cwd());
  return main(["start", ...options]);
}

async function startQuickstart(): Promise<number> {
  process.chdir(root);
  const ports = await availablePorts();
  const configFile = writeConfig(ports);
  const stopServices = await startServices(ports.services);
  const ended = new AbortController();
  try {
    const gateway = main(["start", "--config", configFile]);
    void sayWhatToTry(ports, configFile, ended.signal);
    return await gateway;
  } finally {
    ended.abort();
    stopServices();
  }
}

/** The file to run: the quickstart's own, or a copy in which other ports stand for taken ones. */
function writeConfig(ports: QuickstartPorts): string {
  const changed = changedPorts(ports);
  if (changed.length === 0) return quickstartFile;
  const copy = join(".cache", "quickstart", "gateward.yaml");
  mkdirSync(join(".cache", "quickstart"), { recursive: true });
  writeFileSync(copy, replacePorts(readFileSync(quickstartFile, "utf8"), changed));
  const pairs = changed.map(([wanted, got]) => `${wanted} is taken, so it is ${got}`);
  console.log(`Ports: ${pairs.join("; ")}. The configuration that runs is ${copy}.`);
  return copy;
}

async function sayWhatToTry(
  { gateway, admin }: QuickstartPorts,
  configFile: string,
  signal: AbortSignal,
): Promise<void> {
  const url = `http://localhost:${gateway}`;
  if (!(await firstAnswer(`${url}/api/v1/users/123`, signal))) return;
  console.log(`
Gateward answers on ${url}, and on http://localhost:${admin} to its operators. Try:

  curl -i ${url}/api/v1/users/123        (x-instance says which of the two answered)
  curl ${url}/api/v1/products/456
  curl -i ${url}/api/v1/orders -d '{"product":"456","quantity":2}'
  curl ${url}/api/v1/orders/1
  curl http://localhost:${admin}/metrics

Change ${configFile} meanwhile: it is read again. Ctrl-C ends everything.
`);
}
