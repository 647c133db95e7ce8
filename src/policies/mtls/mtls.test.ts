import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test, type TestContext } from "node:test";
import { testCertificates } from "../../../test/support/certificates.ts";
import { requires } from "../../../test/support/requires.ts";
import { testEnvironment } from "../../testing/test-environment.ts";
import { TestClock } from "../../testing/test-clock.ts";
import { testPolicy } from "../../testing/test-policy.ts";
import { alternativeNames, commonName, distinguishedName } from "./certificate-names.ts";
import mtls from "./mtls.ts";

const skip = requires("openssl");

type Options = Parameters<typeof testPolicy<typeof mtls.schema>>[1];

async function gatewayWith(t: TestContext, certificates: object[], options?: Options) {
  const consumers = { payments: { groups: ["internal"], certificates } };
  // Certificates are made today, and are in force for some days.
  const clock = new TestClock(Date.now());
  const subject = await testPolicy(mtls, options, { document: { consumers }, clock });
  t.after(() => subject.close());
  const ask = async (clientCertificate?: string, protocol: "HTTP/1.1" | "HTTP/2" = "HTTP/1.1") =>
    subject.request({
      protocol,
      tls: clientCertificate === undefined ? true : { clientCertificate },
    });
  return { subject, ask };
}

test(
  "mtls: a certificate is a consumer's by fingerprint, subject or alternative name",
  { skip },
  async (t) => {
    const { client, exact } = testCertificates();
    const { fingerprint256 } = new X509Certificate(client.cert);
    for (const [certificate, pem] of [
      [{ fingerprint: fingerprint256 }, client.cert],
      [{ fingerprint: fingerprint256.replaceAll(":", "").toLowerCase() }, client.cert],
      [{ subject: "CN = client" }, client.cert],
      [{ san: "DNS:api.example.com" }, exact.cert],
    ] as const) {
      const { ask } = await gatewayWith(t, [certificate]);
      for (const protocol of ["HTTP/1.1", "HTTP/2"] as const) {
        const { status, sent } = await ask(pem, protocol);
        assert.equal(status, 200, JSON.stringify(certificate));
        assert.equal(sent?.headers["x-consumer"], "payments");
        assert.equal(sent?.headers["x-identity-method"], "mtls");
      }
    }
  },
);

test("mtls: without a certificate, or with nobody's, 401", { skip }, async (t) => {
  const { client } = testCertificates();
  const { subject, ask } = await gatewayWith(t, [{ subject: "CN=clien" }, { san: "DNS:client" }]);
  assert.equal((await ask()).problem?.name, "authentication-required");
  assert.equal((await subject.request()).problem?.name, "authentication-required");
  const { status, problem, results } = await ask(client.cert);
  assert.equal(status, 401);
  assert.equal(problem?.code, "certificate-unknown");
  assert.deepEqual(results, { refused: 1 });
});

test(
  "mtls: any verified certificate is accepted where that is wanted, under the name that is chosen",
  { skip },
  async (t) => {
    const { client, exact } = testCertificates();
    const subjectOf = async (subject: NonNullable<Options>["subject"], pem: string) => {
      const { ask } = await gatewayWith(t, [], { unknown: "accept", ...(subject && { subject }) });
      return (await ask(pem)).sent?.headers["x-identity-subject"];
    };
    assert.equal(await subjectOf(undefined, client.cert), "CN=client");
    assert.equal(await subjectOf("common-name", client.cert), "client");
    assert.equal(await subjectOf("dns", exact.cert), "api.example.com");
    assert.equal(
      await subjectOf("uri", exact.cert),
      undefined,
      "it has no such name, and is refused",
    );
  },
);

test("mtls: a certificate that expires ends what its connection may", { skip }, async (t) => {
  const { client } = testCertificates();
  const { subject, ask } = await gatewayWith(t, [{ subject: "CN=client" }]);
  assert.equal((await ask(client.cert)).status, 200);
  subject.clock.advance("8d");
  assert.equal((await ask(client.cert)).problem?.code, "expired");
});

test(
  "mtls: an unverified certificate is refused, and each connection is judged once",
  { skip },
  () => {
    const certificate = new X509Certificate(testCertificates().client.cert);
    let looks = 0;
    const consumers = { version: 0, byName: () => undefined, find: () => undefined };
    const environment = testEnvironment(mtls, { consumers });
    const policy = mtls.compileAuthenticator!(
      mtls.schema.parse({ unknown: "accept" }),
      environment,
    );
    const connectionWith = (authorized: boolean) => ({
      tlsSocket: { authorized, getPeerX509Certificate: () => (looks++, certificate) },
    });
    const ask = (connection: object) =>
      policy.authenticate({ connection } as never) as { code?: string };
    assert.equal(ask(connectionWith(false)).code, "certificate-unverified");
    const connection = connectionWith(true);
    looks = 0;
    const first = ask(connection);
    assert.equal(ask(connection), first);
    assert.equal(looks, 1);
    consumers.version++;
    assert.notEqual(ask(connection), first);
  },
);

test("certificate names: what a certificate says in one field cannot pass for another", () => {
  const names = (subjectAltName: string) => alternativeNames({ subjectAltName } as X509Certificate);
  assert.deepEqual(names("DNS:a.example, URI:spiffe://b/c, IP Address:127.0.0.1"), [
    "DNS:a.example",
    "URI:spiffe://b/c",
    "IP Address:127.0.0.1",
  ]);
  assert.deepEqual(names('DNS:"a, DNS:admin.example", DNS:b'), ["DNS:b"]);
  assert.deepEqual(names('URI:"x\\", DNS:admin.example, \\"", email:c@d'), ["email:c@d"]);
  assert.deepEqual(names('othername:"x\\u000a, DNS:admin.example"'), []);
  assert.equal(distinguishedName("O=A\\, Inc\nCN=b"), "O=A\\, Inc,CN=b");
  assert.equal(commonName("CN=a\nO=x\nCN=b\\, c"), "b, c");
  assert.equal(commonName("O=CN=x"), "");
});

test("mtls: check warns where no listener asks for certificates", () => {
  const check = (asksForCertificates?: boolean) =>
    mtls.check!(mtls.schema.parse({}), { asksForCertificates } as never).map(
      ({ isWarning }) => isWarning,
    );
  assert.deepEqual(check(false), [true]);
  assert.deepEqual(check(true), []);
  assert.deepEqual(check(undefined), []);
});
