import { createHmac, randomBytes } from "node:crypto";
import { hashPassword } from "../../policy/password-hash.ts";
import type { BasicConfig, Config, ConsumerConfig } from "../config.ts";

/** Hashes are kept by what they are of, so that a reload neither pays again nor looks like a change. */
const digestKey = randomBytes(32);
let known = new Map<string, Promise<string>>();

/** The configuration with the hashes of passwords in place of the passwords; about 25 ms of a core for each new one. */
export async function hashPasswords(config: Config): Promise<Config> {
  const entries = Object.entries(config.consumers);
  if (!entries.some(([, { basic }]) => basic?.password !== undefined)) return config;
  const used = new Map<string, Promise<string>>();
  const hashed = await Promise.all(
    entries.map(async ([name, consumer]) => [name, await withHash(name, consumer, used)] as const),
  );
  known = used;
  return { ...config, consumers: Object.fromEntries(hashed) };
}

async function withHash(
  name: string,
  consumer: ConsumerConfig,
  used: Map<string, Promise<string>>,
): Promise<ConsumerConfig> {
  const { basic } = consumer;
  if (basic?.password === undefined) return consumer;
  const { username, password } = basic;
  // Of the consumer too: two with one password have different salts.
  const digest = createHmac("sha256", digestKey).update(`${name}\n${password}`).digest("base64");
  const hash = known.get(digest) ?? hashPassword(password);
  used.set(digest, hash);
  return { ...consumer, basic: { username, hash: await hash } satisfies BasicConfig };
}
