// HOT
import { randomBytes, randomInt } from "node:crypto";

/** Twelve random bytes tell this thread's ids from all others; a counter tells them from each other. */
const prefix = randomBytes(12).toString("hex");
let counter = randomInt(0x7fffffff);

/** 32 hexadecimal digits, unique across threads, machines and restarts; not a secret. */
export function createRequestId(): string {
  counter = (counter + 1) >>> 0;
  return prefix + (0x100000000 + counter).toString(16).slice(1);
}

const ACCEPTABLE = /^[\x21-\x7e]{1,128}$/;

/** Whether an id sent by a trusted proxy is fit to be passed on, logged and shown. */
export function isAcceptableRequestId(id: string): boolean {
  return ACCEPTABLE.test(id);
}
