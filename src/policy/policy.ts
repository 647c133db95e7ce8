import type { z } from "zod";
import type { Fault } from "../base/faults.ts";
import type { Exchange } from "./exchange.ts";
import type { Reply } from "./reply.ts";

/** What a hook answers: nothing to go on, or what the client gets instead. */
export type Verdict = Reply | Fault | undefined | void;

/**
 * What a policy does to an exchange. Hooks are synchronous; one that truly must wait returns a promise,
 * which costs every request that meets it some microseconds.
 */
export interface PolicyHooks {
  /** The request's head is there; its body is not. */
  onRequest?(exchange: Exchange): Verdict | Promise<Verdict>;
  /** The response's head is there and has not been sent; answers of the gateway pass here too. */
  onResponse?(exchange: Exchange): Verdict | Promise<Verdict>;
  /** The exchange is over, however it ended; also one that was refused before `onRequest` could run. */
  onEnd?(exchange: Exchange): void;
}

/** What a policy may use when it is compiled for one place in the configuration. */
export interface PolicyEnvironment {
  /** Name of the route it is compiled for. */
  readonly routeName: string;
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
  /** Runs once for each route when a snapshot is compiled. May allocate, may throw. */
  compile(options: z.output<Schema>, environment: PolicyEnvironment): PolicyHooks;
}

/** Types a policy's definition; a policy's file exports the result as its default. */
export function definePolicy<Schema extends z.ZodType>(
  definition: PolicyDefinition<Schema>,
): PolicyDefinition<Schema> {
  return definition;
}
