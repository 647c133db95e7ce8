import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import {
  opensslMissing,
  testCertificates,
  testPassphrase,
} from "../../../test/support/certificates.ts";
import { CertificateStore, certificateHosts } from "./certificate-store.ts";

const skip = opensslMissing;

test("certificate store: exact name before wildcard before the first certificate", { skip }, () => {
  const { localhostRsa, wildcard, exact } = testCertificates();
  const store = new CertificateStore([localhostRsa, wildcard, exact], {});
  const apart = new Set([
    store.defaultContext,
    store.select("api.example.com"),
    store.select("www.example.com"),
  ]);
  assert.equal(apart.size, 3);
  assert.equal(store.select("localhost"), store.defaultContext);
  assert.equal(store.select("example.com"), store.select("www.example.com"));
  assert.equal(store.select("elsewhere.test"), store.defaultContext);
});

test("certificate store: a wildcard stands for exactly one label", { skip }, () => {
  const { localhostRsa, wildcard } = testCertificates();
  const store = new CertificateStore([localhostRsa, wildcard], {});
  assert.equal(store.select("a.b.example.com"), store.defaultContext);
  assert.equal(store.select(".example.com"), store.defaultContext);
  assert.equal(store.select("*.example.com"), store.select("www.example.com"));
});

test("certificate store: case and a final dot make no difference", { skip }, () => {
  const { localhostRsa, exact } = testCertificates();
  const store = new CertificateStore([localhostRsa, exact], {});
  assert.notEqual(store.select("API.Example.COM."), store.defaultContext);
  assert.equal(store.select("API.Example.COM."), store.select("api.example.com"));
});

test(
  "certificate store: names given in the config replace those in the certificate",
  { skip },
  () => {
    const { localhostRsa, exact } = testCertificates();
    const renamed = { ...exact, hosts: ["Other.test", "*.other.test"] };
    const store = new CertificateStore([localhostRsa, renamed], {});
    assert.equal(store.select("api.example.com"), store.defaultContext);
    assert.notEqual(store.select("other.test"), store.defaultContext);
    assert.equal(store.select("x.other.test"), store.select("other.test"));
  },
);

test("certificate store: two kinds of key for one name share a context", { skip }, () => {
  const { localhostRsa, exact, exactRsa } = testCertificates();
  const store = new CertificateStore([localhostRsa, exact, exactRsa], {});
  const cert = store.defaultOptions.cert;
  assert.deepEqual(cert, [localhostRsa.cert]);
  const both = new CertificateStore([exact, exactRsa], {});
  assert.deepEqual(both.defaultOptions.cert, [exact.cert, exactRsa.cert]);
  assert.equal(both.select("api.example.com"), both.defaultContext);
});

test("certificate store: of two alike for one name the first serves", { skip }, () => {
  const { localhostEcdsa, renewed } = testCertificates();
  const store = new CertificateStore([renewed, localhostEcdsa], {});
  assert.deepEqual(store.defaultOptions.cert, [renewed.cert]);
});

test("certificate store: lists names, kind of key and expiry", { skip }, () => {
  const { localhostRsa } = testCertificates();
  const [facts] = new CertificateStore([{ ...localhostRsa, label: "a.crt" }], {}).certificates;
  assert.equal(facts?.label, "a.crt");
  assert.equal(facts.keyType, "rsa");
  assert.deepEqual(facts.hosts, ["localhost"]);
  const daysLeft = (facts.expiresAtMs - Date.now()) / 86_400_000;
  assert.ok(daysLeft > 5 && daysLeft <= 7, String(daysLeft));
});

test("certificate store: without alternative names the common name counts", { skip }, () => {
  const certificate = new X509Certificate(testCertificates().noSan.cert);
  assert.deepEqual(certificateHosts(certificate), ["plain.example.com"]);
});

test("certificate store: a key with a passphrase", { skip }, () => {
  const { encrypted } = testCertificates();
  new CertificateStore([{ ...encrypted, passphrase: testPassphrase }], {});
});

test("certificate store: a refusal names the certificate and what is wrong", { skip }, () => {
  const { localhostRsa, exact, exactRsa, encrypted } = testCertificates();
  const refused = (source: object, message: RegExp) => {
    const second = { ...localhostRsa, label: "b.crt", ...source };
    assert.throws(() => new CertificateStore([localhostRsa, second], {}), { message });
  };
  refused({ key: exact.key }, /^b\.crt: the key does not belong to it$/);
  refused({ key: exactRsa.key }, /^b\.crt: the key does not belong to it$/);
  refused({ cert: "hello" }, /^b\.crt: not a certificate in PEM form$/);
  refused({ key: "hello" }, /^b\.crt: its key is not a private key in PEM form$/);
  refused(encrypted, /^b\.crt: the key needs a passphrase$/);
  refused(
    { ...encrypted, passphrase: "wrong" },
    /^b\.crt: the key cannot be read with this passphrase$/,
  );
  assert.throws(() => new CertificateStore([], {}), /at least one certificate/);
});
