import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import { requestOf, type PolicyScene } from "../../../test/support/policy-run.ts";
import { LimitsMemory, openConcurrency } from "../../base/limits/limits-memory.ts";
import { Fault } from "../../base/faults.ts";
import type { ExchangeView } from "../../proxy/exchange-view.ts";
import { testEnvironment } from "../../testing/test-environment.ts";
import concurrencyLimit from "./concurrency-limit.ts";
import { TEST_SECRET } from "../../testing/test-secret.ts";

type Options = z.input<typeof concurrencyLimit.schema>;

/** One use of the policy in one worker. */
function use(
  options: Options,
  concurrency = openConcurrency(new LimitsMemory({ workers: 1, secret: TEST_SECRET }).handle, 0),
) {
  const environment = testEnvironment(concurrencyLimit, { concurrency });
  const hooks = concurrencyLimit.compile(concurrencyLimit.schema.parse(options), environment);
  /** The exchange that is under way now, or the fault it was refused with. */
  const begin = (scene: PolicyScene = {}): ExchangeView | Fault => {
    const exchange = requestOf(scene);
    const verdict = hooks.onRequest!(exchange);
    if (verdict === undefined) return exchange;
    assert.ok(verdict instanceof Fault);
    hooks.onEnd!(exchange);
    return verdict;
  };
  const end = (exchange: ExchangeView | Fault): void => {
    assert.ok(!(exchange instanceof Fault));
    hooks.onEnd!(exchange);
  };
  return { begin, end };
}

test("concurrency-limit: refuses beyond what is under way, and lets in what comes after an end", () => {
  const { begin, end } = use({ max: 2 });
  const first = begin();
  const second = begin();
  const third = begin();
  assert.ok(third instanceof Fault);
  assert.deepEqual(
    [third.status, third.name, third.headers],
    [429, "too-many-in-flight", { "retry-after": "1" }],
  );
  assert.ok(!(begin({ clientAddress: "192.0.2.9" }) instanceof Fault));
  end(first);
  const fourth = begin();
  assert.ok(!(fourth instanceof Fault));
  assert.ok(begin() instanceof Fault);
  end(second);
  end(fourth);
});

test("concurrency-limit: what was refused gives nothing back at its end", () => {
  const { begin } = use({ max: 1 });
  begin();
  for (let refused = 0; refused < 5; refused++) assert.ok(begin() instanceof Fault);
});

test("concurrency-limit: an exchange that ended before it was asked gives nothing back", () => {
  const memory = new LimitsMemory({ workers: 1, secret: TEST_SECRET });
  const { begin, end } = use({ max: 1 }, openConcurrency(memory.handle, 0));
  begin();
  end(requestOf({}));
  assert.ok(begin() instanceof Fault);
});

test("concurrency-limit: all workers count together", () => {
  const memory = new LimitsMemory({ workers: 2, secret: TEST_SECRET });
  const one = use({ max: 2 }, openConcurrency(memory.handle, 0));
  const two = use({ max: 2 }, openConcurrency(memory.handle, 1));
  const first = one.begin();
  two.begin();
  assert.ok(one.begin() instanceof Fault);
  one.end(first);
  assert.ok(!(two.begin() instanceof Fault));
});

test("concurrency-limit: what all share is refused with 503, unless another status is chosen", () => {
  const statusOf = (options: Options): number => {
    const { begin } = use(options);
    begin();
    const refused = begin();
    assert.ok(refused instanceof Fault);
    return refused.status;
  };
  assert.equal(statusOf({ max: 1, by: "all" }), 503);
  assert.equal(statusOf({ max: 1, by: "route" }), 503);
  assert.equal(statusOf({ max: 1, by: ["route", "client"] }), 429);
  assert.equal(statusOf({ max: 1, by: "all", status: 429 }), 429);
  assert.equal(statusOf({ max: 1, status: "503" }), 503);
});

test("concurrency-limit: a dry run refuses nothing", () => {
  const { begin, end } = use({ max: 1, dryRun: true });
  const exchanges = [begin(), begin(), begin()];
  for (const exchange of exchanges) end(exchange);
});

for (const options of [{}, { max: 0 }, { max: 1, status: 500 }, { max: 1, by: "x" }]) {
  test(`concurrency-limit: ${JSON.stringify(options)} is refused`, () => {
    assert.equal(concurrencyLimit.schema.safeParse(options).success, false);
  });
}
