import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import { Fault } from "../../base/faults.ts";
import { ExchangeView } from "../../proxy/exchange-view.ts";
import { runPolicy } from "../../../test/support/policy-run.ts";
import type { PolicyScene } from "../../../test/support/policy-run.ts";
import requestLimits from "./request-limits.ts";

type Options = z.input<typeof requestLimits.schema>;

/** Status and code of the refusal, "" where the request goes on. */
async function refusal(options: Options, scene: PolicyScene): Promise<string> {
  const { verdict } = await runPolicy(requestLimits, options, scene);
  if (verdict === undefined) return "";
  assert.ok(verdict instanceof Fault);
  return `${verdict.status} ${verdict.code}`.trim();
}

const json = { "content-type": "application/json", "content-length": "2" };

const cases: [what: string, options: Options, scene: PolicyScene, expected: string][] = [
  ["a target at its limit", { uriMax: 10 }, { target: "/12345?a=1" }, ""],
  ["a target beyond it", { uriMax: 10 }, { target: "/123456?a=1" }, "414 uri"],
  ["an encoded target counts as sent", { uriMax: 10 }, { target: "/%61%61%61%61" }, "414 uri"],
  ["a query at its limit", { queryMax: 3 }, { target: "/long/path?a=1" }, ""],
  ["a query beyond it", { queryMax: 3 }, { target: "/?a=12" }, "414 query"],
  ["as many parameters as allowed", { queryParamsMax: 2 }, { target: "/?a&b=1" }, ""],
  ["one parameter more", { queryParamsMax: 2 }, { target: "/?a&b=1&c" }, "414 parameters"],
  ["empty parameters are none", { queryParamsMax: 2 }, { target: "/?&&a&&b&&" }, ""],
  ["no query at all", { queryParamsMax: 0 }, { target: "/" }, ""],
  [
    "as many headers as allowed, Host among them",
    { headerCountMax: 2 },
    { headers: { a: "1" } },
    "",
  ],
  ["one header more", { headerCountMax: 2 }, { headers: { a: ["1", "2"] } }, "431 count"],
  ["headers at their limit", { headersMax: 32 }, { headers: { "x-a": "12345678" } }, ""],
  ["headers beyond it", { headersMax: 31 }, { headers: { "x-a": "12345678" } }, "431 bytes"],
  ["a type that is listed", { contentTypes: "application/json" }, { headers: json }, ""],
  [
    "a type with parameters, in capitals",
    { contentTypes: "application/json" },
    { headers: { ...json, "content-type": "Application/JSON; charset=utf-8" } },
    "",
  ],
  ["a type without the suffix", { contentTypes: ["*+json", "image/*"] }, { headers: json }, "415"],
  [
    "a type that begins alike",
    { contentTypes: "application/json" },
    { headers: { ...json, "content-type": "application/jsonp" } },
    "415",
  ],
  [
    "two types",
    { contentTypes: ["application/*"] },
    { headers: { ...json, "content-type": ["application/json", "text/html"] } },
    "415",
  ],
  ["no type", { contentTypes: "*/*" }, { headers: { "content-length": "2" } }, "415"],
  ["no body", { contentTypes: "text/plain" }, { headers: { "content-type": "x/y" } }, ""],
  [
    "an empty body",
    { contentTypes: "text/plain" },
    { headers: { ...json, "content-length": "0" } },
    "",
  ],
  ["a length that is told", { requireLength: true }, { headers: json }, ""],
  [
    "a length that is not",
    { requireLength: true },
    { headers: { "transfer-encoding": "chunked" } },
    "411",
  ],
  ["no body to tell a length of", { requireLength: true }, { method: "POST" }, ""],
];

for (const [what, options, scene, expected] of cases) {
  const end = expected === "" ? "passes" : `is answered ${expected}`;
  test(`request-limits: ${what} ${end}`, async () => {
    assert.equal(await refusal(options, { method: "POST", ...scene }), expected);
  });
}

test("request-limits: who sends another type is told which would do", async () => {
  const options: Options = { contentTypes: ["application/json", "*+json"] };
  const headers = { ...json, "content-type": "text/plain" };
  const { verdict } = await runPolicy(requestLimits, options, { headers });
  assert.deepEqual((verdict as Fault).headers, { accept: "application/json" });
});

test("request-limits: the limit of the body becomes the exchange's own", async (t) => {
  const limitBody = t.mock.method(ExchangeView.prototype, "limitBody");
  await refusal({ bodyMax: "1kb" }, {});
  await refusal({ bodyMax: "none" }, {});
  await refusal({ uriMax: 100 }, {});
  assert.deepEqual(
    limitBody.mock.calls.map((call) => call.arguments),
    [[1024], [0]],
  );
});

test("request-limits: a use without any limit is a mistake", () => {
  const check = (options: Options) =>
    requestLimits.check!(requestLimits.schema.parse(options), {} as never).length;
  assert.equal(check({}), 1);
  assert.equal(check({ requireLength: true }), 0);
  assert.equal(check({ queryParamsMax: 0 }), 0);
  assert.equal(check({ bodyMax: "none" }), 0);
});

test("request-limits: what is no size or media type is refused", () => {
  const wrong: unknown[] = [{ bodyMax: "much" }, { contentTypes: "json" }, { uriMax: 0 }];
  for (const options of wrong) assert.equal(requestLimits.schema.safeParse(options).success, false);
});
