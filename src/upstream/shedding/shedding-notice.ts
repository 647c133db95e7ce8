// HOT
import { Deadline } from "../../base/deadline-wheel.ts";
import type { DeadlineWheel } from "../../base/deadline-wheel.ts";
import type { SharedClock } from "../../base/shared-clock.ts";
import type { Log } from "../../base/log/log.ts";
import { REFUSED, REFUSED_AT, SHEDDING } from "./concurrency-record.ts";
import type { ConcurrencyRecord } from "./concurrency-record.ts";

/** Shedding is over when nothing has been refused for so long. */
const QUIET_MS = 5000;
const LOOKS_EVERY_MS = 1000;
const QUIET_TICKS = QUIET_MS / 100;

/** Says once for all workers when a service's requests begin to be refused, and when that is over. */
export class SheddingNotice extends Deadline {
  private readonly service: string;
  private readonly record: ConcurrencyRecord;
  private readonly clock: SharedClock;
  private readonly wheel: DeadlineWheel;
  private readonly log: Log;
  private looks: boolean;

  constructor(service: string, record: ConcurrencyRecord, parts: NoticeParts) {
    super();
    this.service = service;
    this.record = record;
    this.clock = parts.clock;
    this.wheel = parts.wheel;
    this.log = parts.log;
    this.looks = false;
  }

  refused(tick: number): void {
    const { cells } = this.record;
    Atomics.store(cells, REFUSED_AT, tick);
    Atomics.add(cells, REFUSED, 1);
    if (!this.looks) {
      this.looks = true;
      this.wheel.set(this, LOOKS_EVERY_MS);
    }
    if (cells[SHEDDING] !== 0 || Atomics.compareExchange(cells, SHEDDING, 0, 1) !== 0) return;
    const { service, record } = this;
    this.log.warn("load shedding begins", { service, limit: record.limit });
  }

  override onDeadline(): void {
    const { cells } = this.record;
    if (this.clock.tick - Atomics.load(cells, REFUSED_AT) < QUIET_TICKS) {
      this.wheel.set(this, LOOKS_EVERY_MS);
      return;
    }
    this.looks = false;
    if (Atomics.compareExchange(cells, SHEDDING, 1, 0) !== 1) return;
    const refused = Atomics.exchange(cells, REFUSED, 0);
    const { service, record } = this;
    this.log.info("load shedding ends", { service, refused, limit: record.limit });
  }
}

export interface NoticeParts {
  clock: SharedClock;
  wheel: DeadlineWheel;
  log: Log;
}
