import assert from "node:assert/strict";
import { test } from "node:test";
import { blankInsides, codeOnly } from "./code-only.ts";

test("code only: comments, strings and expressions lose their insides and keep their place", () => {
  const text = `const a = "one"; // two\nconst b = /t[/]h"ree/g; /* 4 */ f('it\\'s');\n`;
  const code = codeOnly(text);
  assert.doesNotMatch(code, /one|two|h"ree|4|it/);
  assert.equal(code.indexOf("f('"), text.indexOf("f('"));
  assert.equal(code.indexOf("\n"), text.indexOf("\n"));
});

test("code only: what a template inserts is code, its text is not", () => {
  const code = codeOnly("const a = `x ${f({ b: `y ${await z}` })} async`; async();");
  assert.match(code, /f\(\{ b: `/);
  assert.match(code, /await z/);
  assert.equal(code.match(/async/g)?.length, 1);
});

test("code only: types are gone, so that an arrow is a function", () => {
  assert.doesNotMatch(codeOnly("let f: (a: number) => void; interface A { b: () => C }"), /=>/);
  assert.match(codeOnly("const f = (a: number): void => {};"), /=>/);
});

test("code only: a division is not taken for an expression", () => {
  assert.match(codeOnly("const a = b / c; const d = e / f;"), /b \/ c; const d = e \/ f;/);
});

test("code only: types can be kept", () => {
  const text = `import type { A } from "./a.ts"; // from "./b.ts"`;
  assert.equal(blankInsides(text).trim(), `import type { A } from "      ";`);
});
