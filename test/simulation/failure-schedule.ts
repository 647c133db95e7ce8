import type { Random } from "../../src/base/random.ts";

/** What a target does with every request for a while. */
export type Mode =
  | "good"
  /** Answers 500. */
  | "failing"
  /** Answers 503. */
  | "unavailable"
  /** Answers well, after seconds. */
  | "slow"
  /** Never answers. */
  | "hanging"
  /** Takes no connection. */
  | "refusing"
  /** Takes the request and closes the connection. */
  | "resetting"
  /** Answers one in two with 500. */
  | "flaky";

/** From `fromMs` until the next spell begins. */
export interface Spell {
  fromMs: number;
  mode: Mode;
}

/** The spells of one target, in order; the first begins at 0. */
export type Timeline = readonly Spell[];

const TROUBLES: readonly Mode[] = [
  "failing",
  "unavailable",
  "slow",
  "hanging",
  "refusing",
  "resetting",
  "flaky",
];

/**
 * Timelines of so many targets: trouble and peace in turns of 1 to 15 s until `troubleMs`, good for ever after. The
 * first target is good all the time where `sparesFirst` says so.
 */
export function failureSchedule(
  random: Random,
  targets: number,
  troubleMs: number,
  sparesFirst: boolean,
): Timeline[] {
  return Array.from({ length: targets }, (_, index) =>
    index === 0 && sparesFirst ? [{ fromMs: 0, mode: "good" }] : timeline(random, troubleMs),
  );
}

function timeline(random: Random, troubleMs: number): Spell[] {
  const spells: Spell[] = [{ fromMs: 0, mode: "good" }];
  let atMs = 1000 + random.below(10_000);
  while (atMs < troubleMs) {
    spells.push({ fromMs: atMs, mode: TROUBLES[random.below(TROUBLES.length)]! });
    atMs += 1000 + random.below(14_000);
    if (random.below(3) === 0) continue;
    spells.push({ fromMs: atMs, mode: "good" });
    atMs += 1000 + random.below(14_000);
  }
  spells.push({ fromMs: troubleMs, mode: "good" });
  return spells.filter(({ fromMs }) => fromMs <= troubleMs);
}

export function modeAt(spells: Timeline, atMs: number): Mode {
  let mode: Mode = "good";
  for (const spell of spells) if (spell.fromMs <= atMs) ({ mode } = spell);
  return mode;
}

/** Since when a target that is good at `atMs` has been; -Infinity where it has never failed, Infinity where it is not. */
export function goodSince(spells: Timeline, atMs: number): number {
  let sinceMs = -Infinity;
  for (const { fromMs, mode } of spells) {
    if (fromMs > atMs) break;
    if (mode !== "good") sinceMs = Infinity;
    else if (sinceMs === Infinity) sinceMs = fromMs;
  }
  return sinceMs;
}
