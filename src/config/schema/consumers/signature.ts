import { z } from "zod";
import { hiddenText } from "../../../policy/values/hidden-text.ts";
import { Refusal } from "../../../policy/values/refusal.ts";
import { section } from "../../../policy/values/section.ts";
import { choice, text } from "../../../policy/values/text.ts";

/** A key that signs messages. */
export interface SignatureConfig {
  keyId: string;
  /** Name in RFC 9421 section 3.3; "": any that fits the key. */
  algorithm: string;
  /** Shared secret of an HMAC; "" for a public key. */
  secret: string;
  /** PEM text, or the path of a PEM file; "" for a secret. */
  publicKey: string;
}

/** RFC 9421 section 3.3. */
const ALGORITHMS = [
  "hmac-sha256",
  "ed25519",
  "ecdsa-p256-sha256",
  "ecdsa-p384-sha384",
  "rsa-pss-sha512",
  "rsa-v1_5-sha256",
] as const;

const SECRET_LENGTH_MIN = 32;

const secret = hiddenText(
  (written) => {
    if (written.length >= SECRET_LENGTH_MIN) return written;
    throw new Refusal(`a shared secret under ${SECRET_LENGTH_MIN} characters`);
  },
  { what: "a shared secret", hint: "make one with `openssl rand -base64 32`" },
);

/** An entry of `signatures`. */
export const signature = section({
  keyId: text("a key's id").describe("The `keyid` of its signatures."),
  secret: secret.optional().describe("Shared secret, for hmac-sha256. Or `publicKey`."),
  publicKey: text("a PEM text or file")
    .optional()
    .describe("Public key as PEM text, or the path of a PEM file. Or `secret`."),
  algorithm: choice(ALGORITHMS).optional().describe("The only one accepted. Default: by the key."),
}).transform((value, context): SignatureConfig => {
  const { keyId, secret: shared = "", publicKey = "", algorithm = "" } = value;
  const refuse = (message: string, hint: string): never => {
    context.issues.push({ code: "custom", message, params: { hint }, input: undefined });
    return z.NEVER;
  };
  if ((shared === "") === (publicKey === "")) {
    const message = shared === "" ? "names no key" : "secret and publicKey of one signature";
    return refuse(message, "write one of secret and publicKey");
  }
  if ((shared !== "") !== (algorithm === "hmac-sha256") && algorithm !== "") {
    const kind = shared === "" ? "a public key" : "a secret";
    return refuse(`${algorithm} with ${kind}`, "hmac-sha256 goes with a secret, the others do not");
  }
  return { keyId, algorithm, secret: shared, publicKey };
});
