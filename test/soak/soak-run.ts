import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { TestCertificates } from "../support/certificates.ts";
import { type Death, DeathDriver } from "./death-driver.ts";
import { describeFootprint, footprintGrowth } from "./footprint-growth.ts";
import { Load } from "./load.ts";
import { ReloadDriver } from "./reload-driver.ts";
import type { SoakRecords } from "./soak-records.ts";
import { type Footprint, SoakedGateway } from "./soaked-gateway.ts";
import { accessLogName, type SoakPlaces, turningDocument } from "./turning-document.ts";
import { unexplainedBreaks } from "./unexplained-breaks.ts";
import { WrkLoad } from "./wrk-load.ts";

/** Parts of the whole time. Workers that are measured at the end have lived through the reloads. */
const WARM_UP_SHARE = 0.15;
const DEATHS_SHARE = 0.35;
const RELOADS_SHARE = 0.4;
/** Longer than connections to services stay open without a request. */
const REST_MS = 4000;
const SHOWN_MAX = 10;

/** The parts of one run, in order, and what failed in them. */
export class SoakRun {
  readonly failures: string[] = [];
  readonly gateway: SoakedGateway;
  private readonly places: SoakPlaces;
  private readonly ca: string;
  private readonly say: (text: string) => void;
  private readonly reloads: ReloadDriver;

  constructor(places: SoakPlaces, certificates: TestCertificates, say: (text: string) => void) {
    const { folder, adminPort, workerCount } = places;
    const document = turningDocument(0, places, false);
    this.places = places;
    this.ca = certificates.ca.cert;
    this.say = say;
    this.gateway = new SoakedGateway(folder, document, adminPort, workerCount);
    const { localhostEcdsa, localhostRsa, renewed } = certificates;
    this.reloads = new ReloadDriver(this.gateway, places, [localhostEcdsa, localhostRsa, renewed]);
  }

  async run(durationMs: number): Promise<void> {
    await this.gateway.ready();
    await this.underDeaths("warm-up", durationMs * WARM_UP_SHARE);
    const before = await this.rest("after the warm-up");
    await this.underDeaths("deaths", durationMs * DEATHS_SHARE);
    await this.underReloads(durationMs * RELOADS_SHARE);
    const after = await this.rest("at the end");
    this.failures.push(...footprintGrowth(before, after));
    const exitCode = await this.gateway.stop();
    if (exitCode !== 0) this.failures.push(`the gateway ended with ${exitCode}`);
  }

  private async underDeaths(title: string, durationMs: number): Promise<void> {
    const load = this.startLoad(title);
    const deaths = new DeathDriver(this.gateway, this.places.workerCount);
    await Promise.all([this.reloads.run(durationMs, true), deaths.run(durationMs)]);
    const records = await load.stop();
    this.report(title, records, `${deaths.deaths.length} deaths`);
    this.failures.push(...records.failures.map((each) => `${title}: ${each}`));
    this.judgeBreaks(title, records, deaths.deaths);
  }

  private async underReloads(durationMs: number): Promise<void> {
    const load = this.startLoad("reloads");
    const { folder, port } = this.places;
    const wrk = WrkLoad.start(folder, `http://127.0.0.1:${port}/bytes/100`, durationMs);
    const appliedBefore = this.gateway.said("configuration applied");
    await this.reloads.run(durationMs, false);
    const records = await load.stop();
    const applied = this.gateway.said("configuration applied") - appliedBefore;
    const wrkResult = await wrk?.result();
    const wrkSaid =
      wrkResult === undefined
        ? "wrk is not installed"
        : `${wrkResult.requestCount} requests of wrk`;
    this.report("reloads", records, `${applied} configurations applied, ${wrkSaid}`);
    this.failures.push(...records.failures.map((each) => `reloads: ${each}`));
    this.judgeBreaks("reloads", records, []);
    if (wrkResult !== undefined && wrkResult.failures !== "") {
      this.failures.push(`reloads: wrk saw ${wrkResult.failures}`);
    }
    if (applied < durationMs / 2000) this.failures.push(`only ${applied} configurations applied`);
  }

  private startLoad(title: string): Load {
    const { port, tlsPort, comingPort } = this.places;
    const tls = { port: tlsPort, ca: this.ca };
    return new Load(title, { plain: { port }, tls, coming: { port: comingPort } });
  }

  private judgeBreaks(title: string, { breaks }: SoakRecords, deaths: readonly Death[]): void {
    const bad = unexplainedBreaks(breaks, deaths, this.readWorkers());
    for (const { connection, reason } of bad.slice(0, SHOWN_MAX)) {
      this.failures.push(`${title}: the connection ${connection} broke: ${reason}`);
    }
    if (bad.length > SHOWN_MAX) this.failures.push(`${title}: ${bad.length} broke in all`);
  }

  /** The worker of each connection that has a line in the access log. */
  private readWorkers(): Map<string, number> {
    const workers = new Map<string, number>();
    const file = join(this.places.folder, accessLogName);
    if (!existsSync(file)) return workers;
    for (const line of readFileSync(file, "utf8").split("\n")) {
      if (line === "") continue;
      const entry = JSON.parse(line) as Record<string, unknown>;
      const connection = entry["request.header.x-connection"];
      const { worker } = entry;
      if (typeof connection !== "string" || typeof worker !== "number") continue;
      const known = workers.get(connection) ?? worker;
      if (known !== worker) this.failures.push(`${connection} was served by two workers`);
      workers.set(connection, worker);
    }
    return workers;
  }

  /** The first document again, no clients: what is there now must not grow. */
  private async rest(title: string): Promise<Footprint> {
    this.gateway.write(turningDocument(0, this.places, false));
    this.gateway.hangUp();
    await sleep(REST_MS);
    const footprint = await this.gateway.measure();
    this.say(`${title}, at rest:\n${describeFootprint(footprint)}`);
    return footprint;
  }

  private report(title: string, records: SoakRecords, more: string): void {
    const { requestCount, tunnelCount, breaks, failures } = records;
    const seen = `${requestCount} requests, ${tunnelCount} tunnels, ${breaks.length} connections broke`;
    this.say(`${title}: ${seen}, ${failures.length} failures; ${more}`);
  }
}
