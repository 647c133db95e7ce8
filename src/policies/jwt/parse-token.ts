import { parseStrictJson, type JsonObject } from "../../base/strict-json.ts";
import type { TokenFlaw } from "../../policy/token/token-flaw.ts";
import { algorithmNamed, type AlgorithmName } from "./algorithms.ts";

/** Of the encoded header. Its useful members are short; `x5c` may come along, and is ignored. */
const HEADER_LENGTH_MAX = 8192;
const KEY_ID_LENGTH_MAX = 512;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/** A token taken apart; nothing of it is proved. */
export interface ParsedToken {
  readonly algorithm: AlgorithmName;
  /** `kid`; "" without one. */
  readonly keyId: string;
  /** `typ` in lower case, without `application/`; "" without one. */
  readonly type: string;
  readonly claims: JsonObject;
  /** What the signature is about. */
  readonly signed: string;
  readonly signature: Buffer;
}

/**
 * A token in the compact serialization (RFC 7515 section 7.1). Everything the header says of where a key
 * could come from (`jku`, `jwk`, `x5u`, `x5c`) is ignored: a token does not choose what proves it.
 */
export function parseToken(token: string): ParsedToken | TokenFlaw {
  const first = token.indexOf(".");
  const second = token.indexOf(".", first + 1);
  if (first < 1 || first > HEADER_LENGTH_MAX || second === -1) return "token-malformed";
  if (token.includes(".", second + 1)) return "token-malformed";
  const header = decodeObject(token.slice(0, first));
  if (header === null) return "token-malformed";
  const { alg, kid, typ, crit } = header;
  const algorithm = algorithmNamed(alg);
  if (algorithm === null) return "algorithm";
  // None of the extensions that one may have to understand (RFC 7515 section 4.1.11) is.
  if (crit !== undefined || "b64" in header) return "critical-header";
  const keyId = kid ?? "";
  const type = typ ?? "";
  if (typeof keyId !== "string" || keyId.length > KEY_ID_LENGTH_MAX) return "token-malformed";
  if (typeof type !== "string") return "token-malformed";
  const claims = decodeObject(token.slice(first + 1, second));
  const signature = decodeBase64Url(token.slice(second + 1));
  if (claims === null || signature === null) return "token-malformed";
  return {
    algorithm,
    keyId,
    type: parseTokenType(type),
    claims,
    signed: token.slice(0, second),
    signature,
  };
}

/** `application/at+jwt` is `at+jwt` (RFC 7515 section 4.1.9); media types heed no case. */
export function parseTokenType(typ: string): string {
  const lower = typ.toLowerCase();
  return lower.startsWith("application/") ? lower.slice("application/".length) : lower;
}

function decodeObject(text: string): JsonObject | null {
  const bytes = decodeBase64Url(text);
  return bytes === null ? null : parseStrictJson(bytes);
}

/**
 * base64url without padding, in the only spelling of its bytes: `Buffer.from` alone skips what it does not
 * know, and several texts would be one token.
 *
 * @returns null for anything else, and for nothing
 */
export function decodeBase64Url(text: string): Buffer | null {
  if (!BASE64URL.test(text)) return null;
  const bytes = Buffer.from(text, "base64url");
  const rest = text.length & 3;
  if (rest === 0) return bytes;
  // The last character has bits that stand for nothing and have to be 0.
  return bytes.toString("base64url", bytes.length - (bytes.length % 3)) === text.slice(-rest)
    ? bytes
    : null;
}
