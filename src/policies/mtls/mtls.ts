/**
 * mtls: lets callers pass by the client certificate of their TLS connection.
 */
import type { X509Certificate } from "node:crypto";
import { Fault, faultTypes } from "../../base/faults.ts";
import {
  defineAuthenticator,
  type Authenticator,
  type Judgement,
} from "../../policy/authenticator.ts";
import type { Consumers, Credential } from "../../policy/consumers.ts";
import { identityOfCredential } from "../../policy/credential-identity.ts";
import type { Clock } from "../../policy/environment.ts";
import type { Exchange } from "../../policy/exchange.ts";
import { Identity } from "../../policy/identity.ts";
import { section } from "../../policy/values/section.ts";
import { choice } from "../../policy/values/text.ts";
import { alternativeNames, commonName, distinguishedName } from "./certificate-names.ts";

const refusal = (code: string, detail: string) =>
  new Fault(faultTypes["invalid-credentials"], detail, code);
const unverified = refusal("certificate-unverified", "The client certificate is not trusted.");
const unknown = refusal("certificate-unknown", "The client certificate is nobody's here.");
const expired = refusal("expired", "The client certificate has expired.");

const SUBJECTS = ["distinguished-name", "common-name", "dns", "uri", "email"] as const;
type SubjectName = (typeof SUBJECTS)[number];
const SAN_PREFIX = { dns: "DNS:", uri: "URI:", email: "email:" } as const;

interface Settings {
  readonly unknown: "refuse" | "accept";
  readonly subject: SubjectName;
}

/** What was made of a connection's certificate, for as long as consumers stay as they are. */
interface Judged {
  readonly version: number;
  readonly judgement: Identity | Fault | null;
}

class CertificateAuthenticator implements Authenticator {
  /** HTTP has no name for it: who has no certificate must connect anew. */
  readonly challenge = "";
  private readonly settings: Settings;
  private readonly consumers: Consumers;
  private readonly clock: Clock;
  /** A connection shows one certificate for all its requests (TLS 1.3's later ones are not asked for). */
  private readonly judged = new WeakMap<object, Judged>();

  constructor(settings: Settings, consumers: Consumers, clock: Clock) {
    this.settings = settings;
    this.consumers = consumers;
    this.clock = clock;
  }

  authenticate({ connection }: Exchange): Judgement {
    const { tlsSocket } = connection;
    if (tlsSocket === null) return null;
    const { version } = this.consumers;
    let judged = this.judged.get(connection);
    if (judged === undefined || judged.version !== version) {
      const certificate = tlsSocket.getPeerX509Certificate();
      const judgement =
        certificate === undefined ? null : this.judge(certificate, tlsSocket.authorized);
      judged = { version, judgement };
      this.judged.set(connection, judged);
    }
    const { judgement } = judged;
    if (judgement instanceof Identity && judgement.expiresAtMs <= this.clock.now()) return expired;
    return judgement;
  }

  private judge(certificate: X509Certificate, isVerified: boolean): Identity | Fault {
    if (!isVerified) return unverified;
    const endsAtMs = certificate.validToDate.getTime();
    const credential = this.credentialOf(certificate);
    if (credential !== undefined) {
      const expiresAtMs = Math.min(endsAtMs, credential.expiresAtMs);
      return identityOfCredential("mtls", credential, { expiresAtMs });
    }
    const subject = this.settings.unknown === "accept" ? this.subjectOf(certificate) : "";
    if (subject === "") return unknown;
    const issuer = distinguishedName(certificate.issuer);
    return new Identity({ method: "mtls", subject, issuer, expiresAtMs: endsAtMs });
  }

  /** The certificate itself first, then the names that its authority vouches for. */
  private credentialOf(certificate: X509Certificate): Credential | undefined {
    const { consumers } = this;
    const fingerprint = certificate.fingerprint256.replaceAll(":", "").toLowerCase();
    const subject = distinguishedName(certificate.subject);
    let found = consumers.find("certificate", fingerprint);
    if (subject !== "") found ??= consumers.find("certificate", `subject ${subject}`);
    for (const name of alternativeNames(certificate)) {
      found ??= consumers.find("certificate", `san ${name}`);
    }
    return found;
  }

  /** "" where the certificate has no such name. */
  private subjectOf(certificate: X509Certificate): string {
    const kind = this.settings.subject;
    if (kind === "distinguished-name") return distinguishedName(certificate.subject);
    if (kind === "common-name") return commonName(certificate.subject);
    const prefix = SAN_PREFIX[kind];
    const name = alternativeNames(certificate).find((one) => one.startsWith(prefix));
    return name === undefined ? "" : name.slice(prefix.length);
  }
}

export default defineAuthenticator({
  name: "mtls",
  summary: "Lets callers pass by the client certificate of their TLS connection.",
  schema: section({
    unknown: choice(["refuse", "accept"])
      .prefault("refuse")
      .describe("What becomes of a verified certificate that is no consumer's."),
    subject: choice(SUBJECTS)
      .prefault("distinguished-name")
      .describe("Which name of such a certificate says who it is, where it is accepted."),
  }).prefault({}),

  check(_, { asksForCertificates }) {
    if (asksForCertificates !== false) return [];
    const message = "no listener asks clients for certificates, so nobody has one";
    const hint = "set clientAuth and ca in the tls of a listener";
    return [{ message, hint, isWarning: true }];
  },

  compile: (options, { consumers, clock }) =>
    new CertificateAuthenticator(options, consumers, clock),
});
