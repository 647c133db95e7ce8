import { z } from "zod";
import { Refusal } from "../../../policy/values/refusal.ts";
import { parsedText } from "../../../policy/values/parsed-text.ts";
import { section } from "../../../policy/values/section.ts";

/** A client certificate, by what it is looked up as: see `CredentialKind`. */
export interface ClientCertificateConfig {
  id: string;
}

const fingerprint = parsedText(
  (written) => {
    const digits = written.replaceAll(":", "").toLowerCase();
    if (/^[\da-f]{64}$/.test(digits)) return digits;
    throw new Refusal("not a SHA-256 fingerprint");
  },
  {
    what: "a SHA-256 fingerprint",
    hint: "64 hexadecimal digits, as `openssl x509 -noout -fingerprint -sha256` prints them",
  },
);

const subject = parsedText(
  (written) => {
    const parts = written.split(/(?<!\\), */).map((part) => part.replace(/^\s*(\S+?) *= */, "$1="));
    if (parts.every((part) => /^[\w.+-]+=./s.test(part))) return `subject ${parts.join(",")}`;
    throw new Refusal(`${JSON.stringify(written)} is not a subject`);
  },
  {
    what: "a certificate's subject",
    hint: "write it as `openssl x509 -noout -subject` prints it: O = Example, CN = mobile",
    sample: "O=Example,CN=mobile",
  },
);

const san = parsedText(
  (written) => {
    if (/^(DNS|URI|email|IP Address):\S+$/.test(written)) return `san ${written}`;
    throw new Refusal(`${JSON.stringify(written)} is not an alternative name`);
  },
  {
    what: "an alternative name",
    hint: "write its kind before it: DNS:a.example, URI:spiffe://example/a or email:a@b.example",
    sample: "URI:spiffe://example.org/mobile",
  },
);

/** An entry of `certificates`. */
export const clientCertificate = section({
  fingerprint: fingerprint.optional().describe("SHA-256 of the certificate, hexadecimal."),
  subject: subject
    .optional()
    .describe("Its distinguished name, in the certificate's order: `O=Example,CN=mobile`."),
  san: san.optional().describe("One of its alternative names: `DNS:…`, `URI:…`, `email:…`."),
}).transform((value, context): ClientCertificateConfig => {
  const [id, ...others] = Object.values(value).filter((one) => one !== undefined);
  if (id !== undefined && others.length === 0) return { id };
  const message = id === undefined ? "names no certificate" : "several names of one certificate";
  const params = { hint: "write one of fingerprint, subject, san" };
  context.issues.push({ code: "custom", message, params, input: undefined });
  return z.NEVER;
});
