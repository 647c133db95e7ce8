import { Fault, type FaultType } from "./faults.ts";

/** Faults kept; beyond as many seconds they are made anew. */
const KEPT = 120;

/** Faults that say when to try again (Retry-After, RFC 9110 section 10.2.3), made once for each second. */
export class RetryFaults {
  private readonly type: FaultType;
  private readonly kept: (Fault | undefined)[];
  private readonly never: Fault;

  constructor(type: FaultType) {
    this.type = type;
    this.kept = Array.from({ length: KEPT + 1 });
    this.never = new Fault(type);
  }

  /** @param retryMs rounded up to seconds, at least one; Infinity: no use in trying again */
  after(retryMs: number): Fault {
    if (retryMs === Infinity) return this.never;
    const seconds = Math.max(1, Math.ceil(retryMs / 1000));
    if (seconds > KEPT) return this.make(seconds);
    return (this.kept[seconds] ??= this.make(seconds));
  }

  private make(seconds: number): Fault {
    return new Fault(this.type, "", "", { "retry-after": String(seconds) });
  }
}
