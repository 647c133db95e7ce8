import type { Log } from "../../base/log/log.ts";
import type { Counter } from "../../base/metrics/metric-view.ts";
import { ejectionReasons } from "../../base/metrics/families.ts";
import type { EjectionEvents, EjectionSubject } from "./ejections.ts";

/** Tells log and metrics of the ejections that this thread has made, and of the ends that it has written down. */
export class EjectionReports implements EjectionEvents {
  private readonly service: string;
  private readonly log: Log;
  private readonly counterOf: (url: string) => Counter;

  /** @param counterOf ejections of a target by their reason */
  constructor(service: string, log: Log, counterOf: (url: string) => Counter) {
    this.service = service;
    this.log = log;
    this.counterOf = counterOf;
  }

  ejected({ url, key }: EjectionSubject, reason: number, forMs: number): void {
    this.counterOf(url).addAt(reason, 1);
    const fields = { service: this.service, target: key, reason: ejectionReasons[reason], forMs };
    this.log.warn("target ejected", fields);
  }

  returned({ key }: EjectionSubject, reason: number, afterMs: number): void {
    const fields = { service: this.service, target: key, reason: ejectionReasons[reason], afterMs };
    this.log.info("target returned", fields);
  }
}
