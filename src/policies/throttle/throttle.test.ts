import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { z } from "zod";
import { requestOf, type PolicyScene } from "../../../test/support/policy-run.ts";
import { LimitsMemory, openLimits } from "../../base/limits/limits-memory.ts";
import { Fault } from "../../base/faults.ts";
import type { PolicySurroundings } from "../../policy/policy.ts";
import { TestClock } from "../../testing/test-clock.ts";
import { testEnvironment } from "../../testing/test-environment.ts";
import throttle from "./throttle.ts";
import { TEST_SECRET } from "../../testing/test-secret.ts";

type Options = z.input<typeof throttle.schema>;

/** Time of timers and of the clock, which the test moves together; and uses of the policy in workers. */
function scene(t: TestContext, options: Options, workers = 1) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const clock = new TestClock();
  const start = clock.now();
  const { handle } = new LimitsMemory({ workers, secret: TEST_SECRET });
  const uses = Array.from({ length: workers }, (_, worker) => {
    const environment = testEnvironment(throttle, { clock, limits: openLimits(handle, worker) });
    return throttle.compile(throttle.schema.parse(options), environment);
  });
  const begin = (request: PolicyScene = {}, worker = 0) => {
    const exchange = requestOf(request);
    const verdict = uses[worker]!.onRequest!(exchange);
    const answer = { refusal: undefined as Fault | undefined, wentOnAt: -1, leave: () => {} };
    answer.leave = () => uses[worker]!.onEnd!(exchange);
    if (verdict instanceof Fault) answer.refusal = verdict;
    else if (verdict === undefined) answer.wentOnAt = clock.now() - start;
    else void Promise.resolve(verdict).then(() => (answer.wentOnAt = clock.now() - start));
    return answer;
  };
  const advance = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 10) {
      clock.advance(10);
      t.mock.timers.tick(10);
      await Promise.resolve();
      await Promise.resolve();
    }
  };
  return { begin, advance };
}

test("throttle: what comes at once goes on one interval after the other", async (t) => {
  const { begin, advance } = scene(t, { rate: 10 });
  const answers = Array.from({ length: 5 }, () => begin());
  await advance(500);
  assert.deepEqual(
    answers.map(({ wentOnAt }) => wentOnAt),
    [0, 100, 200, 300, 400],
  );
});

test("throttle: workers share one pace", async (t) => {
  const { begin, advance } = scene(t, { rate: 10 }, 2);
  const answers = Array.from({ length: 6 }, (_, index) => begin({}, index % 2));
  await advance(600);
  assert.deepEqual(
    answers.map(({ wentOnAt }) => wentOnAt),
    [0, 100, 200, 300, 400, 500],
  );
});

test("throttle: a burst goes on at once, and is there again after a pause", async (t) => {
  const { begin, advance } = scene(t, { rate: 10, burst: 3 });
  const first = Array.from({ length: 4 }, () => begin());
  await advance(100);
  assert.deepEqual(
    first.map(({ wentOnAt }) => wentOnAt),
    [0, 0, 0, 100],
  );
  await advance(1000);
  const second = Array.from({ length: 4 }, () => begin());
  await advance(100);
  assert.deepEqual(
    second.map(({ wentOnAt }) => wentOnAt),
    [1100, 1100, 1100, 1200],
  );
});

test("throttle: keys have each their own pace", async (t) => {
  const { begin } = scene(t, { rate: 1 });
  assert.equal(begin().wentOnAt, 0);
  assert.equal(begin({ clientAddress: "192.0.2.2" }).wentOnAt, 0);
});

test("throttle: beyond the queue is refused, with the time until there is room", async (t) => {
  const { begin, advance } = scene(t, { rate: 2, maxQueue: 3, maxDelay: "10s" });
  const waiting = Array.from({ length: 4 }, () => begin());
  const { refusal } = begin();
  assert.ok(refusal);
  assert.deepEqual(
    [refusal.status, refusal.name, refusal.headers],
    [429, "too-many-waiting", { "retry-after": "1" }],
  );
  await advance(500);
  const next = begin();
  assert.equal(next.refusal, undefined);
  assert.ok(begin().refusal);
  await advance(1500);
  assert.deepEqual(
    [...waiting, next].map(({ wentOnAt }) => wentOnAt),
    [0, 500, 1000, 1500, 2000],
  );
});

test("throttle: beyond the longest delay is refused, however few wait", async (t) => {
  const { begin } = scene(t, { rate: 1, maxDelay: "2s" });
  const answers = Array.from({ length: 5 }, () => begin());
  assert.deepEqual(
    answers.map(({ refusal }) => refusal !== undefined),
    [false, false, false, true, true],
  );
});

test("throttle: who leaves while waiting makes room", async (t) => {
  const { begin, advance } = scene(t, { rate: 1, maxQueue: 2, maxDelay: "10s" });
  begin();
  const leaving = begin();
  const staying = begin();
  assert.ok(begin().refusal);
  leaving.leave();
  assert.equal(begin().refusal, undefined);
  assert.ok(begin().refusal);
  await advance(3000);
  assert.equal(staying.wentOnAt, 2000);
  staying.leave();
});

test("throttle: an end after the wait gives nothing back", async (t) => {
  const { begin, advance } = scene(t, { rate: 1, maxQueue: 1, maxDelay: "10s" });
  begin().leave();
  const waited = begin();
  await advance(1000);
  waited.leave();
  const next = begin();
  assert.equal(next.refusal, undefined);
  assert.ok(begin().refusal);
});

test("throttle: what all share is refused with 503, unless another status is chosen", (t) => {
  const { begin } = scene(t, { rate: 1, maxQueue: 1, by: "all" });
  begin();
  begin();
  assert.equal(begin({ clientAddress: "192.0.2.2" }).refusal?.name, "pace-exceeded");
});

test("throttle: check tells of a delay in which nobody can wait", () => {
  const check = (options: Options) =>
    throttle.check!(throttle.schema.parse(options), {} as PolicySurroundings);
  assert.match(check({ rate: 1, maxDelay: "500ms" })[0]!.message, /1s apart/);
  assert.deepEqual(check({ rate: 10, maxDelay: "500ms" }), []);
});

for (const options of [{}, { rate: 0 }, { rate: 1, maxDelay: "2m" }, { rate: 1, burst: 0 }]) {
  test(`throttle: ${JSON.stringify(options)} is refused`, () => {
    assert.equal(throttle.schema.safeParse(options).success, false);
  });
}
