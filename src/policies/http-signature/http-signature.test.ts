import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { test } from "node:test";
import { requestOf, type PolicyScene } from "../../../test/support/policy-run.ts";
import {
  exampleKeys,
  exampleRequest,
  exampleSignatures,
  examplesCreatedAt,
  transformedRequest,
} from "../../../test/support/rfc-9421-examples.ts";
import {
  signRequest,
  type RequestToSign,
  type Signing,
} from "../../../test/support/sign-request.ts";
import { Fault } from "../../base/faults.ts";
import type { Consumer, Consumers, Credential } from "../../policy/consumers.ts";
import type { PolicySurroundings } from "../../policy/policy.ts";
import type { RedisStore } from "../../policy/redis-store.ts";
import { TestClock } from "../../testing/test-clock.ts";
import { testEnvironment, type TestSurroundings } from "../../testing/test-environment.ts";
import httpSignature from "./http-signature.ts";

type Options = Parameters<typeof httpSignature.schema.parse>[0];

const startsAt = examplesCreatedAt * 1000;
const secret = "a shared secret of some 40 characters...";
const hmac = { keyId: "app", secret };
const usual: Signing = {
  keyId: "app",
  algorithm: "hmac-sha256",
  key: secret,
  created: examplesCreatedAt,
};
const order: RequestToSign = { method: "PUT", host: "a.example", target: "/orders/7?a=1&b=%20x" };

/** One use of the policy, for several requests. */
class Subject {
  readonly clock = new TestClock(startsAt);
  private readonly onRequest;

  constructor(options: object, surroundings: TestSurroundings = {}) {
    const environment = testEnvironment(httpSignature, { clock: this.clock, ...surroundings });
    const hooks = httpSignature.compile(httpSignature.schema.parse(options), environment);
    this.onRequest = hooks.onRequest!;
  }

  /** Whom it knows by the request, or the code of the refusal. */
  async send(scene: PolicyScene): Promise<string> {
    const exchange = requestOf(scene);
    const verdict = await this.onRequest(exchange);
    if (verdict instanceof Fault) return verdict.code === "" ? verdict.name : verdict.code;
    assert.equal(verdict, undefined);
    return exchange.identity!.subject;
  }

  /** Sends `request` with the signature that it would have, or that `signed` would have. */
  sign(request: RequestToSign, signing: Partial<Signing> = {}, signed = request): Promise<string> {
    const headers = signRequest(signed, { ...usual, ...signing });
    return this.send(sceneOf(request, headers));
  }
}

function sceneOf({ method = "GET", target, headers }: RequestToSign, more: object): PolicyScene {
  return { method, target, headers: { ...headers, ...more } };
}

function consumersOf(credential: Partial<Credential>): Consumers {
  const consumer: Consumer = {
    name: "shop",
    groups: [],
    roles: [],
    scopes: ["orders"],
    metadata: {},
    plan: "",
  };
  const found: Credential = {
    kind: "signature",
    consumer,
    name: "app",
    secret,
    expiresAtMs: Infinity,
    scopes: [],
    ...credential,
  };
  return {
    version: 0,
    byName: (name) => (name === "shop" ? consumer : undefined),
    find: (kind, id) => (kind === "signature" && id === "app" ? found : undefined),
  };
}

const publicPem = (key: KeyObject) => key.export({ type: "spki", format: "pem" });

test("http-signature: the RFC's examples hold", async () => {
  const keys = Object.entries(exampleKeys).map(([keyId, key]) => {
    return key.startsWith("base64:") ? { keyId, secret: key } : { keyId, publicKey: key };
  });
  const lenient = { keys, components: [], contentDigest: false };
  for (const [section, signature] of Object.entries(exampleSignatures)) {
    const scene = { ...exampleRequest, headers: { ...exampleRequest.headers, ...signature } };
    const keyId = /keyid="([^"]+)"/.exec(signature["Signature-Input"])![1];
    assert.equal(await new Subject(lenient).send(scene), keyId, section);
  }
  assert.equal(await new Subject(lenient).send(transformedRequest), "test-key-ed25519");
  const turned = { ...transformedRequest.headers, Accept: ["*/*", "application/json"] };
  const changed = { ...transformedRequest, headers: turned };
  assert.equal(await new Subject(lenient).send(changed), "signature-mismatch");
});

