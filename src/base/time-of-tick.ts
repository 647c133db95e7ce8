import { type SharedClock, TICK_MS } from "./shared-clock.ts";

/** A tick as the time of day, RFC 3339; null for 0, which is none. */
export function timeOfTick(tick: number, clock: SharedClock): string | null {
  if (tick === 0) return null;
  return new Date(Date.now() + (tick - clock.tick) * TICK_MS).toISOString();
}
