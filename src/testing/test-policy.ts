import type { z } from "zod";
import type { ConfigInput } from "../config/config.ts";
import { Identity, type IdentityFacts } from "../policy/identity.ts";
import { definePolicy, type PolicyDefinition } from "../policy/policy.ts";
import { section } from "../policy/values/section.ts";
import type { FakeService, ServiceCall } from "./fake-service.ts";
import type { TestClock } from "./test-clock.ts";
import { testGateway, type TestGateway, type TestGatewaySettings } from "./test-gateway.ts";
import type { TestRequest } from "./test-request.ts";
import type { TestResponse } from "./test-response.ts";

/** What a policy under test has around it. */
export interface TestPolicySettings extends Omit<TestGatewaySettings, "services" | "policies"> {
  /** The service behind the policy. Default: answers 200 with an empty body. */
  service?: FakeService;
  /** More of the document: `consumers`, `plans`, `redis`, `trustedProxies` and so on, also more services. */
  document?: ConfigInput;
  /** Functions for the document's services; the policy's own is `service`. */
  services?: Readonly<Record<string, FakeService>>;
  /** `when` and `unless` of the policy. */
  conditions?: Readonly<Record<string, unknown>>;
}

export interface TestPolicyRequest extends TestRequest {
  /** Who is calling, as if a policy before had found it out. */
  identity?: Identity | IdentityFacts;
}

/** What became of a request. */
export interface TestPolicyResponse extends TestResponse {
  /** What the service was asked; undefined where the request did not get there. */
  sent: ServiceCall | undefined;
  /** How often this request counted each of the policy's results, without those at 0. */
  results: Record<string, number>;
}

/** A policy in a gateway of one route, `route`, to one service, `service`. Make it with `testPolicy`. */
export class PolicySubject {
  readonly gateway: TestGateway;
  private readonly policy: PolicyDefinition;
  private readonly callers: Map<string, Identity>;

  /** @internal See `testPolicy`. */
  constructor(gateway: TestGateway, policy: PolicyDefinition, callers: Map<string, Identity>) {
    this.gateway = gateway;
    this.policy = policy;
    this.callers = callers;
  }

  get clock(): TestClock {
    return this.gateway.clock;
  }

  async request({ identity, ...request }: TestPolicyRequest = {}): Promise<TestPolicyResponse> {
    const { gateway, callers } = this;
    const before = this.results();
    const callCount = gateway.calls.length;
    const headers = { ...request.headers };
    if (identity !== undefined) {
      const key = String(callers.size);
      callers.set(key, identity instanceof Identity ? identity : new Identity(identity));
      headers[CALLER_HEADER] = key;
    }
    const response = await gateway.request({ ...request, headers });
    const sent = gateway.calls.slice(callCount).find(({ service }) => service === SERVICE);
    const after = Object.entries(this.results());
    const counted = after.map(([name, count]) => [name, count - before[name]!] as const);
    const results = Object.fromEntries(counted.filter(([, count]) => count > 0));
    return { ...response, sent, results };
  }

  /** How often each of the policy's results has been counted. */
  results(): Record<string, number> {
    const { name, results = [] } = this.policy;
    const entries = results.map((result) => {
      const labels = { policy: name, result };
      return [result, this.gateway.metric("gateward_policy_results_total", labels)] as const;
    });
    return Object.fromEntries(entries);
  }

  async close(): Promise<void> {
    await this.gateway.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

const SERVICE = "service";
/** Carries the key of an identity from the test to `callerPolicy`. */
const CALLER_HEADER = "x-test-caller";
const CALLER_POLICY = "test-caller";

/**
 * Puts requests past one policy.
 *
 * @param options as users write them; undefined where they write the policy's name alone
 * @throws ConfigRefused when the options are refused
 */
export async function testPolicy<Schema extends z.ZodType>(
  policy: PolicyDefinition<Schema>,
  options?: z.input<Schema>,
  settings: TestPolicySettings = {},
): Promise<PolicySubject> {
  const { service, document = {}, services = {}, conditions = {}, ...rest } = settings;
  const definition = policy as unknown as PolicyDefinition;
  const callers = new Map<string, Identity>();
  const needsCaller = policy.provides?.includes("identity") !== true;
  const uses = [
    ...(needsCaller ? [CALLER_POLICY] : []),
    { [policy.name]: options ?? {}, ...conditions },
  ];
  const gateway = await testGateway(
    {
      ...document,
      services: { ...document.services, [SERVICE]: "http://service.test" },
      routes: [
        { name: "route", match: "/*", service: SERVICE, policies: uses },
        ...(document.routes ?? []),
      ],
    },
    {
      ...rest,
      services: { ...services, ...(service === undefined ? {} : { [SERVICE]: service }) },
      policies: [definition, callerPolicy(callers)],
    },
  );
  return new PolicySubject(gateway, definition, callers);
}

/** Knows who is calling because the test has said so. */
function callerPolicy(callers: ReadonlyMap<string, Identity>): PolicyDefinition {
  return definePolicy({
    name: CALLER_POLICY,
    summary: "Identifies the caller that a test names.",
    schema: section({}).prefault({}),
    provides: ["identity"],
    compile: () => ({
      onRequest(exchange) {
        const identity = callers.get(exchange.header(CALLER_HEADER) ?? "");
        exchange.request.fields.remove(CALLER_HEADER);
        if (identity !== undefined) exchange.identify(identity);
      },
    }),
  });
}
