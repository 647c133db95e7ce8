import assert from "node:assert/strict";
import { test } from "node:test";
import { definePolicy } from "../../policy/policy.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { section } from "../../policy/values/section.ts";
import { text } from "../../policy/values/text.ts";
import { validate } from "../validate.ts";
import { prepareFiles } from "./prepared-files.ts";

const reading = {
  summary: "Reads a file.",
  schema: section({ file: text("a file") }),
  files: ({ file }: { file: string }) => [file],
  compile: () => ({}),
};
const prepareFile = (content: string, file: string): string => {
  calls.push(file);
  if (content === "") throw new Refusal(`${file} is empty`);
  return content.toUpperCase();
};
let calls: string[] = [];
const policies = {
  loud: definePolicy({ name: "loud", ...reading, prepareFile }),
  plain: definePolicy({ name: "plain", ...reading }),
};

function configOf(...uses: object[]) {
  const route = { match: "/*", respond: {}, policies: uses };
  return validate({ routes: [route] }, policies).config!;
}

test("prepared files: what a policy makes of a file travels in its place, beside the text that others read", () => {
  calls = [];
  const config = configOf(
    { loud: { file: "a" } },
    { loud: { file: "a" } },
    { loud: { file: "b" } },
    { plain: { file: "b" } },
  );
  const materials = { a: "one", b: "two", "key.pem": "key" };
  const { prepared, findings } = prepareFiles(config, policies, materials);
  assert.deepEqual(prepared, { "loud: a": "ONE", "loud: b": "TWO", b: "two", "key.pem": "key" });
  assert.deepEqual([calls, findings], [["a", "b"], []]);
});

test("prepared files: only what has changed is prepared again", () => {
  const config = configOf({ loud: { file: "a" } }, { loud: { file: "b" } });
  const before = { a: "one", b: "two" };
  const { prepared } = prepareFiles(config, policies, before);
  calls = [];
  const after = prepareFiles(
    config,
    policies,
    { a: "one", b: "three" },
    { materials: before, prepared },
  );
  assert.deepEqual(after.prepared, { "loud: a": "ONE", "loud: b": "THREE" });
  assert.deepEqual(calls, ["b"]);
});

test("prepared files: a refusal is a mistake at the option that names the file", () => {
  const { prepared, findings } = prepareFiles(configOf({ loud: { file: "a" } }), policies, {
    a: "",
  });
  assert.deepEqual(prepared, {});
  assert.deepEqual(
    findings.map(({ path, message, level }) => [path, message, level]),
    [[["routes", 0, "policies", 0, "loud", "file"], "a is empty", "error"]],
  );
});
