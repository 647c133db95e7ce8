/** How a service's targets share its requests while not all of them are as they should be, normalised. */
export interface RotationRules {
  /** Where less than this share of the targets is usable, all of them are used; 0: never. */
  readonly panicShare: number;
  /** null: who comes back gets its whole share at once. */
  readonly slowStart: SlowStartRules | null;
  /** Of the gateway; "" for none. */
  readonly zone: string;
}

export interface SlowStartRules {
  readonly windowMs: number;
  /** 1: the share grows evenly; above 1 faster at first. */
  readonly aggression: number;
  /** Share at the beginning, from 0 to 1. */
  readonly least: number;
}

/** Of services that say nothing. */
export const plainRules: RotationRules = { panicShare: 0.5, slowStart: null, zone: "" };
