import type { z } from "zod";
import cache from "../../src/policies/cache/cache.ts";
import type { ServiceAnswer, ServiceCall } from "../../src/testing/fake-service.ts";
import { testPolicy, type TestPolicySettings } from "../../src/testing/test-policy.ts";

type Options = z.input<typeof cache.schema>;
/** What the service answers, and how often it has been asked by then. */
export type CountedAnswer = (
  call: ServiceCall,
  count: number,
) => ServiceAnswer | Promise<ServiceAnswer>;

export const FRESH = { "cache-control": "max-age=60" };

/** Fresh for a minute, each another. */
export const numbered: CountedAnswer = (_, count) => ({ headers: FRESH, body: `answer ${count}` });

/** A cache before a service whose calls are counted. */
export async function cacheScene(
  options: Options,
  answer: CountedAnswer,
  settings: TestPolicySettings = {},
) {
  let count = 0;
  const subject = await testPolicy(cache, options, {
    service: (call) => answer(call, ++count),
    ...settings,
  });
  return Object.assign(subject, { asked: () => count });
}
