/**
 * token-scene: a policy that takes bearer tokens, with identity providers that the test fakes and a clock
 * that it moves.
 */
import type { z } from "zod";
import { Fault } from "../../src/base/faults.ts";
import type { Consumers } from "../../src/policy/consumers.ts";
import type { PolicyEnvironment } from "../../src/policy/environment.ts";
import type { Identity } from "../../src/policy/identity.ts";
import type { PolicyDefinition } from "../../src/policy/policy.ts";
import { TestClock } from "../../src/testing/test-clock.ts";
import { testEnvironment } from "../../src/testing/test-environment.ts";
import { TestOutbound } from "../../src/testing/test-outbound.ts";
import { requestOf, runHooks, type Headers, type PolicyScene } from "./policy-run.ts";

/** What became of a request. */
export interface TokenOutcome {
  /** `ok`, the code of a fault, or its name where it has no code. */
  readonly result: string;
  readonly status: number;
  readonly identity: Identity | null;
  /** WWW-Authenticate of a refusal; "" without one. */
  readonly challenge: string;
  /** Lines and query that the service is sent. */
  readonly sent: readonly string[];
  readonly query: string;
}

export class TokenScene {
  readonly clock = new TestClock();
  readonly outbound = new TestOutbound();
  consumers: Consumers = { version: 0, byName: () => undefined, find: () => undefined };
  files: Readonly<Record<string, string>> = {};
  private readonly kept = new Map<string, Partial<Disposable>>();

  get nowS(): number {
    return this.clock.now() / 1000;
  }

  /** Compiles the policy; what it keeps is shared by all that this scene compiles. */
  compile<Schema extends z.ZodType>(
    policy: PolicyDefinition<Schema>,
    options: z.input<Schema>,
    place = "a route",
  ): TokenPolicy {
    const environment = testEnvironment(policy, {
      place: { kind: "route", name: place },
      clock: this.clock,
      fetch: this.outbound.fetch,
      consumers: this.consumers,
      files: this.files,
    });
    const keep: PolicyEnvironment["keep"] = (key, make) => {
      if (!this.kept.has(key)) this.kept.set(key, make());
      return this.kept.get(key) as ReturnType<typeof make>;
    };
    return new TokenPolicy(policy.compile(policy.schema.parse(options), { ...environment, keep }));
  }
}

type Hooks = Parameters<typeof runHooks>[0];

export class TokenPolicy {
  private readonly hooks: Hooks;

  constructor(hooks: Hooks) {
    this.hooks = hooks;
  }

  /** A request with `token` in its Authorization header. */
  async ask(token: string): Promise<TokenOutcome> {
    return await this.askWith({ authorization: `Bearer ${token}` });
  }

  async askWith(headers: Headers, scene: PolicyScene = {}): Promise<TokenOutcome> {
    const { verdict, exchange, sent } = await runHooks(this.hooks, { ...scene, headers });
    const { identity, rawQuery: query } = exchange;
    const passed = { result: "ok", status: 0, identity, challenge: "", sent, query };
    if (verdict === undefined) return passed;
    if (!(verdict instanceof Fault)) throw new Error("an answer that is no fault");
    const { code, name, status, headers: faultHeaders } = verdict;
    const challenge = faultHeaders?.["www-authenticate"] ?? "";
    return { ...passed, result: code === "" ? name : code, status, challenge };
  }

  /** Whether the verdict on a request with `token` is there at once, without a promise. */
  isImmediate(token: string): boolean {
    const exchange = requestOf({ headers: { authorization: `Bearer ${token}` } });
    return !(this.hooks.onRequest!(exchange) instanceof Promise);
  }
}