test("http-signature: every algorithm holds for its own request only", async () => {
  const pairs: Record<string, { publicKey: KeyObject; privateKey: KeyObject }> = {
    ed25519: generateKeyPairSync("ed25519"),
    "ecdsa-p256-sha256": generateKeyPairSync("ec", { namedCurve: "P-256" }),
    "ecdsa-p384-sha384": generateKeyPairSync("ec", { namedCurve: "P-384" }),
    "rsa-pss-sha512": generateKeyPairSync("rsa", { modulusLength: 2048 }),
    "rsa-v1_5-sha256": generateKeyPairSync("rsa", { modulusLength: 2048 }),
  };
  for (const [algorithm, { publicKey, privateKey }] of Object.entries(pairs)) {
    const subject = new Subject({
      keys: { keyId: "app", publicKey: publicPem(publicKey) },
      replay: "none",
    });
    const signing = { algorithm, key: privateKey, parameters: `;alg="${algorithm}"` };
    assert.equal(await subject.sign(order, signing), "app", algorithm);
    const other = { ...order, target: "/orders/8?a=1&b=%20x" };
    assert.equal(await subject.sign(order, signing, other), "signature-mismatch", algorithm);
  }
});

test("http-signature: whatever is covered cannot be changed", async () => {
  const headers = { "content-type": "text/plain", "x-amount": "10" };
  const request = { ...order, headers };
  const components = [`"@method"`, `"@target-uri"`, `"x-amount"`, `"content-type"`];
  const changes: Partial<RequestToSign>[] = [
    { method: "DELETE" },
    { scheme: "https" },
    { host: "b.example" },
    { target: "/orders/8?a=1&b=%20x" },
    { target: "/orders/7?a=1&b=+x" },
    { target: "/orders/7?a=1&b=%20x&c" },
    { target: "/orders/%37?a=1&b=%20x" },
    { target: "/x/../orders/7?a=1&b=%20x" },
    { headers: { ...headers, "x-amount": "100" } },
    { headers: { ...headers, "content-type": "text/plain, text/html" } },
  ];
  for (const change of changes) {
    const subject = new Subject({ keys: hmac });
    const outcome = await subject.sign(request, { components }, { ...request, ...change });
    assert.equal(outcome, "signature-mismatch", JSON.stringify(change));
  }
  const subject = new Subject({ keys: hmac });
  assert.equal(await subject.sign(request, { components }), "app");
});

test("http-signature: a path is what the client sent, before it is normalised", async () => {
  const request = { ...order, target: "/x/../orders/%7E7/./a" };
  assert.equal(await new Subject({ keys: hmac }).sign(request), "app");
  const components = [`"@method"`, `"@request-target"`, `"@authority"`];
  assert.equal(await new Subject({ keys: hmac }).sign(request, { components }), "app");
});

test("http-signature: an authority is in lower case, without the port that the scheme implies", async () => {
  for (const [sent, signed] of Object.entries({
    "A.Example:80": "a.example",
    "a.example:8080": "a.example:8080",
    "a.example:443": "a.example:443",
  })) {
    const request = { ...order, host: signed };
    const headers = signRequest(request, usual);
    const target = `http://${sent}${order.target}`;
    const outcome = await new Subject({ keys: hmac }).send({ method: "PUT", target, headers });
    assert.equal(outcome, "app", sent);
  }
});

test("http-signature: what has to be covered is, by itself or within more", async () => {
  const outcomes: [string[], string][] = [
    [["@method", "@authority", "@path", "@query"], "app"],
    [["@method", "@target-uri"], "app"],
    [["@method", "@authority", "@request-target"], "app"],
    [["@authority", "@path", "@query"], "signature-uncovered"],
    [["@method", "@path", "@query"], "signature-uncovered"],
    [["@method", "@authority", "@path"], "signature-uncovered"],
    [["@method", "@authority", "@query"], "signature-uncovered"],
    [[], "signature-uncovered"],
  ];
  for (const [names, outcome] of outcomes) {
    const components = names.map((name) => `"${name}"`);
    const subject = new Subject({ keys: hmac });
    assert.equal(await subject.sign(order, { components }), outcome, names.join(" "));
  }
  const components = [`"@method"`, `"@authority"`, `"@path"`];
  const plain = { ...order, target: "/orders/7" };
  assert.equal(await new Subject({ keys: hmac }).sign(plain, { components }), "app");
  const added = await new Subject({ keys: hmac }).sign(order, { components }, plain);
  assert.equal(added, "signature-uncovered", "a query that was added");
});

