import type { Exchange } from "./exchange.ts";

/**
 * What a policy has asked behind a client's back, for what it has just answered out of its memory: one more
 * exchange with the same request, which nobody waits for. It meets the policies behind that one, on the way back
 * that one too; those before it, and the caller's own, neither see nor count it.
 */
export interface Refresh {
  /** Whether there is anything to be asked, and this use is the one to ask it. Called when the answer is given. */
  begin(): boolean | Promise<boolean>;
  /** After `begin` was true: makes `exchange` ready, before it meets any policy. Its end is told by `onEnd`. */
  prepare(exchange: Exchange): void;
}
