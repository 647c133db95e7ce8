import { GenerationCache } from "../../base/generation-cache.ts";
import type { Exchange } from "../../policy/exchange.ts";
import type { QuotaPeriod } from "../../policy/quota-counts.ts";
import { parseDate } from "../../policy/values/date.ts";
import type { QuotaOptions } from "./quota-options.ts";
import { periodAt } from "./periods.ts";
import { timeZone, type TimeZone } from "./time-zone.ts";

/** Dates of consumers whose periods are remembered. */
const KEPT = 4096;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Finds the period in which a request counts; works one out only when the one before is over. */
export class PeriodFinder {
  private readonly options: QuotaOptions;
  private readonly zone: TimeZone;
  /** Key of the metadata with the date; "" where all callers have the same periods. */
  private readonly metadata: string;
  private readonly anchorMs: number | null;
  private shared: QuotaPeriod;
  private readonly own: GenerationCache<QuotaPeriod>;

  constructor(options: QuotaOptions) {
    const { anchor, timezone } = options;
    this.options = options;
    this.zone = timeZone(timezone);
    this.metadata = anchor !== undefined && "metadata" in anchor ? anchor.metadata : "";
    const date = anchor !== undefined && "date" in anchor ? anchor.date : "";
    this.anchorMs = date === "" ? null : momentOf(date, this.zone);
    this.shared = { startMs: Infinity, endMs: -Infinity };
    this.own = new GenerationCache(KEPT, Infinity);
  }

  /** A caller without a date has the periods of the calendar. */
  at({ identity }: Exchange, nowMs: number): QuotaPeriod {
    if (this.metadata !== "") {
      const date = identity?.consumer?.metadata[this.metadata];
      if (typeof date === "string") return this.ownPeriod(date, nowMs);
    }
    return this.sharedPeriod(nowMs);
  }

  private sharedPeriod(nowMs: number): QuotaPeriod {
    if (!holds(this.shared, nowMs)) this.shared = this.periodAt(nowMs, this.anchorMs);
    return this.shared;
  }

  private ownPeriod(date: string, nowMs: number): QuotaPeriod {
    const known = this.own.get(date);
    if (known !== undefined && holds(known, nowMs)) return known;
    const anchorMs = momentOf(date, this.zone);
    if (anchorMs === null) return this.sharedPeriod(nowMs);
    const period = this.periodAt(nowMs, anchorMs);
    this.own.set(date, period, 1);
    return period;
  }

  private periodAt(nowMs: number, anchorMs: number | null): QuotaPeriod {
    return periodAt(nowMs, this.options.period, this.zone, anchorMs);
  }
}

/** A day without a time begins where the periods do; null for what is no date. */
function momentOf(date: string, zone: TimeZone): number | null {
  try {
    const epochMs = parseDate(date);
    return DAY.test(date) ? zone.momentOf(epochMs) : epochMs;
  } catch {
    return null;
  }
}

function holds({ startMs, endMs }: QuotaPeriod, nowMs: number): boolean {
  return startMs <= nowMs && nowMs < endMs;
}
