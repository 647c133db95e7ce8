import type { z } from "zod";
import type { Fault, FaultType } from "../base/faults.ts";
import type { Authenticator } from "./authenticator.ts";
import type { PlaceKind, PolicyEnvironment } from "./environment.ts";
import type { Exchange } from "./exchange.ts";
import type { Reply } from "./reply.ts";

/** What a hook answers: nothing to go on, or what the client gets instead. */
export type Verdict = Reply | Fault | undefined | void;

/**
 * What a policy does to an exchange. Hooks are synchronous; one that truly must wait returns a promise,
 * which costs every request that meets it some microseconds.
 */
export interface PolicyHooks {
  /**
   * A browser asks whether a page of another origin may send a request: OPTIONS with `Origin` and
   * `Access-Control-Request-Method` (Fetch standard, CORS-preflight request). The route is the one that the
   * request it asks about will take, though that lists no OPTIONS. Innermost policies are asked first, and the
   * first that answers ends it: no `onRequest` runs, so that no authenticator stands in the way of a question
   * that never brings a credential. Where none answers it is an OPTIONS request like any other.
   */
  onPreflight?(exchange: Exchange): Verdict;
  /** The request's head is there; its body is not. */
  onRequest?(exchange: Exchange): Verdict | Promise<Verdict>;
  /**
   * The response's head is there and has not been sent; answers of the gateway pass here too, also where
   * an earlier policy refused the request and `onRequest` never ran.
   */
  onResponse?(exchange: Exchange): Verdict | Promise<Verdict>;
  /**
   * A service has failed to answer, and the route's `fallback` asks by `cached` whether there is something to give
   * in its place: what it has answered before (`Reply.standsIn`), which policies before this one see then. Innermost
   * policies are asked first.
   */
  onServiceFailed?(exchange: Exchange): Reply | undefined;
  /** The exchange is over, however it ended; also one that was refused before `onRequest` could run. */
  onEnd?(exchange: Exchange): void;
}

/** What one policy finds out and a later one may rely on. `identity`: who is calling. */
export type Fact = "identity";

/** A policy that a request meets before this one. */
export interface EarlierPolicy {
  readonly name: string;
  readonly provides: readonly Fact[];
}

/** What the document holds beside this use of a policy. */
export interface PolicySurroundings {
  readonly place: PlaceKind;
  /** Policies that every request meets before this one, in order. */
  readonly earlier: readonly EarlierPolicy[];
  readonly services: readonly string[];
  readonly consumers: readonly string[];
  readonly plans: readonly string[];
  readonly hasRedis: boolean;
  /** Request headers, in lower case, that tell services who is calling; absent where that is not known. */
  readonly identityHeaders?: readonly string[];
  /** Whether some listener asks clients for certificates; absent where that is not known. */
  readonly asksForCertificates?: boolean;
}

/** Something about the options that makes no sense, though each by itself fits the schema. */
export interface OptionMistake {
  /** Where in the options; [] for the use as a whole. */
  readonly path?: readonly (string | number)[];
  readonly message: string;
  /** What would be right. */
  readonly hint?: string;
  /** Serves anyway, but `check` tells. Default false. */
  readonly isWarning?: boolean;
}

export interface PolicyDefinition<Schema extends z.ZodType = z.ZodType> {
  /** Name in the configuration and of the policy's folder, kebab-case. */
  readonly name: string;
  /** One sentence for the reference: what it does for the user. */
  readonly summary: string;
  /**
   * Of the options; the only description of them there is. Written with `section` and the values beside
   * it in policy/values, which name the key that was meant and read `1m30s`, `64kb`, `20%` and `${PORT}`.
   */
  readonly schema: Schema;
  /** What it decides, for `gateward_policy_results_total`: `allowed`, `limited`. Default: nothing is counted. */
  readonly results?: readonly string[];
  /** Problem types of its own that it answers with; its page lists them. */
  readonly faults?: readonly FaultType[];
  /** What later policies may rely on. */
  readonly provides?: readonly Fact[];
  /** What an earlier policy must have found out; `check` refuses an order without it. */
  needs?(options: z.output<Schema>): readonly Fact[];
  /**
   * What no later policy may find out or need: this one may answer before. `check` refuses an order with one
   * that does.
   */
  precludes?(options: z.output<Schema>): readonly Fact[];
  /** What `check` says of options that fit the schema. */
  check?(options: z.output<Schema>, surroundings: PolicySurroundings): readonly OptionMistake[];
  /** Whether `onServiceFailed` may have something to give with these options. */
  standsBy?(options: z.output<Schema>): boolean;
  /** Files that the options name, relative to the document: read with it, and watched. */
  files?(options: z.output<Schema>): readonly string[];
  /**
   * What `checkFiles` and `compile` are given in place of a file's content. Made on the main thread, once for
   * each content: what is slow to parse, such as YAML, is not parsed again by every worker.
   *
   * @throws Refusal for content that makes no sense
   */
  prepareFile?(content: string, file: string): string;
  /** What `check` says of what those files hold. `contentOf` takes a path as `files` gave it. */
  checkFiles?(
    options: z.output<Schema>,
    contentOf: (file: string) => string,
  ): readonly OptionMistake[];
  /**
   * Runs once for each place where the policy is written, when a snapshot is compiled: a use at the top
   * of the document serves all routes. May allocate, may throw.
   */
  compile(options: z.output<Schema>, environment: PolicyEnvironment): PolicyHooks;
  /** Of policies made by `defineAuthenticator`: takes part in `any-of` and `all-of`. */
  compileAuthenticator?(options: z.output<Schema>, environment: PolicyEnvironment): Authenticator;
}

/** Types a policy's definition; a policy's file exports the result as its default. */
export function definePolicy<Schema extends z.ZodType>(
  definition: PolicyDefinition<Schema>,
): PolicyDefinition<Schema> {
  return definition;
}