test("http-signature: a body is covered by its digest", async () => {
  const bare = { ...order, headers: { "content-length": "2" } };
  const digest = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
  const withDigest = { ...order, headers: { "content-length": "2", "content-digest": digest } };
  const components = [`"@method"`, `"@target-uri"`, `"content-digest"`];
  const subject = new Subject({ keys: hmac });
  assert.equal(await subject.sign(bare), "signature-uncovered");
  assert.equal(await subject.sign(withDigest), "signature-uncovered");
  assert.equal(await subject.sign(withDigest, { components }), "app");
  assert.equal(await new Subject({ keys: hmac, contentDigest: false }).sign(bare), "app");
});

test("http-signature: it holds from when it was made until it is too old or expires", async () => {
  const outcomes: [number, string, string][] = [
    [0, "", "app"],
    [30, "", "app"],
    [31, "", "signature-time"],
    [-300, "", "app"],
    [-301, "", "signature-time"],
    [0, `;expires=${examplesCreatedAt + 1}`, "app"],
    [0, `;expires=${examplesCreatedAt}`, "signature-time"],
  ];
  for (const [offset, parameters, outcome] of outcomes) {
    const created = examplesCreatedAt + offset;
    const subject = new Subject({ keys: hmac });
    const name = `${offset} ${parameters}`;
    assert.equal(await subject.sign(order, { created, parameters }), outcome, name);
  }
});

test("http-signature: without created, keyid or sense it is refused", async () => {
  const signed = signRequest(order, usual);
  const input = signed["signature-input"]!;
  const outcomes: [object, string][] = [
    [{}, "authentication-required"],
    [{ signature: signed["signature"] }, "signature-malformed"],
    [{ "signature-input": input }, "signature-malformed"],
    [{ ...signed, "signature-input": input.replace(/;created=\d+/, "") }, "signature-time"],
    [{ ...signed, "signature-input": input.replace(/;keyid="app"/, "") }, "signature-malformed"],
    [{ ...signed, "signature-input": input.replace("sig=", "other=") }, "signature-malformed"],
    [{ ...signed, "signature-input": input.replace(/created=\d+/, "$&.5") }, "signature-malformed"],
    [{ ...signed, "signature-input": input.replace('"app"', "app") }, "signature-malformed"],
    [{ ...signed, "signature-input": "sig=1" }, "signature-malformed"],
    [{ ...signed, "signature-input": "sig=(" }, "signature-malformed"],
    [{ ...signed, signature: "sig=AAAA" }, "signature-malformed"],
    [{ ...signed, signature: "sig=::" }, "signature-mismatch"],
    [{ ...signed, "signature-input": input.replace('("', '("x-none" "') }, "signature-unsupported"],
    [
      { ...signed, "signature-input": input.replace('("', '("@status" "') },
      "signature-unsupported",
    ],
    [
      { ...signed, "signature-input": input.replace('("', '("@method" "') },
      "signature-unsupported",
    ],
    [
      { ...signed, "signature-input": input.replace('"@path"', '"@path";req') },
      "signature-uncovered",
    ],
  ];
  for (const [headers, outcome] of outcomes) {
    const subject = new Subject({ keys: hmac });
    assert.equal(await subject.send(sceneOf(order, headers)), outcome, JSON.stringify(headers));
  }
});

test("http-signature: a key is used for its own algorithm only", async () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = publicPem(publicKey);
  const keys = { keyId: "app", publicKey: pem };
  const confused = { algorithm: "hmac-sha256", key: pem, parameters: `;alg="hmac-sha256"` };
  assert.equal(await new Subject({ keys }).sign(order, confused), "signature-key");
  const unnamed = { algorithm: "hmac-sha256", key: pem };
  assert.equal(await new Subject({ keys }).sign(order, unnamed), "signature-mismatch");
  const old = {
    algorithm: "rsa-v1_5-sha256",
    key: privateKey,
    parameters: `;alg="rsa-v1_5-sha256"`,
  };
  assert.equal(await new Subject({ keys }).sign(order, old), "app");
  const only = { keys: { ...keys, algorithm: "rsa-pss-sha512" } };
  assert.equal(await new Subject(only).sign(order, old), "signature-key");
  const none = { parameters: `;alg="none"` };
  assert.equal(await new Subject({ keys: hmac }).sign(order, none), "signature-key");
  assert.equal(await new Subject({ keys: hmac }).sign(order, { keyId: "other" }), "signature-key");
});

