// HOT
import type { Fields } from "../wire/fields.ts";
import { VIA } from "../wire/known-header.ts";

/** What the gateway calls itself in Via; every instance alike. */
const PSEUDONYM = "gateward";
/**
 * Gateways of this name that a request may have passed. Chains of a few are sound (an edge, a region, a
 * cluster); a loop is ended while it is still cheap.
 */
export const PASSES_MAX = 10;

const SPACE = 0x20;
const TAB = 0x09;
const COMMA = 0x2c;

/**
 * Whether Via (RFC 9110 section 7.6.3) says that a request goes round: some target leads back here, over
 * however many hops. To be asked only of a request that has the field.
 */
export function isForwardingLoop(fields: Fields): boolean {
  const { ids, count } = fields;
  let passes = 0;
  for (let index = 0; index < count; index++) {
    if (ids[index] === VIA) passes += passesIn(fields.valueAt(index));
  }
  return passes > PASSES_MAX;
}

/** Words that are the pseudonym; one inside a comment counts too, which no proxy writes by chance so often. */
function passesIn(value: string): number {
  let passes = 0;
  let at = value.indexOf(PSEUDONYM);
  while (at >= 0) {
    const end = at + PSEUDONYM.length;
    if (isGap(value, at - 1) && (isGap(value, end) || value.charCodeAt(end) === COMMA)) passes++;
    at = value.indexOf(PSEUDONYM, end);
  }
  return passes;
}

/** White space, or beyond either end. */
function isGap(value: string, at: number): boolean {
  if (at < 0 || at >= value.length) return true;
  const code = value.charCodeAt(at);
  return code === SPACE || code === TAB;
}
