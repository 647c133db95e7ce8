import { z } from "zod";
import { expected } from "./expected.ts";
import { parsedText } from "./parsed-text.ts";
import { Refusal } from "./refusal.ts";

const UNIT_BYTES = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4 } as const;
type Unit = keyof typeof UNIT_BYTES;

const WHOLE = /^(\d+(?:\.\d+)?)(b|kb|mb|gb|tb)$/;
const HINT = "write it like 512b, 64kb, 10mb or 1gb (1kb is 1024 bytes)";

interface SizeOptions {
  /** Least accepted, bytes. Default 1. */
  minBytes?: number;
  /** Most accepted, bytes. Default: no bound. */
  maxBytes?: number;
  /** Accepts `none`, which becomes 0: no limit. */
  none?: boolean;
}

/** `512b`, `64kb`, `1.5mb`, `1gb` -> whole bytes. Multiples are binary: 1kb is 1024 bytes. */
export function parseSize(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  const lower = text.toLowerCase().replace(/ib$/, "b");
  const parts = WHOLE.exec(lower);
  if (parts === null) throw new Refusal(`${JSON.stringify(text)} is not a size`, HINT);
  const bytes = Number(parts[1]) * UNIT_BYTES[parts[2] as Unit];
  if (!Number.isSafeInteger(bytes)) throw new Refusal(`${text} is not a whole number of bytes`);
  return bytes;
}

/** The shortest exact way to write `bytes`, which `parseSize` reads back: 65536 -> `64kb`. */
export function formatSize(bytes: number): string {
  for (const unit of ["tb", "gb", "mb", "kb"] as const) {
    if (bytes !== 0 && bytes % UNIT_BYTES[unit] === 0) return `${bytes / UNIT_BYTES[unit]}${unit}`;
  }
  return `${bytes}b`;
}

/** Schema of a size; a bare number is bytes. The output is bytes. */
export function size(options: SizeOptions = {}) {
  const { minBytes = 1, maxBytes = Number.MAX_SAFE_INTEGER, none = false } = options;
  const hint = none ? `${HINT}, or none` : HINT;
  const checked = (bytes: number): number => {
    if (bytes < minBytes) {
      const least = `at least ${formatSize(minBytes)}`;
      throw new Refusal(`${formatSize(bytes)} is too small`, none ? `${least}, or none` : least);
    }
    if (bytes > maxBytes) {
      throw new Refusal(`${formatSize(bytes)} is too large`, `at most ${formatSize(maxBytes)}`);
    }
    return bytes;
  };
  const written = parsedText((text) => (none && text === "none" ? 0 : checked(parseSize(text))), {
    what: none ? "a size or none" : "a size",
    hint,
    pattern: `^(${none ? "none|" : ""}\\d+|\\d+(\\.\\d+)?([kKmMgGtT][iI]?)?[bB])$`,
    sample: "64kb",
  });
  const bytes = z.int({
    error: expected("a size", hint),
  });
  const counted = bytes.transform((value, context) => {
    try {
      return checked(value);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const params = { hint: error.hint };
      context.issues.push({ code: "custom", message: error.message, params, input: value });
      return z.NEVER;
    }
  });
  return z.union([written, counted], {
    error: expected("a size", hint),
  });
}
