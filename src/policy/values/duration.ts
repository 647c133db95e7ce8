import { parsedText } from "./parsed-text.ts";
import { Refusal } from "./refusal.ts";
import { shown } from "./shown.ts";

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof UNIT_MS;

const PART = "\\d+(?:\\.\\d+)?(?:ms|s|m|h|d)";
const WHOLE = new RegExp(`^(?:${PART})+$`);
const HINT = "write it with a unit (ms, s, m, h, d), like 500ms, 1.5s or 1m30s";

/** The longest delay a timer of the platform takes: 2^31 - 1 ms, a little under 25 days. */
export const TIMER_MS_MAX = 2_147_483_647;

interface DurationOptions {
  /** Shortest accepted, ms. Default 1: a limit of no time at all is a slip. */
  minMs?: number;
  /** Longest accepted, ms. Default: what a timer can count. */
  maxMs?: number;
  /** Accepts `none`, which becomes 0: no limit. */
  none?: boolean;
}

/** `500ms`, `1.5s`, `1m`, `2h`, `1d` or several in a row (`1m30s`) -> whole milliseconds. */
export function parseDuration(text: string): number {
  if (!WHOLE.test(text)) throw new Refusal(whatIsWrong(text), hintFor(text));
  let totalMs = 0;
  for (const part of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    totalMs += Number(part[1]) * UNIT_MS[part[2] as Unit];
  }
  // Decimal fractions are inexact in binary (1.1s is 1100.0000000000002 ms): forgive that only.
  const wholeMs = Math.round(totalMs);
  if (Math.abs(totalMs - wholeMs) > 1e-6) {
    throw new Refusal(`${text} is finer than a millisecond`, "the finest step is 1ms");
  }
  if (!Number.isSafeInteger(wholeMs)) throw new Refusal(`${text} is too long`);
  return wholeMs;
}

/** The shortest way to write `ms`, which `parseDuration` reads back: 90000 -> `1m30s`. */
export function formatDuration(ms: number): string {
  let rest = ms;
  let text = "";
  for (const unit of ["d", "h", "m", "s", "ms"] as const) {
    const count = Math.floor(rest / UNIT_MS[unit]);
    if (count === 0) continue;
    text += `${count}${unit}`;
    rest -= count * UNIT_MS[unit];
  }
  return text === "" ? "0ms" : text;
}

/** Schema of a duration; the output is milliseconds. */
export function duration(options: DurationOptions = {}) {
  const { minMs = 1, maxMs = TIMER_MS_MAX, none = false } = options;
  return parsedText(
    (text) => {
      if (none && text === "none") return 0;
      const ms = parseDuration(text);
      if (ms < minMs) {
        const least = `at least ${formatDuration(minMs)}`;
        throw new Refusal(`${text} is too short`, none ? `${least}, or none` : least);
      }
      if (ms > maxMs) throw new Refusal(`${text} is too long`, `at most ${formatDuration(maxMs)}`);
      return ms;
    },
    {
      what: none ? "a duration or none" : "a duration",
      hint: none ? `${HINT}, or none` : HINT,
      pattern: none ? `^(none|(${PART})+)$` : `^(${PART})+$`,
      sample: "10s",
      hintFor: (input) => (typeof input === "number" ? hintFor(String(input)) : undefined),
    },
  );
}

/**
 * The error of a union that has a duration among its forms: a number is a duration without its unit,
 * anything else gets the whole choice.
 */
export function durationOr(forms: string) {
  return ({ input }: { input?: unknown }): string => {
    if (typeof input !== "number") return `expected ${forms}, found ${shown(input)}`;
    return `expected a duration, found ${input}; ${hintFor(String(input))}`;
  };
}

function whatIsWrong(text: string): string {
  return `${JSON.stringify(text)} is not a duration`;
}

function hintFor(text: string): string {
  if (/^\d+(\.\d+)?$/.test(text)) return `write the unit: ${text}s or ${text}ms`;
  const spaced = text.replaceAll(/\s+/g, "").toLowerCase();
  if (spaced !== text && WHOLE.test(spaced)) return `write ${spaced}`;
  return HINT;
}
