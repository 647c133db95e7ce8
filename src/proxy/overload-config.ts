/** `overload`, normalised: from where on a worker refuses requests. */
export interface OverloadConfig {
  /** How long its events may wait; 0: any time. */
  eventLoopMs: number;
  /** How much of the memory that it may have is used, from 0 to 1; 1: any. */
  memoryShare: number;
}
