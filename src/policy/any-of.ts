import { Fault, faults } from "../base/faults.ts";
import type { Authenticator, Invitation, Judgement } from "./authenticator.ts";
import type { Exchange } from "./exchange.ts";
import { Identity, mergeIdentities } from "./identity.ts";

/**
 * The first that accepts decides. A credential that does not hold is refused in the end, even where
 * callers without any may pass: who shows a wrong key is not anonymous.
 */
export function anyOf(members: readonly Authenticator[]): Authenticator {
  const authenticate = (
    exchange: Exchange,
    from: number,
    refusal: Fault | null,
  ): Judgement | Promise<Judgement> => {
    for (let index = from; index < members.length; index++) {
      const judgement = members[index]!.authenticate(exchange);
      if (judgement instanceof Promise) {
        return judgement.then((late) => {
          if (late !== null && !(late instanceof Fault)) return late;
          return authenticate(exchange, index + 1, refusal ?? late);
        });
      }
      if (judgement !== null && !(judgement instanceof Fault)) return judgement;
      refusal ??= judgement;
    }
    return refusal;
  };
  return {
    challenge: challengesOf(members),
    authenticate: (exchange) => authenticate(exchange, 0, null),
    invite: (exchange) => invitationOf(members, exchange),
    admits: (exchange) => members.some((member) => member.admits?.(exchange) === true),
    conceal: (exchange) => conceal(members, exchange),
  };
}

/** All have to accept, and none may name another consumer than the others. */
export function allOf(members: readonly Authenticator[]): Authenticator {
  const challenge = challengesOf(members);
  const authenticate = (
    exchange: Exchange,
    from: number,
    known: Identity | null,
  ): Judgement | Promise<Judgement> => {
    for (let index = from; index < members.length; index++) {
      const judgement = members[index]!.authenticate(exchange);
      if (judgement instanceof Promise) {
        return judgement.then((late) => {
          const sum = add(known, late, index);
          return sum instanceof Identity ? authenticate(exchange, index + 1, sum) : sum;
        });
      }
      const sum = add(known, judgement, index);
      if (!(sum instanceof Identity)) return sum;
      known = sum;
    }
    return known;
  };
  return {
    challenge,
    authenticate: (exchange) => authenticate(exchange, 0, null),
    invite: (exchange) => invitationOf(members, exchange),
    conceal: (exchange) => conceal(members, exchange),
  };
}

/** What is known after member `index` has judged; anything but an identity ends the matter. */
function add(known: Identity | null, judgement: Judgement, index: number): Judgement {
  if (judgement === null) return index === 0 ? null : faults["authentication-required"];
  if (!(judgement instanceof Identity) || known === null) return judgement;
  return mergeIdentities(known, judgement) ?? faults["identities-differ"];
}

function challengesOf(members: readonly Authenticator[]): string {
  const challenges = members.map(({ challenge }) => challenge).filter((one) => one !== "");
  return [...new Set(challenges)].join(", ");
}

function invitationOf(
  members: readonly Authenticator[],
  exchange: Exchange,
): Invitation | undefined {
  for (const member of members) {
    const invitation = member.invite?.(exchange);
    if (invitation !== undefined) return invitation;
  }
  return undefined;
}

function conceal(members: readonly Authenticator[], exchange: Exchange): void {
  for (const member of members) member.conceal?.(exchange);
}
