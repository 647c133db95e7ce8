import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gatewardFamilies } from "../base/metrics/families.ts";

test("metrics: the guide says of every metric what it counts", () => {
  const guide = readFileSync(new URL("../../docs/guide/operations.md", import.meta.url), "utf8");
  const listed = Array.from(guide.matchAll(/^\| `(gateward_\w+)` \|/gm), ([, name]) =>
    String(name),
  );
  const defined = gatewardFamilies.map(({ name }) => name);
  assert.deepEqual(listed.toSorted(), defined.toSorted());
});
