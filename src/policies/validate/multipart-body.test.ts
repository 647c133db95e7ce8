import assert from "node:assert/strict";
import { test } from "node:test";
import { testPolicy } from "../../testing/test-policy.ts";
import { readParts } from "./multipart-parts.ts";
import validate from "./validate.ts";

const text = (name: string, content: string, more = ""): string =>
  `--b\r\nContent-Disposition: form-data; name="${name}"\r\n${more}\r\n${content}\r\n`;
const END = "--b--\r\n";

const document = (encoding: object = {}) =>
  JSON.stringify({
    openapi: "3.1.0",
    info: { title: "t", version: "1" },
    paths: {
      "/files": {
        post: {
          requestBody: {
            required: true,
            content: {
              "multipart/form-data": {
                schema: {
                  type: "object",
                  required: ["title"],
                  properties: {
                    title: { type: "string", minLength: 2 },
                    count: { type: "integer" },
                    tags: { type: "array", items: { type: "string", maxLength: 3 } },
                    meta: {
                      type: "object",
                      properties: { a: { type: "integer" } },
                      additionalProperties: false,
                    },
                    file: { type: "string", format: "binary", maxLength: 8 },
                  },
                  additionalProperties: false,
                },
                encoding,
              },
            },
          },
          responses: {},
        },
      },
    },
  });

async function outcome(
  body: string | Buffer,
  encoding?: object,
  options: object = {},
): Promise<string> {
  await using subject = await testPolicy(
    validate,
    { openapi: "api.json", ...options },
    { files: { "api.json": document(encoding) } },
  );
  const { status, problem } = await subject.request({
    method: "POST",
    path: "/files",
    headers: { "content-type": "multipart/form-data; boundary=b" },
    body,
  });
  const { errors = [] } = (problem ?? {}) as { errors?: Record<string, string>[] };
  return [status, ...errors.map(({ path, message }) => `${path} ${message}`)].join("\n");
}

const file = (content: string, type: string): string =>
  `--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\nContent-Type: ${type}\r\n\r\n${content}\r\n`;
const json = "Content-Type: application/json\r\n";

const bodies: [what: string, body: string | Buffer, expected: string, encoding?: object][] = [
  [
    "fields that fit",
    text("title", "abc") + text("count", "3") + text("tags", "x") + text("tags", "y") + END,
    "200",
  ],
  [
    "bytes that are no text",
    Buffer.from(text("title", "abc") + file("\xff\x00\r\n--c", "image/png") + END, "latin1"),
    "200",
  ],
  [
    "everything that is wrong",
    text("title", "a") + text("count", "3x") + text("tags", "long") + text("more", "") + END,
    "400\n/more is not known here\n/title must NOT have fewer than 2 characters\n/count must be integer\n/tags/0 must NOT have more than 3 characters",
  ],
  ["a field that is missing", text("count", "3") + END, "400\n/title is required"],
  [
    "a field twice",
    text("title", "abc") + text("title", "def") + END,
    "400\n/title must not be given more than once",
  ],
  ["an object as JSON", text("title", "abc") + text("meta", '{"a":1}', json) + END, "200"],
  [
    "an object that does not fit",
    text("title", "abc") + text("meta", '{"a":"1","b":2}') + END,
    "400\n/meta/b is not known here\n/meta/a must be integer",
  ],
  [
    "an object with a name twice",
    text("title", "abc") + text("meta", '{"a":1,"a":2}') + END,
    "400\n/meta has a name twice in one object",
  ],
  [
    "text as JSON",
    text("title", '"abc"', json) + END,
    "400\n/title has a Content-Type that is not described",
  ],
  [
    "text that is no UTF-8",
    Buffer.from(text("title", "ab\xff") + END, "latin1"),
    "400\n/title must be UTF-8",
  ],
  [
    "another charset",
    text("title", "abc", "Content-Type: text/plain; charset=utf-7\r\n") + END,
    "400\n/title must be UTF-8",
  ],
  [
    "a charset for all of it",
    text("title", "abc") + text("_charset_", "utf-16") + END,
    "400\n/_charset_ must be UTF-8",
  ],
  [
    "a file of a type that is described",
    text("title", "abc") + file("x", "image/png") + END,
    "200",
    { file: { contentType: "image/png, image/jpeg" } },
  ],
  [
    "a file of another type",
    text("title", "abc") + file("x", "text/html") + END,
    "400\n/file has a Content-Type that is not described",
    { file: { contentType: "image/*" } },
  ],
  [
    "a file that is too long",
    text("title", "abc") + file("123456789", "image/png") + END,
    "400\n/file must NOT have more than 8 characters",
  ],
  [
    "a list as one part of JSON",
    text("title", "abc") + text("tags", '["x","long"]', json) + END,
    "400\n/tags/1 must NOT have more than 3 characters",
    { tags: { contentType: "application/json" } },
  ],
  [
    "the name __proto__",
    text("title", "abc") + text("__proto__", "x") + END,
    "400\n/__proto__ is not known here",
  ],
];

