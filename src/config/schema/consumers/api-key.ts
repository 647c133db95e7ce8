import { z } from "zod";
import { hashApiKey } from "../../../policy/api-key-hash.ts";
import { date } from "../../../policy/values/date.ts";
import { hiddenError, hiddenText } from "../../../policy/values/hidden-text.ts";
import { Refusal } from "../../../policy/values/refusal.ts";
import { parsedText } from "../../../policy/values/parsed-text.ts";
import { section } from "../../../policy/values/section.ts";
import { listOf, text } from "../../../policy/values/text.ts";

/** An API key as workers know it. */
export interface KeyConfig {
  /** SHA-256, hexadecimal. */
  hash: string;
  name: string;
  /** Epoch milliseconds; 0: never. */
  expiresAtMs: number;
  scopes: string[];
}

const BITS_MIN = 128;
const DISTINCT_MIN = 8;
const KEY_LENGTH_MAX = 512;
const HINT = "make one with `openssl rand -hex 32`, or let `gateward keys create` make it";

/**
 * Refuses what could be guessed: hashes of keys are as good as the keys are random. The bits are those of a
 * random text over the kinds of characters there are, which is the most that it can have.
 */
export function parseApiKey(key: string): string {
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new Refusal("an API key of other than visible ASCII characters", HINT);
  }
  if (key.length > KEY_LENGTH_MAX) {
    throw new Refusal(`an API key of ${key.length} characters`, `at most ${KEY_LENGTH_MAX}`);
  }
  const bits = Math.floor(key.length * Math.log2(alphabetOf(key)));
  if (bits < BITS_MIN || new Set(key).size < DISTINCT_MIN) {
    throw new Refusal(`an API key that could be guessed: under ${BITS_MIN} random bits`, HINT);
  }
  return hashApiKey(key);
}

function alphabetOf(key: string): number {
  if (/^\d+$/.test(key)) return 10;
  if (/^[\da-f-]+$/.test(key) || /^[\dA-F-]+$/.test(key)) return 16;
  const kinds = [
    [/[a-z]/, 26],
    [/[A-Z]/, 26],
    [/\d/, 10],
    [/[^a-zA-Z\d]/, 4],
  ] as const;
  return kinds.reduce((sum, [kind, count]) => sum + (kind.test(key) ? count : 0), 0);
}

const hash = parsedText(
  (written) => {
    const [, digest] = /^sha256:([\da-fA-F]{64})$/.exec(written) ?? [];
    if (digest !== undefined) return digest.toLowerCase();
    throw new Refusal("not the hash of an API key");
  },
  {
    what: "the hash of an API key",
    hint: "write sha256: and 64 hexadecimal digits, as of `printf %s KEY | sha256sum`",
    pattern: "^sha256:[0-9a-fA-F]{64}$",
  },
);

const value = hiddenText(parseApiKey, {
  what: "an API key",
  hint: "write it as an environment variable: ${MOBILE_KEY}",
  sample: "${MOBILE_KEY}",
});

const object = section({
  value: value
    .optional()
    .describe("The key, best from the environment. Only its hash is kept. Or `hash`."),
  hash: hash.optional().describe("`sha256:` and the SHA-256 of the key, hexadecimal. Or `value`."),
  name: text("a name").optional().describe("Tells it from the consumer's others, in logs."),
  expires: date().optional().describe("When it ends to hold: a date, or a moment with its zone."),
  scopes: listOf(text("a scope"), "a scope")
    .prefault([])
    .describe("Narrows it to these of the consumer's scopes. Default: all of them."),
}).transform(({ value: fromKey, hash: given, name = "", expires = 0, scopes }, context) => {
  const digest = fromKey ?? given;
  if (digest === undefined || (fromKey !== undefined && given !== undefined)) {
    const message = digest === undefined ? "names no key" : "value and hash of one key";
    const params = { hint: "write one of value and hash" };
    context.issues.push({ code: "custom", message, params, input: undefined });
    return z.NEVER;
  }
  return { hash: digest, name, expiresAtMs: expires, scopes };
});

const plain = value.transform((digest) => ({ hash: digest, name: "", expiresAtMs: 0, scopes: [] }));

const error = hiddenError(
  "an API key, a map, or a list of those",
  "write ${NAME}, or { value | hash, name, expires, scopes }",
);
const apiKey = z.union([plain, object], { error });

/** `keys`: each is the key itself, or a map; a single one may stand without the brackets. */
export const apiKeys: z.ZodType<KeyConfig[], ApiKeyInput | ApiKeyInput[]> = z.union(
  [z.array(apiKey, { error }), apiKey.transform((one) => [one])],
  { error },
);

type ApiKeyInput = z.input<typeof apiKey>;
