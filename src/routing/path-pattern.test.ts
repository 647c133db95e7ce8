import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePathPattern } from "./path-pattern.ts";
import { RoutingError } from "./routing-error.ts";

function refusal(source: string): RoutingError {
  try {
    parsePathPattern(source);
  } catch (error) {
    if (error instanceof RoutingError) return error;
    throw error;
  }
  throw new Error(`${source} was accepted`);
}

/** Segments in short: literals as they are, others by kind and names. */
function shape(source: string): string[] {
  return parsePathPattern(source).segments.map((segment) => {
    if (segment.kind === "literal") return segment.text;
    const names = segment.kind === "matched" ? segment.names.join() : segment.name;
    return `<${segment.kind} ${names}>`;
  });
}

test("path patterns: are parsed segment by segment", () => {
  assert.deepEqual(shape("/"), [""]);
  assert.deepEqual(shape("/a/b"), ["a", "b"]);
  assert.deepEqual(shape("/a/"), ["a", ""]);
  assert.deepEqual(shape("/users/:id/*"), ["users", "<param id>", "<rest *>"]);
  assert.deepEqual(shape("/files/*path"), ["files", "<rest path>"]);
  assert.deepEqual(shape("/:id(\\d+)/x"), ["<matched id>", "x"]);
  assert.deepEqual(shape("/:name.:ext"), ["<matched name,ext>"]);
  assert.deepEqual(shape("/v:major(\\d+)"), ["<matched major>"]);
  assert.deepEqual(shape("/:id([^)/]+)/y"), ["<matched id>", "y"]);
});

test("path patterns: parameters are listed from left to right", () => {
  assert.deepEqual(parsePathPattern("/:a/:b-:c/*").paramNames, ["a", "b", "c", "*"]);
  assert.equal(parsePathPattern("/:a/*rest").hasRest, true);
  assert.equal(parsePathPattern("/:a").hasRest, false);
});

test("path patterns: literals are normalised as paths are", () => {
  assert.deepEqual(shape("/caf%c3%a9/%7ex/a|b"), ["caf%C3%A9", "~x", "a%7Cb"]);
  assert.deepEqual(shape("/café"), ["caf%C3%A9"]);
  assert.deepEqual(shape("/a%2fb"), ["a%2Fb"]);
});

test("path patterns: a backslash takes the meaning of a character away", () => {
  assert.deepEqual(shape("/v1/items\\:batch"), ["v1", "items:batch"]);
  assert.deepEqual(shape("/a\\*b\\(c\\)"), ["a*b(c)"]);
  assert.equal(refusal("/a\\b").position, 2);
});

test("path patterns: mistakes are refused with their place and what would be right", () => {
  const cases: [source: string, position: number, message: RegExp, hint: RegExp][] = [
    ["users", 0, /begins with a slash/, /`\/users`/],
    ["https://x/y", 0, /begins with a slash/, /hosts/],
    ["/a/*/b", 4, /follows the `\*`/, /:name/],
    ["/a*", 2, /within a segment/, /\/\*/],
    ["/{id}", 1, /`\{`/, /:name/],
    ["/:id?", 4, /optional/, /route for each/],
    ["/:id+", 4, /one segment/, /\/\*/],
    ["/:", 1, /no name/, /:name/],
    ["/a/:1", 3, /no name/, /:name/],
    ["/:a:b", 3, /unclear/, /between them/],
    ["/(a|b)", 1, /no parameter/, /:name/],
    ["/a//b", 3, /empty segment/, /merged/],
    ["/a/../b", 3, /no request/, /dot segments/],
    ["/a/%2e", 3, /no request/, /dot segments/],
    ["/a/..;x", 3, /no request/, /dot segments/],
    ["/a?b=c", 2, /`\?`/, /`query`/],
    ["/a b", 2, /space/, /%20/],
    ["/a%2", 1, /escape/, /%25/],
    ["/:a/:a", 4, /two parameters/, /rename/],
    ["/:id(\\d+", 4, /without its/, /close/],
    ["/:id(a(?!b))", 6, /lookahead/, /group|\(\.\.\.\)/],
    ["/:id(a/b)", 5, /matches no segment/, /slash/],
    ["/:id(é)", 5, /matches no segment/, /percent-encoded/],
  ];
  for (const [source, position, message, hint] of cases) {
    const error = refusal(source);
    assert.equal(error.position, position, source);
    assert.match(error.message, message, source);
    assert.match(error.hint ?? "", hint, source);
  }
});

test("path patterns: the number of parameters is bounded", () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) => `/:p${index}`).join("");
  assert.equal(parsePathPattern(many(32)).paramNames.length, 32);
  assert.match(refusal(many(33)).message, /too many/);
});
