/** sign-request: signs a request as a client would (RFC 9421), without any of the gateway's code. */
import { constants, createHmac, sign, type KeyObject } from "node:crypto";

export interface RequestToSign {
  method?: string;
  /** Default http. */
  scheme?: string;
  host: string;
  /** Path and query. */
  target: string;
  /** By lower-case names. */
  headers?: Readonly<Record<string, string>>;
}

export interface Signing {
  keyId: string;
  algorithm: string;
  /** Text or bytes of an HMAC's secret, else a private key. */
  key: string | Buffer | KeyObject;
  /** Identifiers as they are written, default the method, authority, path and query. */
  components?: readonly string[];
  /** Seconds since the epoch. */
  created: number;
  /** Further parameters as they are written: `;expires=1;nonce="x"`. */
  parameters?: string;
  label?: string;
}

const USUAL = [`"@method"`, `"@authority"`, `"@path"`, `"@query"`];

/** The two headers that make it a signed request. */
export function signRequest(request: RequestToSign, signing: Signing): Record<string, string> {
  const { components = USUAL, created, keyId, parameters = "", label = "sig" } = signing;
  const input = `(${components.join(" ")});created=${created};keyid="${keyId}"${parameters}`;
  const lines = components.map((one) => `${one}: ${valueOf(request, one)}\n`);
  const base = Buffer.from(`${lines.join("")}"@signature-params": ${input}`, "latin1");
  const signature = signatureOf(base, signing).toString("base64");
  return { "signature-input": `${label}=${input}`, signature: `${label}=:${signature}:` };
}

function valueOf(request: RequestToSign, component: string): string {
  const { method = "GET", scheme = "http", host, target, headers = {} } = request;
  const [path = "", query = ""] = target.split("?");
  const values: Record<string, string> = {
    "@method": method,
    "@scheme": scheme,
    "@authority": host,
    "@path": path,
    "@query": `?${query}`,
    "@request-target": target,
    "@target-uri": `${scheme}://${host}${target}`,
    ...headers,
  };
  const value = values[component.slice(1, -1)];
  if (value === undefined) throw new Error(`the request has no ${component}`);
  return value;
}

function signatureOf(base: Buffer, { algorithm, key }: Signing): Buffer {
  if (algorithm === "hmac-sha256") {
    return createHmac("sha256", key).update(base).digest();
  }
  const privateKey = key as KeyObject;
  switch (algorithm) {
    case "ed25519":
      return sign(null, base, privateKey);
    case "ecdsa-p256-sha256":
      return sign("sha256", base, { key: privateKey, dsaEncoding: "ieee-p1363" });
    case "ecdsa-p384-sha384":
      return sign("sha384", base, { key: privateKey, dsaEncoding: "ieee-p1363" });
    case "rsa-v1_5-sha256":
      return sign("sha256", base, privateKey);
    case "rsa-pss-sha512": {
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      return sign("sha512", base, { key: privateKey, padding, saltLength: 64 });
    }
    default:
      throw new Error(`no algorithm ${algorithm}`);
  }
}
