import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";

const VERSION = 1;
const KEY_ID_BYTES = 4;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const EXPIRY_BYTES = 6;
const HEAD_BYTES = 1 + KEY_ID_BYTES + SALT_BYTES + NONCE_BYTES;
const BYTES_MIN = HEAD_BYTES + EXPIRY_BYTES + TAG_BYTES;
const BASE64URL = /^[\w-]+$/;

interface SealingKey {
  /** Tells which secret of the ring it was; reveals nothing of it. */
  readonly id: Buffer;
  readonly secret: Buffer;
}

/**
 * Texts that only the gateway can make and read, and that end by themselves:
 *
 *     version 1 | key id 4 | salt 16 | nonce 12 | AES-256-GCM of (expiry 6, text) | tag 16     as base64url
 *
 * Each is sealed under a key of its own, derived from secret and salt, so that the number of texts under one
 * secret needs no bound (NIST SP 800-38D, section 8.3, would have one at 2^32). About 8 us for a kilobyte.
 */
export class CookieSealer {
  private readonly keys: readonly SealingKey[];
  private readonly purpose: string;

  /**
   * @param secrets the first seals, each opens.
   * @param purpose what is sealed for one purpose cannot be opened for another.
   */
  constructor(secrets: readonly string[], purpose: string) {
    this.keys = secrets.map(deriveKey);
    this.purpose = purpose;
  }

  /**
   * @param context has to be the same when it is opened: the name of the cookie.
   * @param expiresAtMs epoch milliseconds.
   */
  seal(text: string, context: string, expiresAtMs: number): string {
    const key = this.keys[0]!;
    const random = randomBytes(SALT_BYTES + NONCE_BYTES);
    const salt = random.subarray(0, SALT_BYTES);
    const head = Buffer.concat([Buffer.of(VERSION), key.id, random]);
    const plain = Buffer.allocUnsafe(EXPIRY_BYTES + Buffer.byteLength(text));
    plain.writeUIntBE(Math.max(0, Math.floor(expiresAtMs)), 0, EXPIRY_BYTES);
    plain.write(text, EXPIRY_BYTES);
    const nonce = random.subarray(SALT_BYTES);
    const cipher = createCipheriv("aes-256-gcm", keyFor(key, salt), nonce);
    cipher.setAAD(this.boundTo(head, context));
    const parts = [head, cipher.update(plain), cipher.final(), cipher.getAuthTag()];
    return Buffer.concat(parts).toString("base64url");
  }

  /** null for what was not sealed here for this, was changed, or has ended. */
  open(sealed: string, context: string, nowMs: number): string | null {
    if (!BASE64URL.test(sealed)) return null;
    const bytes = Buffer.from(sealed, "base64url");
    if (bytes.length < BYTES_MIN || bytes[0] !== VERSION) return null;
    const key = this.keyNamed(bytes.subarray(1, 1 + KEY_ID_BYTES));
    if (key === undefined) return null;
    const head = bytes.subarray(0, HEAD_BYTES);
    const salt = head.subarray(1 + KEY_ID_BYTES, 1 + KEY_ID_BYTES + SALT_BYTES);
    const nonce = head.subarray(HEAD_BYTES - NONCE_BYTES);
    const options = { authTagLength: TAG_BYTES };
    const decipher = createDecipheriv("aes-256-gcm", keyFor(key, salt), nonce, options);
    decipher.setAAD(this.boundTo(head, context));
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
    const plain = decipher.update(bytes.subarray(HEAD_BYTES, bytes.length - TAG_BYTES));
    try {
      decipher.final();
    } catch {
      return null;
    }
    if (nowMs >= plain.readUIntBE(0, EXPIRY_BYTES)) return null;
    return plain.toString("utf8", EXPIRY_BYTES);
  }

  private keyNamed(id: Buffer): SealingKey | undefined {
    return this.keys.find((key) => key.id.equals(id));
  }

  private boundTo(head: Buffer, context: string): Buffer {
    return Buffer.concat([head, Buffer.from(`${this.purpose}\n${context}`)]);
  }
}

function deriveKey(secret: string): SealingKey {
  const derive = (what: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync("sha256", secret, "", `gateward sealed cookie v1 ${what}`, bytes));
  return { id: derive("id", KEY_ID_BYTES), secret: derive("key", 32) };
}

function keyFor(key: SealingKey, salt: Buffer): Buffer {
  return createHmac("sha256", key.secret).update(salt).digest();
}
