import assert from "node:assert/strict";
import { test } from "node:test";
import { CodingNegotiation } from "./negotiate-coding.ts";

const cases: [accepted: string | undefined, chosen: string][] = [
  [undefined, "identity"],
  ["", "identity"],
  ["gzip", "gzip"],
  ["GZIP", "gzip"],
  ["x-gzip", "gzip"],
  ["gzip, deflate, br, zstd", "zstd"],
  ["gzip, deflate, br", "br"],
  ["gzip;q=1.0, br;q=0.5", "gzip"],
  ["gzip;q=0", "identity"],
  ["*", "zstd"],
  ["*;q=0.5, zstd;q=0", "br"],
  ["gzip;q=0.5, *;q=0", "gzip"],
  ["identity, gzip", "gzip"],
  ["identity;q=1, gzip;q=0.5", "identity"],
  ["identity;q=0", "identity"],
  ["deflate", "identity"],
  ["gzip;q=2", "identity"],
  ["gzip;q=0.12345", "identity"],
  ["gzip ; q=0.001", "gzip"],
  [",,gzip,", "gzip"],
  ["gzipped", "identity"],
];

for (const [accepted, chosen] of cases) {
  test(`Accept-Encoding: ${accepted ?? "none"} is answered with ${chosen}`, () => {
    const negotiation = new CodingNegotiation(["zstd", "br", "gzip"] as const);
    assert.deepEqual(
      [negotiation.choose(accepted), negotiation.choose(accepted)],
      [chosen, chosen],
    );
  });
}
