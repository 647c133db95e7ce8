import assert from "node:assert/strict";
import { test } from "node:test";
import { hashApiKey } from "../../../policy/api-key-hash.ts";
import { validate } from "../../validate.ts";
import { consumerSchema } from "./consumer.ts";

const schema = consumerSchema({});
const surroundings = {
  services: { a: "http://127.0.0.1:1" },
  routes: [{ match: "/a", service: "a" }],
};
const KEY = "Kq8ZrT4wXn2VbY6mJd0sFgHc";

/** As `check` says it. */
function messageOf(consumer: unknown): string {
  const { findings } = validate({ consumers: { a: consumer }, ...surroundings }, {});
  return findings.map(({ message }) => message).join("; ");
}

test("consumer: with nothing said of it, it has nothing", () => {
  assert.deepEqual(schema.parse({}), {
    groups: [],
    roles: [],
    scopes: [],
    metadata: {},
    plan: "",
    keys: [],
    tokens: [],
    signatures: [],
    certificates: [],
    policies: [],
  });
});

test("consumer: of a key only its hash is left, whichever way it is written", () => {
  const rest = { name: "", expiresAtMs: 0, scopes: [] };
  const expected = { hash: hashApiKey(KEY), ...rest };
  for (const keys of [KEY, [KEY], [{ value: KEY }], { hash: `sha256:${hashApiKey(KEY)}` }]) {
    assert.deepEqual(schema.parse({ keys }).keys, [expected]);
  }
  const { keys } = schema.parse({
    keys: { value: KEY, name: "ci", expires: "2027-03-01", scopes: "read" },
  });
  const expiresAtMs = Date.UTC(2027, 2, 1);
  assert.deepEqual(keys, [{ hash: hashApiKey(KEY), name: "ci", expiresAtMs, scopes: ["read"] }]);
  assert.ok(!JSON.stringify(schema.parse({ keys: KEY })).includes(KEY));
});

test("consumer: a key that could be guessed is refused, one of 128 bits is not", () => {
  for (const key of [
    KEY,
    "0123456789abcdef0123456789abcdef",
    "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
    "sk_live_0aB1cD2eF3gH4iJ5kL6m",
    "123456789012345678901234567890123456789",
  ]) {
    assert.equal(schema.safeParse({ keys: key }).success, true, key);
  }
  for (const key of [
    "secret",
    "correct horse battery staple",
    KEY.slice(0, 20),
    "0123456789abcdef0123456789abcde",
    "a".repeat(200),
    "abababababababababababababababababababab",
    "Schl\u00fcssel".repeat(10),
    KEY.repeat(30),
  ]) {
    assert.match(messageOf({ keys: key }), /^an API key (that could be guessed|of )/, key);
  }
});

test("consumer: no message repeats a secret, of whatever kind it is", () => {
  for (const consumer of [
    { keys: 12_345_678 },
    { keys: [12_345_678] },
    { keys: { value: 12_345_678 } },
    { keys: "a12345678" },
    { keys: [{ value: "a12345678" }] },
    { basic: { password: 12_345_678 } },
    { basic: { password: "\n12345678" } },
    { signatures: { keyId: "k", secret: 12_345_678 } },
    { signatures: { keyId: "k", secret: "a12345678" } },
  ]) {
    const message = messageOf(consumer);
    assert.notEqual(message, "");
    assert.doesNotMatch(message, /12345678/, JSON.stringify(consumer));
  }
});

test("consumer: a key is a value or a hash, and a user has a password or a hash", () => {
  const hash = `sha256:${hashApiKey(KEY)}`;
  assert.match(messageOf({ keys: { value: KEY, hash } }), /value and hash of one key/);
  assert.match(messageOf({ keys: { name: "x" } }), /names no key/);
  assert.match(messageOf({ keys: { hash: "md5:11" } }), /not the hash of an API key/);
  assert.match(messageOf({ basic: { username: "a" } }), /names no password/);
  assert.match(messageOf({ basic: { password: "short" } }), /too short/);
  assert.match(messageOf({ basic: { hash: "$2b$10$abc" } }), /not an argon2id hash/);
  assert.match(
    messageOf({ basic: { username: "a:b", password: "long enough" } }),
    /not a user name/,
  );
});

test("consumer: a certificate is named in one of three ways, as openssl prints them", () => {
  const digits = "AB".repeat(32);
  for (const [written, id] of [
    [{ fingerprint: digits }, digits.toLowerCase()],
    [{ fingerprint: digits.match(/../g)!.join(":") }, digits.toLowerCase()],
    [{ subject: "O = Example, CN = mobile" }, "subject O=Example,CN=mobile"],
    [{ subject: "O=Example\\, Inc,CN=mobile" }, "subject O=Example\\, Inc,CN=mobile"],
    [{ san: "URI:spiffe://example/mobile" }, "san URI:spiffe://example/mobile"],
  ] as const) {
    assert.deepEqual(schema.parse({ certificates: written }).certificates, [{ id }]);
  }
  for (const certificates of [
    {},
    { fingerprint: "AB:CD" },
    { subject: "mobile" },
    { san: "mobile" },
    { subject: "CN=a", san: "DNS:a" },
  ]) {
    assert.equal(schema.safeParse({ certificates }).success, false, JSON.stringify(certificates));
  }
});

test("consumer: a signature has a secret or a public key, and an algorithm that goes with it", () => {
  const secret = "s".repeat(32);
  const publicKey = "keys/mobile.pem";
  const parse = (signature: object) => schema.parse({ signatures: { keyId: "k", ...signature } });
  assert.deepEqual(parse({ secret }).signatures, [
    { keyId: "k", algorithm: "", secret, publicKey: "" },
  ]);
  const { signatures } = parse({ publicKey, algorithm: "ed25519" });
  assert.deepEqual(signatures, [{ keyId: "k", algorithm: "ed25519", secret: "", publicKey }]);
  for (const signature of [
    {},
    { secret, publicKey },
    { secret: "short" },
    { secret, algorithm: "ed25519" },
    { publicKey, algorithm: "hmac-sha256" },
  ]) {
    assert.throws(() => parse(signature), JSON.stringify(signature));
  }
});

test("consumer: metadata is plain data", () => {
  const metadata = { team: { id: 7, tags: ["a", null, true] } };
  assert.deepEqual(schema.parse({ metadata }).metadata, metadata);
  assert.equal(schema.safeParse({ metadata: { run: () => {} } }).success, false);
  assert.equal(schema.safeParse({ metadata: [] }).success, false);
});
