/** signature-options: how `http-signature` is configured, and what makes no sense in it. */
import { z } from "zod";
import type { OptionMistake, PolicySurroundings } from "../../policy/policy.ts";
import { duration } from "../../policy/values/duration.ts";
import { flag } from "../../policy/values/number.ts";
import { section } from "../../policy/values/section.ts";
import { choice, listOf, text } from "../../policy/values/text.ts";
import { ALGORITHMS, isPem, verificationKey } from "./verification-key.ts";

/** A key of the policy's own. */
export interface KeyOptions {
  keyId: string;
  /** Shared secret; "" for a public key. `check --print` hides what has this name. */
  secret: string;
  /** PEM text, or the path of a PEM file; "" for a secret. */
  publicKey: string;
  /** "" for all that fit the key. */
  algorithm: string;
  /** "" for a key that belongs to no consumer. */
  consumer: string;
}

/** Of a request, without the parts that need a parameter to be named. */
const DERIVED = [
  "@method",
  "@authority",
  "@scheme",
  "@target-uri",
  "@request-target",
  "@path",
  "@query",
];
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

const SECRET_LENGTH_MIN = 32;
const secret = text("a shared secret").min(SECRET_LENGTH_MIN, {
  error: `shorter than ${SECRET_LENGTH_MIN} characters; openssl rand -base64 32 makes a good one`,
});

const key = section({
  keyId: text("a key's id").describe("The `keyid` of its signatures."),
  secret: secret
    .optional()
    .describe(
      "Shared secret, for hmac-sha256; `base64:` before one that is bytes. Or `publicKey`.",
    ),
  publicKey: text("a PEM text or file")
    .optional()
    .describe("Public key as PEM text, or the path of a PEM file. Or `secret`."),
  algorithm: choice(ALGORITHMS).optional().describe("The only one accepted. Default: by the key."),
  consumer: text("a consumer").optional().describe("Who signs with it."),
}).transform((value, context): KeyOptions => {
  const { keyId, secret: shared = "", publicKey = "", algorithm = "", consumer = "" } = value;
  if ((shared === "") === (publicKey === "")) {
    const params = { hint: "write one of secret and publicKey" };
    const message = shared === "" ? "names no key" : "two keys";
    context.issues.push({ code: "custom", message, params, input: undefined });
    return z.NEVER;
  }
  return { keyId, secret: shared, publicKey, algorithm, consumer };
});

const component = text("a component").refine(
  (name) => DERIVED.includes(name) || FIELD_NAME.test(name),
  { error: `not a component; a header's name in lower case, or one of ${DERIVED.join(", ")}` },
);

export const signatureSchema = section({
  keys: listOf(key, "a key")
    .prefault([])
    .describe("Keys beside those that consumers have in their `signatures`."),
  components: listOf(component, "a component")
    .prefault(["@method", "@authority", "@path", "@query"])
    .describe("What every signature has to cover."),
  contentDigest: flag()
    .prefault(true)
    .describe("Requests with a body have to cover `content-digest` too."),
  maxAge: duration()
    .prefault("5m")
    .describe("How long after `created` a signature holds, unless its `expires` is earlier."),
  leeway: duration({ none: true, minMs: 1000 })
    .prefault("30s")
    .describe("How far the client's clock may be ahead."),
  tag: text("a tag")
    .optional()
    .describe("Only signatures with this `tag` count; others are passed over."),
  replay: choice(["memory", "redis", "none"])
    .prefault("memory")
    .describe("Where it is remembered which signatures have come; `none`: they may come again."),
}).prefault({});

export type SignatureOptions = z.output<typeof signatureSchema>;

export function checkSignature(
  { keys, components, replay }: SignatureOptions,
  { consumers, hasRedis }: PolicySurroundings,
): OptionMistake[] {
  const mistakes: OptionMistake[] = [];
  for (const [index, { keyId, secret: shared, publicKey, algorithm, consumer }] of keys.entries()) {
    const path = ["keys", index];
    if (keys.findIndex((one) => one.keyId === keyId) < index) {
      mistakes.push({ path, message: `a second key with the id ${JSON.stringify(keyId)}` });
    }
    if (consumer !== "" && !consumers.includes(consumer)) {
      const message = `the document has no consumer ${JSON.stringify(consumer)}`;
      mistakes.push({ path, message, isWarning: true });
    }
    try {
      if (!isKeyFile(publicKey)) {
        verificationKey(shared === "" ? { publicKey } : { secret: shared }, algorithm);
      }
    } catch (error) {
      mistakes.push({ path, message: error instanceof Error ? error.message : "not a key" });
    }
  }
  if (replay === "redis" && !hasRedis) {
    mistakes.push({
      path: ["replay"],
      message: "there is no redis",
      hint: "add redis to the document",
    });
  }
  for (const [what, ...names] of [["method", "@method"], PATHS] as const) {
    if (names.some((name) => components.includes(name))) continue;
    const message = `a signature need not cover the ${what}: it can be used for another request`;
    mistakes.push({ path: ["components"], message, hint: `add ${names[0]}`, isWarning: true });
  }
  return mistakes;
}

const PATHS = ["path", "@path", "@target-uri", "@request-target"] as const;

/** Whether it is the path of a file, and neither PEM text nor nothing. */
export function isKeyFile(publicKey: string): boolean {
  return publicKey !== "" && !isPem(publicKey);
}

export function filesOf({ keys }: SignatureOptions): string[] {
  return keys.flatMap(({ publicKey }) => (isKeyFile(publicKey) ? [publicKey] : []));
}
