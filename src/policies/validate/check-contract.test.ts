import assert from "node:assert/strict";
import { test } from "node:test";
import { checkContract } from "./check-contract.ts";
import { prepareFile } from "./prepare-file.ts";
import { validateOptions } from "./validate-options.ts";

/** What is told of files by their content, one line each; warnings with a `~`. */
function told(
  files: Record<string, string>,
  options: object = { openapi: "api/a.yaml" },
): string[] {
  const parsed = validateOptions.parse({ files: Object.keys(files), ...options });
  return checkContract(parsed, (file) => prepareFile(files[file]!, file)).map(
    ({ message, hint, isWarning }) => `${isWarning === true ? "~" : ""}${message}; ${hint ?? ""}`,
  );
}

const document = (schema: string) => `
openapi: 3.1.0
info: { title: t, version: "1" }
paths:
  /a/{id}:
    post:
      operationId: post
      parameters: [{ in: path, name: id, required: true, schema: { type: string } }]
      requestBody: { content: { application/json: { schema: ${schema} } } }
      responses: {}
`;

const mistakes: [what: string, files: Record<string, string>, expected: RegExp][] = [
  ["text that is no YAML", { "api/a.yaml": "a: [" }, /^api\/a\.yaml: /],
  [
    "another document",
    { "api/a.yaml": "swagger: '2.0'" },
    /is no OpenAPI document of version 3\.0 or 3\.1; .*Swagger/,
  ],
  ["no operations", { "api/a.yaml": "openapi: 3.0.0\npaths: {}" }, /describes no operations/],
  [
    "a reference to nothing",
    { "api/a.yaml": document('{ $ref: "#/components/x" }') },
    /#\/paths\/~1a~1\{id\}\/post\/requestBody.* refers to #\/components\/x, which is not there/,
  ],
  [
    "a reference to the network",
    { "api/a.yaml": document('{ $ref: "https://a.example/b" }') },
    /refers to https:.*nothing is fetched/,
  ],
  [
    "a file that is not listed",
    { "api/a.yaml": document('{ $ref: "b.yaml#/x" }') },
    /add api\/b\.yaml to `files`/,
  ],
  [
    "a reference that goes round",
    { "api/a.yaml": `${document("{}")}\n  /b: { $ref: "#/paths/~1b" }` },
    /refers to itself/,
  ],
  [
    "a keyword of the wrong kind",
    { "api/a.yaml": document("{ minimum: three }") },
    /schema\/minimum is no valid schema: must be number/,
  ],
  [
    "a type that is none",
    { "api/a.yaml": document("{ type: objct }") },
    /schema\/type is no valid schema: must be one of array, boolean, integer, null, number, object/,
  ],
  [
    "a pattern that looks ahead",
    { "api/a.yaml": document('{ pattern: "^(?=a)" }') },
    /cannot be tested in linear time: .*lookahead.*backtracking/,
  ],
  [
    "a format nobody knows",
    { "api/a.yaml": document("{ format: colour }") },
    /^~the format "colour" is not known/,
  ],
];

for (const [what, files, expected] of mistakes) {
  test(`validate: check tells of ${what}`, () => {
    const lines = told(files);
    assert.equal(lines.length, 1, lines.join("\n"));
    assert.match(lines[0]!, expected);
  });
}

test("validate: check finds nothing wrong with files that refer to each other", () => {
  const files = {
    "api/a.yaml": document('{ $ref: "./b.yaml#/Node" }'),
    "api/b.yaml":
      'Node: { type: object, properties: { next: { $ref: "#/Node" }, of: { $ref: "a.yaml#/info" } } }',
  };
  assert.deepEqual(told(files), []);
});

test("validate: check tells which operations there are", () => {
  const lines = told(
    { "api/a.yaml": document("{}") },
    { openapi: "api/a.yaml", operationId: "get" },
  );
  assert.deepEqual(lines, ['no operation has the id "get"; there are post']);
});

test("validate: check tells of schemas that are written in place", () => {
  const lines = told({}, { request: { body: { $ref: "#/$defs/a" } } });
  assert.match(lines.join(), /refers to #\/\$defs\/a, which is not there/);
});
