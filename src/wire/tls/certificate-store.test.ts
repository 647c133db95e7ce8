import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { testCertificates, testPassphrase } from "../../../test/support/certificates.ts";
import { requires } from "../../../test/support/requires.ts";
import { CertificateStore } from "./certificate-store.ts";
import { certificateHosts } from "./certificate.ts";
import type { CertificateSource } from "./certificate.ts";

const skip = requires("openssl");

const signatures = ["ECDSA+SHA256", "RSA-PSS+SHA256"];

function storeOf(...sources: CertificateSource[]) {
  const store = new CertificateStore(sources, {});
  return { store, select: (name: string) => store.select(name, signatures) };
}

test("certificate store: exact name before wildcard before the first certificate", { skip }, () => {
  const { localhostRsa, wildcard, exact } = testCertificates();
  const { select } = storeOf(localhostRsa, wildcard, exact);
  assert.notEqual(select("api.example.com"), undefined);
  assert.notEqual(select("www.example.com"), undefined);
  assert.notEqual(select("api.example.com"), select("www.example.com"));
  assert.equal(select("example.com"), select("www.example.com"));
  assert.equal(select("localhost"), undefined);
  assert.equal(select("elsewhere.test"), undefined);
});

test("certificate store: a wildcard stands for exactly one label", { skip }, () => {
  const { localhostRsa, wildcard } = testCertificates();
  const { select } = storeOf(localhostRsa, wildcard);
  assert.equal(select("a.b.example.com"), undefined);
  assert.equal(select(".example.com"), undefined);
  assert.notEqual(select("www.example.com"), undefined);
});

test("certificate store: case and a final dot make no difference", { skip }, () => {
  const { localhostRsa, exact } = testCertificates();
  const { select } = storeOf(localhostRsa, exact);
  assert.notEqual(select("API.Example.COM."), undefined);
  assert.equal(select("API.Example.COM."), select("api.example.com"));
});

test(
  "certificate store: names given in the config replace those in the certificate",
  { skip },
  () => {
    const { localhostRsa, exact } = testCertificates();
    const renamed = { ...exact, hosts: ["Other.test", "*.other.test"] };
    const { select } = storeOf(localhostRsa, renamed);
    assert.equal(select("api.example.com"), undefined);
    assert.notEqual(select("other.test"), undefined);
    assert.equal(select("x.other.test"), select("other.test"));
  },
);

test(
  "certificate store: of two kinds of key the client gets the one it can verify",
  { skip },
  () => {
    const { localhostRsa, exact, exactRsa } = testCertificates();
    const { store } = storeOf(localhostRsa, exact, exactRsa);
    const host = "api.example.com";
    const ecdsa = store.select(host, ["ECDSA+SHA256"]);
    const rsa = store.select(host, ["RSA-PSS+SHA256"]);
    assert.notEqual(ecdsa, rsa);
    assert.equal(store.select(host, ["Ed25519+UNDEF", "RSA+SHA256", "ECDSA+SHA256"]), rsa);
    assert.equal(store.select(host, []), ecdsa);
  },
);

test("certificate store: two kinds of key for the default are left to OpenSSL", { skip }, () => {
  const { localhostRsa, exact, exactRsa } = testCertificates();
  const { store, select } = storeOf(exact, exactRsa, localhostRsa);
  assert.deepEqual(store.defaultOptions.cert, [exact.cert, exactRsa.cert]);
  assert.equal(select("api.example.com"), undefined);
});

test("certificate store: of two alike for one name the first serves", { skip }, () => {
  const { localhostEcdsa, renewed } = testCertificates();
  const { store } = storeOf(renewed, localhostEcdsa);
  assert.deepEqual(store.defaultOptions.cert, [renewed.cert]);
});

test("certificate store: lists names, kind of key and expiry", { skip }, () => {
  const { localhostRsa } = testCertificates();
  const [facts] = storeOf({ ...localhostRsa, label: "a.crt" }).store.certificates;
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
