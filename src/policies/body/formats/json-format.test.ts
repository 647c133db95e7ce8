import assert from "node:assert/strict";
import { test } from "node:test";
import { BodyFlaw } from "../body-flaw.ts";
import { jsonFormat } from "./json-format.ts";

function rewritten(text: string | Buffer): string {
  return jsonFormat
    .write(jsonFormat.read(Buffer.from(text as string), "application/json"))
    .toString();
}

function flawOf(text: string | Buffer, contentType = "application/json"): string {
  try {
    jsonFormat.read(Buffer.from(text as string), contentType);
  } catch (error) {
    assert.ok(error instanceof BodyFlaw);
    return `${error.kind} ${error.code}`;
  }
  return "";
}

test("JSON: numbers keep their digits, whatever a double holds", () => {
  const numbers = [
    "9007199254740993",
    "12345678901234567890",
    "-0.12345678901234567890123",
    "1e400",
    "-1E-400",
    "1.0e5",
  ];
  const text = `{"list":[${numbers.join(",")}],"n":${numbers[0]}}`;
  assert.equal(rewritten(text), text);
  assert.equal(rewritten(numbers[1]!), numbers[1]);
});

test("JSON: ordinary numbers stay numbers", () => {
  const value = jsonFormat.read(Buffer.from("[1,-2.5,1700000000000,0.30000000000000004]"), "a/b");
  assert.deepEqual(value, [1, -2.5, 1700000000000, 0.30000000000000004]);
});

test("JSON: a million digits take no time that matters", () => {
  const text = "9".repeat(1_000_000);
  assert.equal(rewritten(text), text);
});

test("JSON: quotes, braces, colons and digits in strings are text", () => {
  const tricky = String.raw`{"a\\":"{\"b\":[1234567890123456789]","c\\\"":["}",":"]}`;
  assert.equal(rewritten(tricky), tricky);
});

test("JSON: a mark of byte order is dropped", () => {
  assert.equal(rewritten("\ufeff{}"), "{}");
});

const refused: [what: string, text: string | Buffer, flaw: string][] = [
  ["no JSON", "{", "malformed not-json"],
  ["nothing but blanks", "  ", "malformed not-json"],
  ["an unended string", String.raw`{"a":"\"`, "malformed not-json"],
  ["two documents", "{} {}", "malformed not-json"],
  ["a name that comes twice", '{"a":1,"b":{"c":1,"c":2}}', "malformed doubled-name"],
  [
    "a name that comes twice, once escaped",
    String.raw`[{"a":1,"\u0061":2}]`,
    "malformed doubled-name",
  ],
  ["__proto__", '{"a":[{"__proto__":{"x":1}}]}', "malformed reserved-name"],
  ["__proto__ escaped", String.raw`{"__pro\u0074o__":1}`, "malformed reserved-name"],
  ["lists in lists without end", "[".repeat(500_000), "malformed too-deep"],
  ["maps in maps", `${'{"a":'.repeat(65)}1${"}".repeat(65)}`, "malformed too-deep"],
  ["bytes that are not UTF-8", Buffer.from([0x22, 0xc3, 0x28, 0x22]), "malformed not-utf8"],
  ["UTF-16", Buffer.from('{"a":1}', "utf16le"), "malformed not-json"],
];

for (const [what, text, flaw] of refused) {
  test(`JSON: ${what} is refused`, () => {
    assert.equal(flawOf(text), flaw);
  });
}

const places: [text: string, place: string][] = [
  ["", "line 1, column 1"],
  ["{", "line 1, column 2"],
  ['{"a":1,}', "line 1, column 8"],
  ['{\n  "a": 1\n  "b": 2 }', "line 3, column 3"],
  ["[1 2]", "line 1, column 4"],
  ["[01]", "line 1, column 2"],
  ["[1,]", "line 1, column 4"],
  ["{} {}", "line 1, column 4"],
  [String.raw`["\x"]`, "line 1, column 3"],
  ['"a\nb"', "line 1, column 3"],
  ['{"a":{"b":1,\r\n"\\u0062":2}}', "line 2, column 1"],
  ['{"a":1,"b":{"__proto__":2}}', "line 1, column 13"],
  ["[nul]", "line 1, column 2"],
];

test("JSON: what is refused is told with its place", () => {
  for (const [text, place] of places) {
    const read = () => jsonFormat.read(Buffer.from(text), "application/json");
    assert.throws(read, (error) => (error as Error).message.endsWith(`: ${place}.`), text);
  }
});

test("JSON: 64 levels are read", () => {
  assert.equal(flawOf("[".repeat(64) + "]".repeat(64)), "");
});

test("JSON: charsets other than UTF-8 are refused, also where there are two", () => {
  assert.equal(flawOf("{}", "application/json; charset=utf-8"), "");
  assert.equal(flawOf("{}", 'application/json;charset="UTF-8"; x=y'), "");
  for (const charset of ["utf-16", "iso-8859-1", "utf-7", "utf-8; charset=utf-16", "''"]) {
    assert.equal(
      flawOf("{}", `application/json; charset=${charset}`),
      "unsupported charset",
      charset,
    );
  }
});