test("http-signature: what is public is never a secret, wherever it comes from", async () => {
  const { publicKey } = generateKeyPairSync("ed25519");
  const pem = publicPem(publicKey);
  const commented = `Bag Attributes\n${pem}`;
  const consumers = consumersOf({ secret: commented });
  const confused = { algorithm: "hmac-sha256", key: commented };
  assert.equal(await new Subject({}, { consumers }).sign(order, confused), "signature-mismatch");
  const openSsh = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJrQLj5P/89iXES9 someone@example.com";
  const keys = { keyId: "app", publicKey: "key.pub" };
  for (const content of [openSsh, "", "-----BEGIN X-----"]) {
    assert.throws(() => new Subject({ keys }, { files: { "key.pub": content } }), content);
  }
  for (const short of [pem, `base64:${"!".repeat(40)}`]) {
    assert.throws(() => new Subject({ keys: { keyId: "app", secret: short } }), short);
  }
});

test("http-signature: a signature passes once, for as long as it holds", async () => {
  const subject = new Subject({ keys: hmac });
  assert.equal(await subject.sign(order), "app");
  assert.equal(await subject.sign(order), "signature-replayed");
  subject.clock.advance(299_000);
  assert.equal(await subject.sign(order), "signature-replayed");
  subject.clock.advance(2000);
  assert.equal(await subject.sign(order), "signature-time");
  const nonces = new Subject({ keys: hmac });
  assert.equal(await nonces.sign(order, { parameters: `;nonce="1"` }), "app");
  assert.equal(await nonces.sign(order, { parameters: `;nonce="2"` }), "app");
  assert.equal(await nonces.sign(order, { parameters: `;nonce="1"` }), "signature-replayed");
  const again = new Subject({ keys: hmac, replay: "none" });
  assert.equal(await again.sign(order), "app");
  assert.equal(await again.sign(order), "app");
});

test("http-signature: one made ahead of the clock cannot come again after the window", async () => {
  const subject = new Subject({ keys: hmac });
  const created = examplesCreatedAt + 30;
  assert.equal(await subject.sign(order, { created }), "app");
  subject.clock.advance(330_000);
  assert.equal(await subject.sign(order, { created }), "signature-replayed");
});

test("http-signature: another signature of the same is the same replay", async () => {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const subject = new Subject({ keys: { keyId: "app", publicKey: publicPem(publicKey) } });
  const signing = { algorithm: "ecdsa-p256-sha256", key: privateKey };
  assert.equal(await subject.sign(order, signing), "app");
  assert.equal(await subject.sign(order, signing), "signature-replayed");
});

test("http-signature: a signature that does not hold uses nothing up", async () => {
  const subject = new Subject({ keys: hmac });
  assert.equal(await subject.sign(order, { key: "another" }), "signature-mismatch");
  assert.equal(await subject.sign(order), "app");
});

test("http-signature: Redis remembers for several gateways, and its absence is no consent", async () => {
  const seen = new Map<string, number>();
  let isAway = false;
  const redis = {
    setIfAbsent(key: string, _value: string, ttlMs: number) {
      if (isAway) return Promise.reject(new Error("away"));
      if (seen.has(key)) return Promise.resolve(false);
      seen.set(key, ttlMs);
      return Promise.resolve(true);
    },
  } as unknown as RedisStore;
  const subject = new Subject({ keys: hmac, replay: "redis" }, { redis: () => redis });
  assert.equal(await subject.sign(order), "app");
  assert.equal(await subject.sign(order), "signature-replayed");
  assert.deepEqual([...seen.values()], [331_000]);
  isAway = true;
  assert.equal(await subject.sign(order, { parameters: ";a=1" }), "replay-unchecked");
});

