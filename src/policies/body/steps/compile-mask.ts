import { createHmac } from "node:crypto";
import { isMap, scalarText, type Json } from "../json-value.ts";

export interface MaskSettings {
  readonly with: "text" | "last" | "hash";
  readonly text: string;
  readonly keep: number;
  readonly secret?: string | undefined;
}

const HASH_LENGTH = 32;

/** What takes the place of a value that is not to be seen. Nulls stay. */
export type Mask = (value: Json) => Json;

export function compileMask({ with: how, text, keep, secret = "" }: MaskSettings): Mask {
  if (how === "last") return (value) => maskedBut(value, keep, text);
  if (how === "hash") return (value) => hashed(value, secret);
  return (value) => (value === null ? null : text);
}

/**
 * `************1234`. A value shorter than twice what is kept is hidden whole, because the rest would be
 * guessed soon.
 */
function maskedBut(value: Json, keep: number, text: string): Json {
  if (value === null) return null;
  if (Array.isArray(value) || isMap(value)) return text;
  const characters = Array.from(scalarText(value)!);
  if (typeof value === "boolean" || characters.length < keep * 2) return text;
  return "*".repeat(characters.length - keep) + characters.slice(-keep).join("");
}

/** Equal values stay equal, and nobody without the secret finds out which by trying all that there are. */
function hashed(value: Json, secret: string): Json {
  if (value === null) return null;
  const text = scalarText(value) ?? JSON.stringify(value);
  return createHmac("sha256", secret).update(text).digest("hex").slice(0, HASH_LENGTH);
}
