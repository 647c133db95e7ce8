import assert from "node:assert/strict";
import { test } from "node:test";
import { nextLimit } from "./next-limit.ts";

test("next limit: answers as fast as without load let it rise by the buffer and a root", () => {
  const next = nextLimit({ limit: 100, minRttMs: 10, sampleMs: 10, peak: 100 }, 0.25);
  assert.equal(next, 125 + Math.sqrt(125));
});

test("next limit: it rests where latency has grown by the buffer and what the root allows", () => {
  const next = nextLimit({ limit: 100, minRttMs: 8, sampleMs: 10 / 0.905, peak: 100 }, 0.25);
  assert.ok(Math.abs(next - 100) < 0.5, String(next));
});

test("next limit: one slow window takes half of it and not more", () => {
  const next = nextLimit({ limit: 100, minRttMs: 1, sampleMs: 10_000, peak: 100 }, 0.25);
  assert.equal(next, 50 + Math.sqrt(50));
});

test("next limit: what is not used does not rise, but may fall", () => {
  const fast = nextLimit({ limit: 100, minRttMs: 10, sampleMs: 5, peak: 49 }, 0.25);
  assert.equal(fast, 100);
  const slow = nextLimit({ limit: 100, minRttMs: 10, sampleMs: 20, peak: 49 }, 0.25);
  assert.ok(slow < 71);
});
