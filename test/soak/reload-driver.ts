import { copyFileSync, renameSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { TestCertificate } from "../support/certificates.ts";
import type { SoakedGateway } from "./soaked-gateway.ts";
import { refusedDocument, type SoakPlaces, turningDocument } from "./turning-document.ts";

const PERIOD_MS = 300;

/** Changes the configuration every 300 ms, in turn by the file alone and with a SIGHUP right after it. */
export class ReloadDriver {
  /** Of the last good document that was written. */
  turn = 0;
  private readonly gateway: SoakedGateway;
  private readonly places: SoakPlaces;
  private readonly certificates: readonly TestCertificate[];

  constructor(
    gateway: SoakedGateway,
    places: SoakPlaces,
    certificates: readonly TestCertificate[],
  ) {
    this.gateway = gateway;
    this.places = places;
    this.certificates = certificates;
  }

  /** @param logsAccess whether the documents have an access log. */
  async run(durationMs: number, logsAccess: boolean): Promise<void> {
    const until = performance.now() + durationMs;
    while (performance.now() < until) {
      this.step(logsAccess);
      await sleep(PERIOD_MS);
    }
  }

  private step(logsAccess: boolean): void {
    this.turn += 1;
    const { turn, gateway, places } = this;
    if (turn % 10 === 0) {
      // Whatever is refused, the good one before serves on.
      gateway.write(refusedDocument(turn / 10, places));
    } else {
      gateway.write(turningDocument(turn, places, logsAccess));
    }
    if (turn % 16 === 15) this.renewCertificate(turn);
    if (turn % 2 === 0) gateway.hangUp();
  }

  private renewCertificate(turn: number): void {
    const { certFile, keyFile } = this.certificates[turn % this.certificates.length]!;
    replace(this.places.keyFile, keyFile);
    replace(this.places.certFile, certFile);
  }
}

function replace(file: string, by: string): void {
  copyFileSync(by, `${file}.next`);
  renameSync(`${file}.next`, file);
}
