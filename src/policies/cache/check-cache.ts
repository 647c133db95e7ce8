import type { OptionMistake, PolicySurroundings } from "../../policy/policy.ts";
import type { CacheOptions } from "./cache-options.ts";

/** What each fits the schema and makes no sense together. */
export function* mistakesOf(
  options: CacheOptions,
  { hasRedis, earlier }: PolicySurroundings,
): Generator<OptionMistake> {
  const { store, respect, ttl, key, shared, authorized } = options;
  if (earlier.some(({ name }) => name === "cache")) {
    const message = "another cache before this one has the answers already";
    yield { path: [], message, hint: "keep one, or tell by when and unless which is for what" };
  }
  if (store === "redis" && !hasRedis) {
    const hint = "say at the top of the document where it is: redis: redis://HOST";
    yield { path: ["store"], message: "there is no Redis to keep answers in", hint };
  }
  if (!respect && ttl === undefined) {
    const message = "nothing is kept: the service is not asked how long, and nothing else says";
    yield { path: ["respect"], message, hint: "add ttl, such as ttl: 1m" };
  }
  if (key.query !== undefined && key.ignoreQuery.length > 0) {
    const message = "query and ignoreQuery exclude each other";
    yield { path: ["key", "ignoreQuery"], message, hint: "query alone says what counts" };
  }
  if (key.identity && shared) {
    const message = "the key has the caller's name, and nobody knows it yet where shared is of use";
    yield { path: ["shared"], message, hint: "leave it out, and put the cache after who asks" };
  }
  if (key.identity && authorized) {
    const message = "each caller has answers of its own already";
    yield { path: ["authorized"], message, hint: "leave it out" };
  }
  for (const name of ["authorization", "cookie"] as const) {
    if (!key.headers.includes(name)) continue;
    yield {
      path: ["key", "headers"],
      message: `${name} is a secret, and different for every client`,
      hint: name === "cookie" ? "name cookies under key.cookies" : "write identity: true",
      isWarning: true,
    };
  }
  if (options.authorized) {
    yield {
      path: ["authorized"],
      message: "what one caller is sent is given to every other that may ask",
      hint: "key: { identity: true } keeps them apart",
      isWarning: true,
    };
  }
}

export function checkCache(
  options: CacheOptions,
  surroundings: PolicySurroundings,
): readonly OptionMistake[] {
  return [...mistakesOf(options, surroundings)];
}
