import type { z } from "zod";
import { Fault, faults } from "../base/faults.ts";
import type { PolicyEnvironment } from "./environment.ts";
import type { Exchange } from "./exchange.ts";
import { Identity } from "./identity.ts";
import type { PolicyDefinition, PolicyHooks } from "./policy.ts";
import type { Reply } from "./reply.ts";

/**
 * What an authenticator says of a request: who it comes from; that it brings no credential of this kind
 * (null); that the one it brings does not hold (a fault); or an answer that ends the matter, such as the
 * redirect after a login.
 */
export type Judgement = Identity | Fault | Reply | null;

/** A promise only where it must be waited for. */
export type Invitation = Reply | Fault | Promise<Reply | Fault>;

/** One way to find out who is calling. */
export interface Authenticator {
  /** Takes its credential out of the request where it accepts it and services are not to see it. */
  authenticate(exchange: Exchange): Judgement | Promise<Judgement>;
  /** For WWW-Authenticate (RFC 9110 section 11.6.1), such as `Bearer realm="api"`; "" for none. */
  readonly challenge: string;
  /**
   * What a request without any credential gets instead of a 401: a redirect to the login, or a fault where
   * there can be no login now. undefined: the 401.
   */
  invite?(exchange: Exchange): Invitation | undefined;
  /**
   * Whether a request of which `authenticate` knows nothing may go on all the same, as nobody's: because the
   * configuration wants that while those who would know are away.
   */
  admits?(exchange: Exchange): boolean;
  /**
   * Takes out of a request that goes on what services are not to see whoever has accepted it: cookies of
   * the gateway's own, say. Runs also where another member of `any-of` has decided.
   */
  conceal?(exchange: Exchange): void;
  onResponse?: PolicyHooks["onResponse"];
  onEnd?: PolicyHooks["onEnd"];
}

/** Results of every authenticator, for `gateward_policy_results_total`. */
export const authenticatorResults = ["accepted", "absent", "refused"] as const;

/** A policy's definition as an authenticator writes it; its `results` come beside those of all. */
export interface AuthenticatorDefinition<Schema extends z.ZodType> extends Omit<
  PolicyDefinition<Schema>,
  "compile" | "compileAuthenticator" | "provides"
> {
  compile(options: z.output<Schema>, environment: PolicyEnvironment): Authenticator;
}

/**
 * Defines a policy that finds out who is calling. Alone in a list it lets nobody pass whom it does not
 * know; several in a row must all agree; within `any-of` one is enough.
 */
export function defineAuthenticator<Schema extends z.ZodType>(
  definition: AuthenticatorDefinition<Schema>,
): PolicyDefinition<Schema> {
  const { compile, results = [], ...rest } = definition;
  const compileCounted = (options: z.output<Schema>, environment: PolicyEnvironment) =>
    counted(compile(options, environment), environment);
  return {
    ...rest,
    results: [...authenticatorResults, ...results],
    provides: ["identity"],
    compile: (options, environment) => authenticatorHooks(compileCounted(options, environment)),
    compileAuthenticator: compileCounted,
  };
}

function counted(authenticator: Authenticator, environment: PolicyEnvironment): Authenticator {
  const accepted = environment.counter("accepted");
  const absent = environment.counter("absent");
  const refused = environment.counter("refused");
  const count = (judgement: Judgement): Judgement => {
    if (judgement === null) absent.add(1);
    else if (judgement instanceof Identity) accepted.add(1);
    else if (judgement instanceof Fault) refused.add(1);
    return judgement;
  };
  const { onResponse, onEnd } = authenticator;
  return {
    challenge: authenticator.challenge,
    authenticate(exchange) {
      const judgement = authenticator.authenticate(exchange);
      return judgement instanceof Promise ? judgement.then(count) : count(judgement);
    },
    invite: (exchange) => authenticator.invite?.(exchange),
    admits: (exchange) => authenticator.admits?.(exchange) === true,
    conceal: (exchange) => authenticator.conceal?.(exchange),
    ...(onResponse === undefined ? {} : { onResponse: onResponse.bind(authenticator) }),
    ...(onEnd === undefined ? {} : { onEnd: onEnd.bind(authenticator) }),
  };
}

/**
 * The hooks of a policy that lets pass whom `authenticator` knows.
 *
 * @param allowsAnonymous also who brings no credential at all
 */
export function authenticatorHooks(
  authenticator: Authenticator,
  allowsAnonymous = false,
): PolicyHooks {
  const { onResponse, onEnd } = authenticator;
  const judge = (exchange: Exchange, judgement: Judgement): Invitation | undefined => {
    if (judgement instanceof Identity) {
      if (!exchange.identify(judgement)) return faults["identities-differ"];
    } else if (judgement === null) {
      const admits = allowsAnonymous || authenticator.admits?.(exchange) === true;
      if (!admits) return invitation(exchange);
    } else {
      return judgement instanceof Fault
        ? challenged(judgement, authenticator.challenge)
        : judgement;
    }
    authenticator.conceal?.(exchange);
    return undefined;
  };
  const invitation = (exchange: Exchange): Invitation =>
    authenticator.invite?.(exchange) ?? authenticationRequired(authenticator.challenge);
  return {
    onRequest(exchange) {
      const judgement = authenticator.authenticate(exchange);
      if (judgement instanceof Promise) return judgement.then((late) => judge(exchange, late));
      return judge(exchange, judgement);
    },
    ...(onResponse === undefined ? {} : { onResponse }),
    ...(onEnd === undefined ? {} : { onEnd }),
  };
}

function authenticationRequired(challenge: string): Fault {
  return challenged(faults["authentication-required"], challenge);
}

/** Every 401 names what would do (RFC 9110 section 15.5.2); a fault that brings its own headers keeps them. */
function challenged(fault: Fault, challenge: string): Fault {
  if (fault.status !== 401 || challenge === "" || fault.headers !== null) return fault;
  return new Fault(fault.type, fault.detail, fault.code, { "www-authenticate": challenge });
}
