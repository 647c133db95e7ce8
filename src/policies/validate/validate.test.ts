import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import { testPolicy, type TestPolicyRequest } from "../../testing/test-policy.ts";
import validate from "./validate.ts";

type Options = z.input<typeof validate.schema>;

/** A document of one version with operations under `paths`. */
function documentOf(paths: unknown, components: unknown = {}, openapi = "3.1.0"): string {
  return JSON.stringify({ openapi, info: { title: "t", version: "1" }, paths, components });
}

/** Status of the answer and what is wrong, one line for each error; "" where the service was asked. */
async function outcome(
  content: string,
  request: TestPolicyRequest,
  options: Partial<Options> = {},
): Promise<string> {
  await using subject = await testPolicy(
    validate,
    { openapi: "api.json", ...options },
    { files: { "api.json": content } },
  );
  const { status, problem, sent } = await subject.request(request);
  if (status === 200) {
    assert.ok(sent !== undefined);
    return "";
  }
  const { errors = [] } = (problem ?? {}) as { errors?: Record<string, string>[] };
  const lines = errors.map(
    (one) => `${one["in"]} ${one["name"] ?? ""}${one["path"]}: ${one["message"]}`,
  );
  return [String(status), ...lines].join("\n");
}

/** One operation with these parameters. */
const withParameters = (path: string, ...parameters: unknown[]) =>
  documentOf({ [path]: { get: { parameters, responses: {} } } });

const integer = { type: "integer" };
const list = { type: "array", items: integer, maxItems: 3 };
const point = {
  type: "object",
  properties: { x: integer, y: integer },
  required: ["x", "y"],
  additionalProperties: false,
};
const query = (schema: unknown, more: object = {}) =>
  withParameters("/a", { in: "query", name: "q", schema, ...more });
const inPath = (schema: unknown, more: object = {}) =>
  withParameters("/a/{q}", { in: "path", name: "q", required: true, schema, ...more });

test("validate: a parameter that is JSON is known where unknown ones are refused", async () => {
  const content = withParameters("/a", {
    in: "query",
    name: "q",
    content: { "application/json": { schema: point } },
  });
  const strict: Partial<Options> = { unknownQuery: "refuse" };
  assert.equal(await outcome(content, { path: "/a?q=%7B%22x%22:1,%22y%22:2%7D" }, strict), "");
  assert.equal(
    await outcome(content, { path: "/a?x=1" }, strict),
    "400\nquery x: is not known here",
  );
});

