import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../json-value.ts";
import { compileText, type TextEscape } from "./text-format.ts";

const order = {
  id: 7,
  user: { name: "A & <B>", tags: [] },
  lines: [
    { sku: "x", parts: ["p", "q"] },
    { sku: "y", gift: true },
  ],
};

const cases: [template: string, text: string, escape?: TextEscape][] = [
  ["Order {id} of {user.name}{missing}.", "Order 7 of A & <B>."],
  ["{lines[1].sku}{lines[9].sku}{user.constructor}", "y"],
  ["{#lines}{sku};{/}", "x;y;"],
  ["{#lines}{sku}:{#parts}[{.}]{/}{#gift}gift{/}\n{/}", "x:[p][q]\ny:gift\n"],
  ["{#user.tags}never{/}{#none}never{/}{#user}{name}{/user}", "A & <B>"],
  ["{{id}} {user.tags}", "{id} []"],
  ["<n a='{user.name}'/>", "<n a='A &#38; &#60;B&#62;'/>", "xml"],
];

for (const [template, text, escape = "none"] of cases) {
  test(`text: ${JSON.stringify(template)} gives ${JSON.stringify(text)}`, () => {
    assert.equal(compileText(template, escape)(order), text);
  });
}

test("text: what clients send cannot get out of its place", () => {
  const written = (escape: TextEscape, value: Json) => compileText("{a}", escape)({ a: value });
  assert.equal(written("xml", "\u0000</a>\r\"'"), "&#60;/a&#62;&#13;&#34;&#39;");
  assert.equal(written("json", '"\n\u0001'), String.raw`\"\n\u0001`);
  assert.equal(written("csv", 'a,"b"'), '"a,""b"""');
  assert.equal(written("csv", "=cmd()"), "'=cmd()");
  assert.equal(written("csv", -1.5), "-1.5");
  assert.equal(written("none", "{b}"), "{b}");
});

test("text: a result that grows without measure is refused", () => {
  const list = Array.from({ length: 100_000 }, () => 1);
  const run = compileText(`{#list}${"x".repeat(1000)}{/}`, "none");
  assert.throws(() => run({ list }), { code: "too-large" });
});

test("text: what is no template is refused", () => {
  for (const template of ["{", "}", "{a", "{#a}", "{/}", "{a..b}", "{a[]}", "{*}", "{}"]) {
    assert.throws(() => compileText(template, "none"), { name: "Refusal" }, template);
  }
});
