import { z } from "zod";
import { isPasswordHash } from "../../../policy/password-hash.ts";
import { Refusal } from "../../../policy/values/refusal.ts";
import { hiddenText } from "../../../policy/values/hidden-text.ts";
import { parsedText } from "../../../policy/values/parsed-text.ts";
import { section } from "../../../policy/values/section.ts";
import { text } from "../../../policy/values/text.ts";

/** User name and password of a consumer. */
export interface BasicConfig {
  username: string;
  /** argon2id, a PHC string. Between the schema and `hashPasswords` it may be empty, and `password` is not. */
  hash: string;
  password?: string;
}

/** RFC 7617 section 2: the first colon ends the user name. */
const username = parsedText(
  (written) => {
    if (/^[^\p{Cc}:]{1,256}$/u.test(written)) return written.normalize("NFC");
    throw new Refusal(`${JSON.stringify(written)} is not a user name`);
  },
  { what: "a user name", hint: "without colons and control characters, at most 256" },
);

const password = hiddenText(
  (written) => {
    if (/^[^\p{Cc}]{8,256}$/u.test(written)) return written;
    throw new Refusal("a password that is too short, too long or has control characters");
  },
  { what: "a password", hint: "from 8 to 256 characters, best from the environment" },
);

const passwordHash = parsedText(
  (written) => {
    if (isPasswordHash(written)) return written;
    throw new Refusal("not an argon2id hash");
  },
  {
    what: "an argon2id hash",
    hint: "write it as a PHC string: $argon2id$v=19$m=19456,t=2,p=1$salt$hash",
  },
);

/** `basic`: what the consumer gives to `basic-auth`. */
export const basic = section({
  username: username.optional().describe("User name. Default: the consumer's name."),
  password: password.optional().describe("The password; only its argon2id hash is kept."),
  hash: passwordHash.optional().describe("Its argon2id hash instead, as a PHC string."),
}).transform(({ username: name = "", password: plain, hash = "" }, context): BasicConfig => {
  if ((plain === undefined) === (hash === "")) {
    const message = hash === "" ? "names no password" : "password and hash of one user";
    const params = { hint: "write one of password and hash" };
    context.issues.push({ code: "custom", message, params, input: undefined });
    return z.NEVER;
  }
  return { username: name, hash, ...(plain === undefined ? {} : { password: plain }) };
});

/** Names of tokens and their issuers are compared as they are. */
export const token = section({
  subject: text("a subject").describe("The token's `sub`."),
  issuer: text("an issuer")
    .optional()
    .describe("The token's `iss`. Default: any that a policy of the route accepts."),
}).transform(({ subject, issuer = "" }) => ({ subject, issuer }));

export type TokenConfig = z.output<typeof token>;
