import { argon2, randomBytes, timingSafeEqual } from "node:crypto";

/** What OWASP gives as the least for argon2id: 19 MiB, two passes, one lane. About 25 ms of one core. */
const MEMORY_KIB = 19_456;
const PASSES = 2;
const SALT_BYTES = 16;
const TAG_BYTES = 32;

/** Of a hash that comes from elsewhere: what verifying it may cost. */
const MEMORY_KIB_MAX = 1 << 20;
const PASSES_MAX = 64;
const LANES_MAX = 16;

interface PasswordHash {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
  readonly salt: Buffer;
  readonly tag: Buffer;
}

const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})$/;

/** Of no password that anybody knows; verifying against it takes as long as against one of `hashPassword`. */
export const nobodysHash = `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=1$${"A".repeat(22)}$${"A".repeat(43)}`;

/** Hashes a password with argon2id, in the thread pool, to a PHC string: `$argon2id$v=19$m=…,t=…,p=…$salt$tag`. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const settings = { memoryKib: MEMORY_KIB, passes: PASSES, lanes: 1, salt };
  const tag = await tagOf(password, settings, TAG_BYTES);
  return `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=1$${unpadded(salt)}$${unpadded(tag)}`;
}

/** Whether `text` is an argon2id PHC string that `verifyPassword` takes. */
export function isPasswordHash(text: string): boolean {
  return parsePasswordHash(text) !== undefined;
}

/** Whether `hash`, a PHC string, is of this password; in the thread pool. False for a hash that cannot be read. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const parsed = parsePasswordHash(hash);
  if (parsed === undefined) return false;
  const tag = await tagOf(password, parsed, parsed.tag.length);
  return timingSafeEqual(tag, parsed.tag);
}

function parsePasswordHash(text: string): PasswordHash | undefined {
  const [, memory, passes, lanes, salt = "", tag = ""] = PHC.exec(text) ?? [];
  const parsed = {
    memoryKib: Number(memory),
    passes: Number(passes),
    lanes: Number(lanes),
    salt: Buffer.from(salt, "base64"),
    tag: Buffer.from(tag, "base64"),
  };
  const { memoryKib } = parsed;
  const isSound =
    isBetween(parsed.lanes, 1, LANES_MAX) &&
    isBetween(parsed.passes, 1, PASSES_MAX) &&
    isBetween(memoryKib, 8 * parsed.lanes, MEMORY_KIB_MAX);
  return isSound ? parsed : undefined;
}

function isBetween(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}

function tagOf(
  password: string,
  { memoryKib, passes, lanes, salt }: Omit<PasswordHash, "tag">,
  tagLength: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settings = {
      // Two ways to type one character are one password (RFC 8265 section 4.2).
      message: password.normalize("NFC"),
      nonce: salt,
      parallelism: lanes,
      memory: memoryKib,
      passes,
      tagLength,
    };
    argon2("argon2id", settings, (error, tag) => {
      if (error === null) resolve(tag);
      else reject(error);
    });
  });
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}
