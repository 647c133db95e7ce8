import assert from "node:assert/strict";
import { test } from "node:test";
import { verifyPassword } from "../../policy/password-hash.ts";
import { validate } from "../validate.ts";
import { hashPasswords } from "./hash-passwords.ts";

function configOf(passwords: Record<string, string>) {
  const consumers = Object.fromEntries(
    Object.entries(passwords).map(([name, password]) => [name, { basic: { password } }]),
  );
  const services = { a: "http://127.0.0.1:1" };
  return validate({ consumers, services, routes: [{ match: "/a", service: "a" }] }, {}).config!;
}

test("passwords: only their hashes stay, each with its own salt", async () => {
  const config = await hashPasswords(configOf({ a: "correct horse", b: "correct horse" }));
  assert.ok(!JSON.stringify(config).includes("horse"));
  const { a, b } = config.consumers;
  assert.notEqual(a!.basic!.hash, b!.basic!.hash);
  assert.equal(await verifyPassword("correct horse", a!.basic!.hash), true);
});

test("passwords: reading the document again gives the same hashes; another password another", async () => {
  const first = await hashPasswords(configOf({ a: "correct horse", b: "battery staple" }));
  assert.deepEqual(
    await hashPasswords(configOf({ a: "correct horse", b: "battery staple" })),
    first,
  );
  const changed = await hashPasswords(configOf({ a: "correct horse", b: "another staple" }));
  assert.equal(changed.consumers["a"]!.basic!.hash, first.consumers["a"]!.basic!.hash);
  assert.notEqual(changed.consumers["b"]!.basic!.hash, first.consumers["b"]!.basic!.hash);
});

test("passwords: a document without any is left as it is", async () => {
  const config = configOf({});
  assert.equal(await hashPasswords(config), config);
});
