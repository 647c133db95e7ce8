import { parsedText } from "./parsed-text.ts";
import { Refusal } from "./refusal.ts";

const HINT = "write it like 20%";

/** `20%` -> 0.2. From 0% to 100%. */
export function parsePercent(text: string): number {
  const parts = /^(\d+(?:\.\d+)?)%$/.exec(text);
  if (parts === null) throw new Refusal(`${JSON.stringify(text)} is not a percentage`, HINT);
  const ratio = Number(parts[1]) / 100;
  if (ratio > 1) throw new Refusal(`${text} is more than the whole`, "at most 100%");
  return ratio;
}

/** Schema of a percentage; the output is a ratio between 0 and 1. */
export function percent() {
  const pattern = "^\\d+(\\.\\d+)?%$";
  return parsedText(parsePercent, { what: "a percentage", hint: HINT, pattern, sample: "20%" });
}
