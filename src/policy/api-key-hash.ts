import { hash } from "node:crypto";

/**
 * What an API key is stored and looked up as: its SHA-256, hexadecimal. One round is enough, because keys
 * are random; and since only the hash is looked up, how long that takes says nothing of the key.
 */
export function hashApiKey(key: string): string {
  return hash("sha256", key, "hex");
}
