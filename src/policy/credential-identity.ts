import type { Credential } from "./consumers.ts";
import { Identity, type IdentityFacts } from "./identity.ts";

/**
 * Who has shown `credential`. One that is narrowed to some scopes has only those of the consumer's; where
 * the consumer has none, the credential's own.
 *
 * @param more what is known beside, such as a token's claims
 */
export function identityOfCredential(
  method: string,
  credential: Credential,
  more: Partial<IdentityFacts> = {},
): Identity {
  const { consumer, name, scopes, expiresAtMs } = credential;
  const all = consumer.scopes;
  const narrowed = all.length === 0 ? scopes : all.filter((scope) => scopes.includes(scope));
  return new Identity({
    method,
    subject: consumer.name,
    credential: name,
    expiresAtMs,
    ...more,
    consumer: scopes.length === 0 ? consumer : { ...consumer, scopes: narrowed },
  });
}
