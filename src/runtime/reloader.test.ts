import assert from "node:assert/strict";
import { test } from "node:test";
import { Reloader } from "./reloader.ts";

test("reloader: what is asked for during a reload leads to one more, after it", async () => {
  const reasons: string[] = [];
  const begun = Promise.withResolvers<void>();
  const first = Promise.withResolvers<void>();
  let running = 0;
  const reloader = new Reloader(async (reason) => {
    running += 1;
    assert.equal(running, 1);
    reasons.push(reason);
    begun.resolve();
    if (reasons.length === 1) await first.promise;
    running -= 1;
  });
  reloader.request("one");
  await begun.promise;
  reloader.request("two");
  reloader.request("three");
  first.resolve();
  await reloader.idle();
  assert.deepEqual(reasons, ["one", "two"]);
});

test("reloader: one that was asked for when the last was over runs again", async () => {
  let count = 0;
  const reloader = new Reloader(async () => {
    count += 1;
  });
  for (let round = 1; round <= 3; round += 1) {
    reloader.request("again");
    await reloader.idle();
    assert.equal(count, round);
  }
});

test("reloader: nothing begins once it is closed", async () => {
  let count = 0;
  const reloader = new Reloader(async () => {
    count += 1;
    reloader.request("another");
    reloader.close();
  });
  reloader.request("one");
  await reloader.idle();
  reloader.request("late");
  await reloader.idle();
  assert.equal(count, 1);
});
