import assert from "node:assert/strict";
import { test } from "node:test";
import { MetricView } from "../base/metrics/metric-view.ts";
import { splitRequestsTotal } from "../base/metrics/families.ts";
import { Random } from "../base/random.ts";
import type { Exchange } from "../policy/exchange.ts";
import type { Destination } from "./snapshot.ts";
import { Split, type SplitBranch, type SplitKey } from "./split.ts";

type Way = Partial<Pick<SplitBranch, "weight" | "applies">>;

const chosen = MetricView.discarding().counter(splitRequestsTotal, ["", ""]);

/** The name of the way that a request with that key goes. */
function splitOf(ways: Record<string, Way | number>, key: SplitKey | null = keyOf, seed = "s") {
  const names = new Map<Destination, string>();
  const branches = Object.entries(ways).map(([name, way]): SplitBranch => {
    const destination = {} as Destination;
    names.set(destination, name);
    const { weight = null, applies = null } = typeof way === "number" ? { weight: way } : way;
    return { name, destination, weight, applies, chosen };
  });
  const split = new Split({ branches, seed, random: new Random(7), key, cookie: null });
  return (request: string) => names.get(split.choose({ path: request } as Exchange))!;
}

const keyOf: SplitKey = ({ path }) => path;
const byChance = null;
const KEYS = Array.from({ length: 20_000 }, (_, index) => `client-${index}`);

function shares(wayOf: (request: string) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const key of KEYS) counts[wayOf(key)] = (counts[wayOf(key)] ?? 0) + 1;
  return counts;
}

function assertShare(count: number | undefined, share: number): void {
  const expected = share * KEYS.length;
  // Five standard deviations; the sequences are the same in every run.
  const margin = 5 * Math.sqrt(expected * (1 - share));
  assert.ok(Math.abs((count ?? 0) - expected) < margin, `${count} instead of ${expected}`);
}

for (const [how, key] of [
  ["by chance", byChance],
  ["by a key", keyOf],
] as const) {
  test(`split: ${how}, each branch gets its share`, () => {
    const wayOf = splitOf({ old: 94, new: 5, odd: 1, off: 0 }, key);
    const counts: Record<string, number> = {};
    for (const one of KEYS) {
      const way = wayOf(one);
      counts[way] = (counts[way] ?? 0) + 1;
    }
    assertShare(counts["old"], 0.94);
    assertShare(counts["new"], 0.05);
    assertShare(counts["odd"], 0.01);
    assert.equal(counts["off"], undefined);
  });
}

test("split: a branch whose weight is raised keeps all that it had, wherever it stands", () => {
  const before = splitOf({ old: 95, new: 5, odd: 5 });
  for (const after of [
    splitOf({ old: 90, new: 10, odd: 5 }),
    splitOf({ odd: 5, new: 10, old: 90 }),
    splitOf({ new: 50, odd: 5, old: 50 }),
    splitOf({ new: 1, old: 0, odd: 0 }),
  ]) {
    for (const key of KEYS) if (before(key) === "new") assert.equal(after(key), "new");
  }
});

test("split: weights of the same ratio send each key the same way", () => {
  const few = splitOf({ old: 19, new: 1 });
  const many = splitOf({ new: 5, old: 95 });
  for (const key of KEYS) assert.equal(few(key), many(key));
});

test("split: another seed sends the same keys other ways", () => {
  const one = splitOf({ old: 1, new: 1 });
  const other = splitOf({ old: 1, new: 1 }, keyOf, "another");
  assertShare(KEYS.filter((key) => one(key) === other(key)).length, 0.5);
});

test("split: what nothing is known of goes by chance", () => {
  const counts = shares(splitOf({ old: 1, new: 1 }, () => ""));
  assert.ok(counts["old"]! > 0 && counts["new"]! > 0);
});

test("split: a branch with a condition and no weight takes all of those, the first of several", () => {
  const isBeta = ({ path }: Exchange) => path.startsWith("beta");
  const wayOf = splitOf({ old: 1, beta: { applies: isBeta }, late: { applies: isBeta } });
  assert.equal(wayOf("beta-1"), "beta");
  assert.equal(wayOf("1"), "old");
});

test("split: a branch with a condition and a weight gets a share of those alone", () => {
  const isBeta = ({ path }: Exchange) => path.endsWith("1");
  const wayOf = splitOf({ old: 1, beta: { applies: isBeta, weight: 1 } });
  const beta = KEYS.filter((key) => wayOf(key) === "beta");
  assert.ok(beta.every((key) => key.endsWith("1")));
  assertShare(beta.length, 0.05);
});

test("split: some branch has to take requests that fit no condition", () => {
  assert.throws(() => splitOf({ a: { weight: 1, applies: () => false }, b: 0 }), /no branch/);
});
