import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/fast-check.ts";
import { RoutingError } from "../routing-error.ts";
import { compileRegex } from "./compile-dfa.ts";
import { commonText } from "./intersect.ts";

function accepts(source: string, text: string): boolean {
  return compileRegex(source).test(text, 0, text.length);
}

function refusal(source: string): RoutingError {
  try {
    compileRegex(source);
  } catch (error) {
    if (error instanceof RoutingError) return error;
    throw error;
  }
  throw new Error(`${source} was accepted`);
}

test("expressions: match the whole text, with or without anchors", () => {
  assert.equal(accepts("\\d+", "123"), true);
  assert.equal(accepts("^\\d+$", "123"), true);
  assert.equal(accepts("\\d+", "a123"), false);
  assert.equal(accepts("\\d+", "123b"), false);
  assert.equal(accepts("a|bc", "bc"), true);
  assert.equal(accepts("a|bc", "ac"), false);
});

test("expressions: a range of a longer text is matched in place", () => {
  assert.equal(compileRegex("\\d{3}").test("ab123cd", 2, 5), true);
  assert.equal(compileRegex("\\d{3}").test("ab123cd", 2, 6), false);
});

test("expressions: the case of ASCII letters can be ignored", () => {
  assert.equal(accepts("(?i)ab[c-e]", "AbD"), true);
  assert.equal(accepts("ab", "AB"), false);
});

test("expressions: characters beyond latin1 are told apart", () => {
  assert.equal(accepts("[а-я]+", "привет"), true);
  assert.equal(accepts("[а-я]+", "hello"), false);
  assert.equal(accepts(".", "\u4e2d"), true);
  assert.equal(accepts("\\w", "\u4e2d"), false);
});

test("expressions: a repeated group of repeats takes linear time", () => {
  const dfa = compileRegex("(a+)+b");
  const text = "a".repeat(200_000);
  const startedAt = performance.now();
  assert.equal(dfa.test(text, 0, text.length), false);
  // A backtracking engine would not return within the age of the universe.
  assert.ok(performance.now() - startedAt < 10_000);
});

test("expressions: what needs backtracking is refused with its place and what to do", () => {
  assert.match(refusal("(a)\\1").message, /backreferences/);
  assert.equal(refusal("(a)\\1").position, 3);
  assert.match(refusal("(?=a)b").message, /lookahead/);
  assert.match(refusal("(?<!a)b").message, /lookbehind/);
  assert.match(refusal("\\bfoo").message, /word boundaries/);
  assert.match(refusal("\\p{L}").message, /Unicode properties/);
  assert.match(refusal("a^b").message, /\^/);
});

test("expressions: mistakes are refused", () => {
  for (const source of [
    "(a",
    "a)",
    "[a",
    "*a",
    "a**",
    "a++",
    "[]",
    "[b-a]",
    "\\",
    "\\y",
    "a{3,2}",
  ]) {
    assert.ok(refusal(source).message.length > 0, source);
    assert.ok(refusal(source).hint !== undefined, source);
  }
});

test("expressions: one that would take too much memory is refused", () => {
  assert.match(refusal("(a|b)*a(a|b){20}").message, /too many states/);
  assert.match(refusal("((\\w{100}){100}){100}").message, /too many states/);
  assert.match(refusal("((){1000}){1000}").message, /too many states/);
  assert.match(refusal("(".repeat(60) + "a" + ")".repeat(60)).message, /too deeply/);
});

const atom = fc.constantFrom(
  "a",
  "b",
  ".",
  "[ab]",
  "[^a]",
  "\\d",
  "\\w",
  "-",
  "\\.",
  "(?:a|b)",
  "1",
);
const quantified = fc
  .tuple(atom, fc.constantFrom("", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "*?"))
  .map((parts) => parts.join(""));
const sequence = fc.array(quantified, { maxLength: 4 }).map((parts) => parts.join(""));
const expression = fc
  .tuple(sequence, sequence, fc.constantFrom("", "*", "+", "?"))
  .map(([left, right, quantifier]) => `(${left}|${right})${quantifier}${left}`);
const subject = fc.string({
  unit: fc.constantFrom("a", "b", "1", ".", "-", "\n", "é"),
  maxLength: 8,
});

test("expressions: agree with JavaScript's own wherever both can tell", () => {
  fc.assert(
    fc.property(expression, fc.array(subject, { maxLength: 20 }), (source, subjects) => {
      const dfa = compileRegex(source);
      const native = new RegExp(`^(?:${source})$`);
      for (const text of subjects) {
        assert.equal(dfa.test(text, 0, text.length), native.test(text), `${source} on ${text}`);
      }
    }),
    { numRuns: 1500 },
  );
});

test("expressions: a text common to two is found if and only if there is one", () => {
  assert.equal(commonText(compileRegex("\\d+"), compileRegex("[a-z]+")), undefined);
  assert.equal(commonText(compileRegex("\\d*"), compileRegex("[a-z]*")), undefined);
  assert.equal(commonText(compileRegex("\\d{3}"), compileRegex("[0-9]+")), "111");
  fc.assert(
    fc.property(expression, expression, subject, (left, right, text) => {
      const [first, second] = [compileRegex(left), compileRegex(right)];
      const common = commonText(first, second);
      if (common !== undefined) {
        assert.ok(first.test(common, 0, common.length), `${common} of ${left}`);
        assert.ok(second.test(common, 0, common.length), `${common} of ${right}`);
      } else if (text !== "") {
        const both = first.test(text, 0, text.length) && second.test(text, 0, text.length);
        assert.equal(both, false, `${left} and ${right} both match ${text}`);
      }
    }),
    { numRuns: 1000 },
  );
});
