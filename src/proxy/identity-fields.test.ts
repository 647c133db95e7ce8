import assert from "node:assert/strict";
import { test } from "node:test";
import { Identity } from "../policy/identity.ts";
import { parseRequestHead } from "../wire/http1/parse-request-head.ts";
import { RequestHead } from "../wire/http1/request-head.ts";
import { IdentityFields } from "./identity-fields.ts";

const limits = { headBytesMax: 65_536, uriBytesMax: 65_536, fieldCountMax: 1000 };

function stripped(names: readonly string[], lines: readonly string[]): string[] {
  const head = new RequestHead();
  const text = ["GET / HTTP/1.1", "host: a", ...lines, "", ""].join("\r\n");
  const bytes = Buffer.from(text, "latin1");
  assert.equal(parseRequestHead(bytes, 0, bytes.length, head, limits), bytes.length);
  new IdentityFields(names, () => "").strip(head.fields);
  return head.fields.lines(head.fields.linesStart).split("\r\n").slice(1, -1);
}

test("identity fields: every spelling of a name that a server could take for it is dropped", () => {
  const spellings = [
    "x-consumer",
    "X-Consumer",
    "X-CONSUMER",
    "x_consumer",
    "X_Consumer",
    "x.consumer",
    "x~consumer",
    "x!Consumer",
  ];
  const lines = spellings.flatMap((name) => [`${name}: admin`, "accept: */*"]);
  assert.deepEqual(
    stripped(["x-consumer"], lines),
    spellings.map(() => "accept: */*"),
  );
});

test("identity fields: names that are only like it pass, as they came", () => {
  const lines = [
    "x-consumers: a",
    "xconsumer: b",
    "y-consumer: c",
    "x-consumer2: d",
    "X--Cnsumer: e",
  ];
  assert.deepEqual(stripped(["x-consumer", "x-consumer-id"], lines), lines);
});

test("identity fields: all lines of a name are dropped, and of several names of one length", () => {
  const lines = ["x-role: a", "x-user: b", "X-Role: c", "x-team: d"];
  assert.deepEqual(stripped(["x-role", "x-user"], lines), ["x-team: d"]);
});

test("identity fields: a name longer than any header of ours is left alone", () => {
  const lines = [`${"x".repeat(300)}: a`];
  assert.deepEqual(stripped(["x-role"], lines), lines);
});

test("identity fields: lines are made once for an identity, and anew for other headers", () => {
  let count = 0;
  const render = () => `x-consumer: ${++count}\r\n`;
  const identity = new Identity({ method: "api-key", subject: "a" });
  const fields = new IdentityFields(["x-consumer"], render);
  assert.equal(fields.linesOf(identity), "x-consumer: 1\r\n");
  assert.equal(fields.linesOf(identity), "x-consumer: 1\r\n");
  assert.equal(new IdentityFields(["x-consumer"], render).linesOf(identity), "x-consumer: 2\r\n");
});
