/**
 * soak: a whole gateway under all kinds of load, while its configuration changes several times a second and
 * its workers die. `npm run soak -- --minutes N`; exit code 0 when nothing failed and nothing has grown.
 */
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { testCertificates } from "../support/certificates.ts";
import { freePort } from "../support/free-port.ts";
import { SoakRun } from "./soak-run.ts";
import { SoakService } from "./soak-services.ts";
import type { SoakPlaces } from "./turning-document.ts";

const WORKERS = 2;
const MINUTES_DEFAULT = 3;

const { values } = parseArgs({ options: { minutes: { type: "string" } } });
const minutes = Number(values.minutes ?? MINUTES_DEFAULT);
if (!(minutes > 0)) throw new Error("--minutes takes a number above 0");
if (process.platform !== "linux") throw new Error("the soak test needs Linux: it looks into /proc");

const folder = mkdtempSync(join(tmpdir(), "gateward-soak-"));
const services = [await SoakService.start(), await SoakService.start()] as const;
const certificates = testCertificates();
const places: SoakPlaces = {
  folder,
  port: await freePort(),
  tlsPort: await freePort(),
  certFile: join(folder, "server.crt"),
  keyFile: join(folder, "server.key"),
  comingPort: await freePort(),
  adminPort: await freePort(),
  serviceUrls: [services[0].url, services[1].url],
  servicePort: services[0].port,
  workerCount: WORKERS,
};
copyFileSync(certificates.localhostEcdsa.certFile, places.certFile);
copyFileSync(certificates.localhostEcdsa.keyFile, places.keyFile);

const run = new SoakRun(places, certificates, console.log);
try {
  await run.run(minutes * 60_000);
} finally {
  await run.gateway.stop();
  for (const service of services) service.stop();
  rmSync(folder, { recursive: true, force: true });
}
const SHOWN_MAX = 30;
for (const each of run.failures.slice(0, SHOWN_MAX)) console.log(`FAILED: ${each}`);
if (run.failures.length > SHOWN_MAX) console.log(`FAILED: ${run.failures.length} in all`);
if (run.failures.length > 0)
  console.log(`the end of the gateway's log:\n${run.gateway.lastWords()}`);
console.log(run.failures.length === 0 ? "soak: nothing failed" : "soak: failed");
process.exit(run.failures.length === 0 ? 0 : 1);
