import { randomInt } from "node:crypto";
import { crc32c } from "./crc32c.ts";

/**
 * The form of the keys that the gateway makes:
 *
 *     gw_7Qk0sWb2xJ4mNfTz8cVhRp1LdYe3_2kP9sX
 *        28 random letters and digits checksum, 6 of them
 *
 * The prefix and the checksum let scanners for leaked secrets be sure of what they found, and tell a slip of
 * the keyboard from a key that is gone. 28 of 62 characters are 166 bits.
 */
const PREFIX = "gw_";
const RANDOM_LENGTH = 28;
const CHECKSUM_LENGTH = 6;
const FORM = /^gw_[0-9A-Za-z]{28}_[0-9A-Za-z]{6}$/;
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** A new random key. */
export function createApiKey(): string {
  const start = PREFIX + randomWord(RANDOM_LENGTH);
  return `${start}_${checksum(start)}`;
}

/** `length` random letters and digits. */
export function randomWord(length: number): string {
  let word = "";
  for (let count = 0; count < length; count++) word += DIGITS[randomInt(DIGITS.length)]!;
  return word;
}

/** What a text is that might be a key of the gateway's making. */
export type ApiKeyForm = "intact" | "mistyped" | "other";

export function apiKeyForm(text: string): ApiKeyForm {
  if (!text.startsWith(PREFIX)) return "other";
  if (!FORM.test(text)) return "mistyped";
  const start = text.slice(0, PREFIX.length + RANDOM_LENGTH);
  return text.slice(start.length + 1) === checksum(start) ? "intact" : "mistyped";
}

function checksum(text: string): string {
  let rest = crc32c(Buffer.from(text, "latin1"), 0, text.length);
  let digits = "";
  for (let count = 0; count < CHECKSUM_LENGTH; count++) {
    digits = DIGITS[rest % DIGITS.length]! + digits;
    rest = Math.floor(rest / DIGITS.length);
  }
  return digits;
}