for (const [what, body, expected, encoding] of bodies) {
  test(`multipart body: ${what}`, async () => {
    assert.equal(await outcome(body, encoding), expected);
  });
}

test("multipart body: where it is to pass, it does so whatever it is and however long", async () => {
  assert.equal(await outcome("x".repeat(5000), {}, { multipart: "pass", bodyMax: "1kb" }), "200");
  assert.match(await outcome("x".repeat(5000), {}, { bodyMax: "1kb" }), /^413/);
});

const name = 'Content-Disposition: form-data; name="a"';
const tricks: [what: string, body: string, flaw: RegExp][] = [
  [
    "text before the first part",
    `x\r\n--b\r\n${name}\r\n\r\n1\r\n${END}`,
    /begin with its boundary/,
  ],
  ["no final boundary", `--b\r\n${name}\r\n\r\n1\r\n`, /no end/],
  ["a final boundary that is cut", `--b\r\n${name}\r\n\r\n1\r\n--b-`, /within a longer line/],
  [
    "something after the end",
    `--b\r\n${name}\r\n\r\n1\r\n--b--\r\n--b\r\n${name}\r\n\r\n2\r\n--b--`,
    /after its end/,
  ],
  ["a boundary that goes on", `--b\r\n${name}\r\n\r\n1\r\n--bc\r\n${END}`, /within a longer line/],
  ["a boundary with spaces after it", `--b \r\n${name}\r\n\r\n1\r\n${END}`, /within a longer line/],
  [
    "a boundary after a bare LF",
    `--b\r\n${name}\r\n\r\n1\n--b\r\n${name}\r\n\r\n2\r\n${END}`,
    /half an end/,
  ],
  ["a boundary after a bare CR", `--b\r\n${name}\r\n\r\n1\r--b--\r\n${END}`, /half an end/],
  ["lines that end in LF", `--b\n${name}\n\n1\n--b--\n`, /within a longer line/],
  ["a part without a header", `--b\r\n\r\n1\r\n${END}`, /without an end of its header|malformed/],
  ["a boundary within the header", `--b\r\n${name}\r\n--b--\r\n`, /without an end of its header/],
  [
    "a header of more than 4 kB",
    `--b\r\n${name}\r\nX: ${"x".repeat(5000)}\r\n\r\n1\r\n${END}`,
    /too long/,
  ],
  ["a folded header", `--b\r\n${name};\r\n filename="x"\r\n\r\n1\r\n${END}`, /malformed/],
  ["a bare LF in a header", `--b\r\n${name}\nX: 1\r\n\r\n1\r\n${END}`, /malformed/],
  ["a header twice", `--b\r\n${name}\r\n${name}\r\n\r\n1\r\n${END}`, /same header twice/],
  ["space before the colon", `--b\r\n${name.replace(":", " :")}\r\n\r\n1\r\n${END}`, /malformed/],
  ["a name twice", `--b\r\n${name}; name="b"\r\n\r\n1\r\n${END}`, /names no field/],
  [
    "a name with a backslash",
    `--b\r\n${name.replace('a"', 'a\\"; x="')}\r\n\r\n1\r\n${END}`,
    /names no field/,
  ],
  ["filename*", `--b\r\n${name}; filename*=utf-8''x\r\n\r\n1\r\n${END}`, /names no field/],
  ["no name", `--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n${END}`, /names no field/],
  [
    "an encoding of its own",
    `--b\r\n${name}\r\nContent-Transfer-Encoding: base64\r\n\r\n1\r\n${END}`,
    /Transfer-Encoding/,
  ],
  [
    "more than 1000 parts",
    `--b\r\n${name}\r\n\r\n1\r\n`.repeat(1001) + END,
    /more than 1000 parts/,
  ],
];

for (const [what, body, flaw] of tricks) {
  test(`multipart body: ${what} is refused, which readers take differently`, () => {
    assert.match(readParts(Buffer.from(body), "b").flaw ?? "", flaw);
  });
}

test("multipart body: a boundary is of the characters that are allowed", () => {
  for (const boundary of ["", "a\r\nb", "a b ", "x".repeat(71), "é"]) {
    assert.match(readParts(Buffer.from("--"), boundary).flaw ?? "", /boundary/);
  }
});

test("multipart body: content is what stands between the boundaries, to the byte", () => {
  const body = `--b\r\n${name}\r\n\r\n\r\n x--b\r\n\r\n--b\r\n${name}\r\n\r\n\r\n--b--`;
  const { parts = [] } = readParts(Buffer.from(body), "b") as { parts?: { content: Buffer }[] };
  assert.deepEqual(
    parts.map(({ content }) => String(content)),
    ["\r\n x--b\r\n", ""],
  );
});
