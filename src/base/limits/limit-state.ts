// HOT
/**
 * What is kept of one key under one rule, and how it changes: five numbers in a row of an array.
 *
 *     SINCE     start of the current window; of a bucket, when it was last looked at (epoch ms)
 *     USED      costs in the current window; of a bucket, costs that have not flowed out
 *     BEFORE    costs in the window before; 0 but for sliding windows
 *     EXPIRES   from when on the row says no more than one of zeros would (epoch ms)
 *     SHARE     of the limit that was used at the last change: what the row matters
 *
 * A clock that goes backwards gives nothing back: for up to a window the old time holds on. One that jumps
 * further has been set, and the row begins anew.
 */
import { FIXED_WINDOW, TOKEN_BUCKET } from "./limit-rule.ts";
import type { LimitRule, LimitVerdict } from "./limit-rule.ts";

export const STATE_CELLS = 5;
const SINCE = 0;
const USED = 1;
const BEFORE = 2;
const EXPIRES = 3;
const SHARE = 4;

/** Costs flow out in fractions, and a sum of those misses a whole number by less than this. */
const SLACK = 1e-6;

/** Nothing used. */
export function startState(cells: Float64Array, at: number, rule: LimitRule, nowMs: number): void {
  const isBucket = rule.algorithm === TOKEN_BUCKET;
  cells[at + SINCE] = isBucket ? nowMs : nowMs - (nowMs % rule.windowMs);
  cells[at + USED] = 0;
  cells[at + BEFORE] = 0;
  cells[at + EXPIRES] = 0;
  cells[at + SHARE] = 0;
}

/** Brings a row to the present. */
export function advanceState(
  cells: Float64Array,
  at: number,
  rule: LimitRule,
  nowMs: number,
): void {
  const since = cells[at + SINCE]!;
  const { windowMs } = rule;
  if (since - nowMs > windowMs) {
    startState(cells, at, rule, nowMs);
  } else if (rule.algorithm === TOKEN_BUCKET) {
    if (nowMs <= since) return;
    const left = cells[at + USED]! - ((nowMs - since) * rule.refill) / windowMs;
    cells[at + USED] = left > 0 ? left : 0;
    cells[at + SINCE] = nowMs;
  } else if (nowMs - since >= windowMs) {
    const start = nowMs - (nowMs % windowMs);
    const isNext = start - since === windowMs && rule.algorithm !== FIXED_WINDOW;
    cells[at + BEFORE] = isNext ? cells[at + USED]! : 0;
    cells[at + USED] = 0;
    cells[at + SINCE] = start;
  }
}

/** Costs that count against the limit now; of a row that is at the present. */
function usedOf(cells: Float64Array, at: number, rule: LimitRule, nowMs: number): number {
  const before = cells[at + BEFORE]!;
  const used = cells[at + USED]!;
  return before === 0 ? used : used + before * (1 - elapsedOf(cells, at, nowMs) / rule.windowMs);
}

/** Milliseconds since the start of the current window. */
function elapsedOf(cells: Float64Array, at: number, nowMs: number): number {
  const elapsed = nowMs - cells[at + SINCE]!;
  return elapsed > 0 ? elapsed : 0;
}

/** Says what `cost` would meet; of a row that is at the present. */
export function judge(
  cells: Float64Array,
  at: number,
  rule: LimitRule,
  cost: number,
  nowMs: number,
  verdict: LimitVerdict,
): void {
  const left = rule.limit - usedOf(cells, at, rule, nowMs);
  verdict.allowed = cost <= left + SLACK;
  verdict.remaining = left > 0 ? left : 0;
  verdict.resetMs = resetOf(cells, at, rule, nowMs);
  verdict.retryMs = verdict.allowed ? 0 : retryOf(cells, at, rule, cost, nowMs);
}

/** Adds a cost, or takes one away, and says anew how long the row matters. */
export function addCost(
  cells: Float64Array,
  at: number,
  rule: LimitRule,
  cost: number,
  nowMs: number,
): void {
  let used = cells[at + USED]! + cost;
  if (used < 0) {
    // What is given back was taken just before the window's end.
    const before = cells[at + BEFORE]! + used;
    cells[at + BEFORE] = before > 0 ? before : 0;
    used = 0;
  }
  cells[at + USED] = used;
  cells[at + EXPIRES] = nowMs + resetOf(cells, at, rule, nowMs);
  cells[at + SHARE] = usedOf(cells, at, rule, nowMs) / rule.limit;
}

export function isExpired(cells: Float64Array, at: number, nowMs: number): boolean {
  return cells[at + EXPIRES]! <= nowMs;
}

/** Whether less would be forgotten with the row at `at` than with the one at `other`. */
export function mattersLess(cells: Float64Array, at: number, other: number): boolean {
  const difference = cells[at + SHARE]! - cells[other + SHARE]!;
  return difference < 0 || (difference === 0 && cells[at + EXPIRES]! < cells[other + EXPIRES]!);
}

function resetOf(cells: Float64Array, at: number, rule: LimitRule, nowMs: number): number {
  const { windowMs } = rule;
  const used = cells[at + USED]!;
  const elapsed = elapsedOf(cells, at, nowMs);
  if (rule.algorithm === TOKEN_BUCKET) return (used * windowMs) / rule.refill;
  if (rule.algorithm === FIXED_WINDOW) return used === 0 ? 0 : windowMs - elapsed;
  if (used > 0) return 2 * windowMs - elapsed;
  return cells[at + BEFORE] === 0 ? 0 : windowMs - elapsed;
}

function retryOf(
  cells: Float64Array,
  at: number,
  rule: LimitRule,
  cost: number,
  nowMs: number,
): number {
  const { windowMs } = rule;
  const room = rule.limit - cost;
  if (room < 0) return Infinity;
  const used = cells[at + USED]!;
  if (rule.algorithm === TOKEN_BUCKET) return ((used - room) * windowMs) / rule.refill;
  const elapsed = elapsedOf(cells, at, nowMs);
  const leftMs = windowMs - elapsed;
  if (rule.algorithm === FIXED_WINDOW) return leftMs;
  // While this window lasts its own costs stay, and those of the one before shrink evenly to nothing.
  if (used <= room) return leftMs - ((room - used) / cells[at + BEFORE]!) * windowMs;
  return leftMs + (1 - room / used) * windowMs;
}
