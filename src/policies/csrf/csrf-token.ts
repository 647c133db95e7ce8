import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";

const NONCE_BYTES = 16;
const TOKEN = /^[\w-]{64}$/;

/**
 * Tokens that prove that a page could read a cookie: a random part and a signature over it and over whose
 * session it is for. A token that somebody else was given, and planted here, is not for this session.
 */
export class CsrfTokens {
  private readonly keys: readonly Buffer[];

  /** @param secrets the first signs, each verifies */
  constructor(secrets: readonly string[]) {
    this.keys = secrets.map((secret) =>
      Buffer.from(hkdfSync("sha256", secret, "", "gateward csrf token v1", 32)),
    );
  }

  /** 64 characters of base64url. */
  issue(session: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    return Buffer.concat([nonce, macOf(this.keys[0]!, nonce, session)]).toString("base64url");
  }

  isFor(token: string, session: string): boolean {
    if (!TOKEN.test(token)) return false;
    const bytes = Buffer.from(token, "base64url");
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const mac = bytes.subarray(NONCE_BYTES);
    for (const key of this.keys) {
      if (timingSafeEqual(macOf(key, nonce, session), mac)) return true;
    }
    return false;
  }
}

function macOf(key: Buffer, nonce: Buffer, session: string): Buffer {
  return createHmac("sha256", key).update(nonce).update(session).digest();
}