test("http-signature: consumers sign with their keys until these expire", async () => {
  const valid = new Subject({}, { consumers: consumersOf({}) });
  assert.equal(await valid.sign(order), "shop");
  const expired = new Subject({}, { consumers: consumersOf({ expiresAtMs: startsAt }) });
  assert.equal(await expired.sign(order), "signature-key");
  const broken = new Subject({}, { consumers: consumersOf({ secret: "-----BEGIN X-----" }) });
  assert.equal(await broken.sign(order), "signature-key");
  const own = { keys: { keyId: "app", secret, consumer: "shop" } };
  assert.equal(await new Subject(own, { consumers: consumersOf({}) }).sign(order), "shop");
  const gone = { keys: { keyId: "app", secret, consumer: "gone" } };
  assert.equal(
    await new Subject(gone, { consumers: consumersOf({}) }).sign(order),
    "signature-key",
  );
});

test("http-signature: of several signatures one has to hold; others' are passed over by their tag", async () => {
  const two = (first: Partial<Signing>, second: Partial<Signing>): PolicyScene => {
    const one = signRequest(order, { ...usual, label: "one", ...first });
    const other = signRequest(order, { ...usual, label: "two", ...second });
    return sceneOf(order, {
      "Signature-Input": [one["signature-input"], other["signature-input"]],
      Signature: [one["signature"], other["signature"]],
    });
  };
  const subject = new Subject({ keys: hmac });
  assert.equal(await subject.send(two({ keyId: "unknown" }, {})), "app");
  const bad = two({ keyId: "unknown" }, { key: "wrong" });
  assert.equal(await subject.send(bad), "signature-key", "the first one's flaw is told");
  const tagged = new Subject({ keys: hmac, tag: "gateward" });
  assert.equal(await tagged.send(two({}, { parameters: `;tag="gateward"` })), "app");
  assert.equal(await tagged.send(two({}, { parameters: `;tag="x"` })), "authentication-required");
  const many = ["a", "b", "c", "d", "e"].map((label) => signRequest(order, { ...usual, label }));
  const headers = {
    "Signature-Input": many.map((one) => one["signature-input"]!),
    Signature: many.map((one) => one["signature"]!),
  };
  assert.equal(await subject.send(sceneOf(order, headers)), "signature-malformed");
});

test("http-signature: query parameters and members of headers can be covered each", async () => {
  const subject = new Subject({ keys: hmac, components: ["@method"] });
  const components = [`"@method"`, `"@query-param";name="b"`, `"priority";key="u"`, `"x-note";bs`];
  // `signRequest` looks values up by what stands between the first and the last character.
  const names = components.map((one) => one.slice(1, -1));
  const values = ["PUT", "%20x", "1", ":YWI=:"];
  const headers = Object.fromEntries(names.map((name, index) => [name, values[index]!]));
  const signed = signRequest({ ...order, headers }, { ...usual, components });
  const sent = { priority: "u=1, i", "x-note": "ab", ...signed };
  assert.equal(await subject.send(sceneOf(order, sent)), "app");
  const doubled = { ...order, target: `${order.target}&b=2` };
  assert.equal(await subject.send(sceneOf(doubled, sent)), "signature-unsupported");
});

test("http-signature: settings that make no sense are told", () => {
  const surroundings = { consumers: ["shop"], hasRedis: false } as unknown as PolicySurroundings;
  const mistakes = (options: Options) => {
    const found = httpSignature.check!(httpSignature.schema.parse(options), surroundings);
    return found.map(
      ({ message, isWarning = false }) => `${isWarning ? "warning: " : ""}${message}`,
    );
  };
  assert.deepEqual(mistakes({}), []);
  assert.deepEqual(mistakes({ replay: "redis" }), ["there is no redis"]);
  assert.deepEqual(mistakes({ keys: [hmac, hmac] }), ['a second key with the id "app"']);
  assert.deepEqual(mistakes({ keys: { ...hmac, algorithm: "ed25519" } }), [
    "the key is not one for ed25519",
  ]);
  assert.deepEqual(mistakes({ keys: { ...hmac, consumer: "x" } }), [
    'warning: the document has no consumer "x"',
  ]);
  assert.equal(mistakes({ components: ["content-type"] }).length, 2);
  for (const options of [
    { keys: { keyId: "a" } },
    { keys: { keyId: "a", secret: "short" } },
    { keys: { keyId: "a", secret, publicKey: "b.pem" } },
    { components: ["@status"] },
    { components: ["X-A"] },
  ]) {
    assert.equal(httpSignature.schema.safeParse(options).success, false, JSON.stringify(options));
  }
  const files = httpSignature.schema.parse({ keys: { keyId: "a", publicKey: "a.pem" } });
  assert.deepEqual(httpSignature.files!(files), ["a.pem"]);
});