const parameterCases: [what: string, content: string, path: string, expected: string][] = [
  ["an integer", query(integer), "/a?q=12", ""],
  ["what is none", query(integer), "/a?q=1x", "400\nquery q: must be integer"],
  ["an exponent", query(integer), "/a?q=1e3", "400\nquery q: must be integer"],
  ["leading zeros", query(integer), "/a?q=007", "400\nquery q: must be integer"],
  [
    "a number beyond int32",
    query({ type: "integer", format: "int32" }),
    "/a?q=4294967296",
    '400\nquery q: must match format "int32"',
  ],
  [
    "a number beyond int64",
    query({ type: "integer", format: "int64" }),
    "/a?q=99999999999999999999",
    '400\nquery q: must match format "int64"',
  ],
  [
    "the largest int64",
    query({ type: "integer", format: "int64" }),
    "/a?q=9223372036854775807",
    "",
  ],
  ["a boolean", query({ type: "boolean" }), "/a?q=true", ""],
  ["another word for it", query({ type: "boolean" }), "/a?q=yes", "400\nquery q: must be boolean"],
  ["text of digits", query({ type: "string", minLength: 3 }), "/a?q=123", ""],
  [
    "a parameter twice",
    query(integer),
    "/a?q=1&q=2",
    "400\nquery q: must not be given more than once",
  ],
  [
    "a name in another spelling",
    query(integer),
    "/a?q=1&%71=2",
    "400\nquery q: must not be given more than once",
  ],
  [
    "none where it is required",
    query(integer, { required: true }),
    "/a",
    "400\nquery q: is required",
  ],
  ["none where it is not", query(integer), "/a", ""],
  ["an empty one", query(integer), "/a?q=", "400\nquery q: must be integer"],
  ["an empty one where that is allowed", query(integer, { allowEmptyValue: true }), "/a?q", ""],
  [
    "a broken escape",
    query({ type: "string" }),
    "/a?q=%zz",
    "400\nquery q: is not correctly percent-encoded UTF-8",
  ],
  [
    "bytes that are no UTF-8",
    query({ type: "string" }),
    "/a?q=%ff",
    "400\nquery q: is not correctly percent-encoded UTF-8",
  ],
  ["a list, exploded", query(list), "/a?q=1&q=2", ""],
  ["an item that is wrong", query(list), "/a?q=1&q=x", "400\nquery q/1: must be integer"],
  ["a list with commas", query(list, { explode: false }), "/a?q=1,2,3", ""],
  [
    "a comma that is encoded",
    query({ type: "array", items: { enum: ["a,b"] } }, { explode: false }),
    "/a?q=a%2Cb",
    "",
  ],
  [
    "a list that is too long",
    query(list, { explode: false }),
    "/a?q=1,2,3,4",
    "400\nquery q: must NOT have more than 3 items",
  ],
  [
    "a list with spaces",
    query(list, { style: "spaceDelimited", explode: false }),
    "/a?q=1%202+3",
    "",
  ],
  [
    "a list with pipes",
    query(list, { style: "pipeDelimited", explode: false }),
    "/a?q=1%7C2|3",
    "",
  ],
  ["a map, exploded", query(point), "/a?x=1&y=2", ""],
  ["a map with commas", query(point, { explode: false }), "/a?q=x,1,y,2", ""],
  ["a map with brackets", query(point, { style: "deepObject" }), "/a?q[x]=1&q%5By%5D=2", ""],
  [
    "brackets with another property",
    query(point, { style: "deepObject" }),
    "/a?q[x]=1&q[y]=2&q[z]=3",
    "400\nquery q/z: is not known here",
  ],
  [
    "brackets within brackets",
    query(point, { style: "deepObject" }),
    "/a?q[x][y]=1",
    "400\nquery q: must be written q[property]=value",
  ],
  [
    "brackets of a prototype",
    query(point, { style: "deepObject" }),
    "/a?q[x]=1&q[y]=1&q[__proto__]=1",
    "400\nquery q/__proto__: is not known here",
  ],
  [
    "JSON in a parameter",
    withParameters("/a", {
      in: "query",
      name: "q",
      content: { "application/json": { schema: point } },
    }),
    "/a?q=%7B%22x%22:1,%22y%22:2%7D",
    "",
  ],
  [
    "what is no JSON there",
    withParameters("/a", {
      in: "query",
      name: "q",
      content: { "application/json": { schema: point } },
    }),
    "/a?q=%7B",
    "400\nquery q: is not JSON",
  ],
  ["a path parameter", inPath(integer), "/a/7", ""],
  ["one that does not fit", inPath(integer), "/a/b", "400\npath q: must be integer"],
  ["one that is encoded", inPath({ const: "a b" }), "/a/a%20b", ""],
  ["a list in the path", inPath(list), "/a/1,2", ""],
  ["a label", inPath(integer, { style: "label" }), "/a/.7", ""],
  [
    "a label without its dot",
    inPath(integer, { style: "label" }),
    "/a/7",
    "400\npath q: must begin with a dot",
  ],
  [
    "a label with a list, exploded",
    inPath(list, { style: "label", explode: true }),
    "/a/.1.2.3",
    "",
  ],
  [
    "a label with a map, exploded",
    inPath(point, { style: "label", explode: true }),
    "/a/.x=1.y=2",
    "",
  ],
  ["a map in the path, exploded", inPath(point, { explode: true }), "/a/x=1,y=2", ""],
  ["a path that is not described", query(integer), "/b", "404"],
  ["a path with more behind it", query(integer), "/a/b", "404"],
];

for (const [what, content, path, expected] of parameterCases) {
  test(`validate: ${what}: ${expected === "" ? "passes" : expected.replace("\n", " ")}`, async () => {
    assert.equal(await outcome(content, { path }), expected);
  });
}

test("validate: no more errors are told than may be, and that there are more", async () => {
  const items = { type: "integer" };
  const request = { body: { type: "array", items } };
  await using subject = await testPolicy(validate, { request, errorsMax: 3 });
  const ask = async (values: string[]) => {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify(values);
    const { problem } = await subject.request({ method: "POST", headers, body });
    return [(problem as unknown as { errors: unknown[] }).errors.length, problem?.detail];
  };
  assert.deepEqual(await ask(["a", "b", "c"]), [3, undefined]);
  const detail = "More is wrong: `errors` tells the first 3.";
  assert.deepEqual(await ask(["a", "b", "c", "d"]), [3, detail]);
  assert.deepEqual(await ask(Array<string>(10_000).fill("a")), [3, detail]);
});
