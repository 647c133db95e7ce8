import { createHash } from "node:crypto";
import type { PolicyEnvironment } from "../../policy/environment.ts";
import { TOKEN_BUCKET, createVerdict, type LimitRule } from "../../policy/limit-tables.ts";

/** Lets each signature pass once. */
export interface ReplayGuard {
  /** Whether it has not come before. */
  admit(keyId: string, base: Buffer): boolean | Promise<boolean>;
}

/**
 * Told apart by what was signed, not by the signature: whoever has one by ECDSA can make another of it.
 */
function markOf(keyId: string, base: Buffer): string {
  return createHash("sha256").update(`${keyId}\n`).update(base).digest("base64url");
}

/** In memory that all workers share: a bucket of one, which is empty for as long as a signature is valid. */
export function memoryGuard(environment: PolicyEnvironment, validMs: number): ReplayGuard {
  const rule: LimitRule = {
    id: `${environment.id}/replay`,
    algorithm: TOKEN_BUCKET,
    limit: 1,
    windowMs: validMs,
    refill: 1,
  };
  const verdict = createVerdict();
  return {
    admit(keyId, base) {
      environment.limits.take(rule, markOf(keyId, base), 1, environment.clock.now(), verdict);
      return verdict.allowed;
    },
  };
}

/** In Redis, for several gateways. Rejects while it is away. */
export function redisGuard(environment: PolicyEnvironment, validMs: number): ReplayGuard {
  const redis = environment.redis();
  return {
    admit: (keyId, base) =>
      redis.setIfAbsent(`${environment.id}/replay/${markOf(keyId, base)}`, "1", validMs),
  };
}
