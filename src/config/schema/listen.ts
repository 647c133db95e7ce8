import { z } from "zod";
import { expected } from "../../policy/values/expected.ts";
import { formatAddress, parseAddress, parseHost, parseSocketPath } from "./address.ts";
import { cidr } from "../../policy/values/cidr.ts";
import { count, flag } from "../../policy/values/number.ts";
import { parsedText } from "../../policy/values/parsed-text.ts";
import { section } from "../../policy/values/section.ts";
import { choice, listOf, text } from "../../policy/values/text.ts";

/** A listener, normalised. `key` tells it from all others and survives a reload. */
export interface ListenerConfig {
  /** `host:port` (IPv6 in brackets) or `unix:path`. */
  key: string;
  /** Address or name to bind; empty for a Unix socket. */
  host: string;
  /** 0 takes any free port; 0 as well for a Unix socket. */
  port: number;
  /** Path of the Unix socket; absent for TCP. */
  path?: string | undefined;
  tls?: ListenerTlsConfig | undefined;
  /** HTTP/2 beside HTTP/1.1: by ALPN over TLS, by prior knowledge in clear text. */
  http2: boolean;
  /** Peers that must send a PROXY header, and are believed. */
  proxyProtocol: { trusted: string[] } | false;
}

const HOST = "0.0.0.0";

const certificate = section({
  cert: text("the path of a PEM file").describe(
    "PEM file with the certificate and its chain, relative to the config file.",
  ),
  key: text("the path of a PEM file").describe("PEM file with the private key."),
  passphrase: text("a passphrase").optional().describe("Passphrase of the private key."),
  hosts: listOf(text("a host name"), "a host name")
    .optional()
    .describe("Names (SNI) the certificate serves. Default: the names in the certificate."),
});

const VERSIONS = ["1.2", "1.3"] as const;
// Without quotes they are numbers to YAML.
const minVersion = z.union(
  [
    choice(VERSIONS),
    z.literal([1.2, 1.3]).transform((version) => VERSIONS[version === 1.2 ? 0 : 1]),
  ],
  { error: expected("1.2 or 1.3") },
);

const tlsOptions = {
  minVersion: minVersion.prefault("1.2").describe("Oldest TLS version accepted."),
  clientAuth: choice(["none", "request", "require"])
    .prefault("none")
    .describe(
      "Client certificates: not asked for, asked for, or required. With `request` an unverified " +
        "client is let in and policies can tell; with `require` the handshake fails.",
    ),
  ca: text("the path of a PEM file")
    .optional()
    .describe("PEM file with the authorities that sign client certificates."),
  ciphers: text("a cipher list")
    .optional()
    .describe("Cipher suites in OpenSSL's notation. Default: Node's own list."),
};

const tls = section({
  cert: certificate.shape.cert.optional(),
  key: certificate.shape.key.optional(),
  passphrase: certificate.shape.passphrase,
  certificates: z
    .array(certificate)
    .min(1, { error: "no certificates; name at least one { cert, key }" })
    .optional()
    .describe("Several certificates, chosen by the name the client asks for (SNI)."),
  ...tlsOptions,
}).transform((value, context) => {
  const { cert, key, passphrase, certificates, ...options } = value;
  if (certificates !== undefined && cert === undefined && key === undefined) {
    return { certificates, ...options };
  }
  if (certificates === undefined && cert !== undefined && key !== undefined) {
    return { certificates: [{ cert, key, passphrase }], ...options };
  }
  const both = certificates !== undefined;
  const message = both ? "certificates beside cert and key" : "tls needs a certificate and its key";
  const hint = both
    ? "move the pair into the list"
    : "write cert and key, or a list of certificates";
  context.issues.push({ code: "custom", message, params: { hint }, input: value });
  return z.NEVER;
});

export type ListenerTlsConfig = z.output<typeof tls>;
export type CertificateConfig = ListenerTlsConfig["certificates"][number];

const proxyProtocol = z.union(
  [
    flag(),
    section({
      trusted: listOf(cidr(), "an address range").describe(
        "Peers whose PROXY header is believed; any other connection is closed.",
      ),
    }),
  ],
  { error: expected("true, false or { trusted: [range, …] }") },
);

const listenerObject = section({
  port: count({ max: 65_535 })
    .optional()
    .describe("TCP port; 0 takes any free one. Either `port` or `path` is needed."),
  host: parsedText(parseHost, { what: "a host", hint: "write an address like 0.0.0.0 or ::" })
    .prefault(HOST)
    .describe(
      "Address to bind: `0.0.0.0` is every IPv4 address, `::` every address of both kinds.",
    ),
  path: parsedText(parseSocketPath, { what: "a path", hint: "write it like /run/gateward.sock" })
    .optional()
    .describe("Path of a Unix socket to listen on, instead of `port`."),
  tls: tls.optional().describe("Serve TLS with these certificates."),
  http2: flag()
    .prefault(true)
    .describe("Speak HTTP/2 as well: by ALPN over TLS, by prior knowledge in clear text."),
  proxyProtocol: proxyProtocol
    .prefault(false)
    .describe(
      "Expect a PROXY protocol header (v1 or v2) before each connection. `true` believes it from " +
        "the addresses in `trustedProxies`.",
    ),
}).transform((value, context) => {
  const { port, path, host, ...options } = value;
  if ((port === undefined) !== (path === undefined)) {
    const address = path === undefined ? { host, port: port! } : { host: "", port: 0, path };
    return { key: formatAddress(address), ...address, ...options };
  }
  const message = port === undefined ? "no port to listen on" : "both a port and a path";
  const params = { hint: "write either port or path" };
  context.issues.push({ code: "custom", message, params, input: value });
  return z.NEVER;
});

const HINT = "write a port (8080), host:port (127.0.0.1:8080, [::]:8080) or unix:/path.sock";
const shortListener = parsedText((value) => fromAddress(value), {
  what: "an address to listen on",
  hint: HINT,
  sample: "127.0.0.1:8080",
});
const portListener = z
  .int({ error: HINT })
  .min(0, { error: "not a port; a number from 0 to 65535" })
  .max(65_535, { error: "not a port; a number from 0 to 65535" })
  .transform((port) => fromAddress(String(port)));

const listener = z.union([portListener, shortListener, listenerObject], {
  error: expected("a port, an address or a map"),
});

/** `listen`: one listener or several. */
export const listen = z
  .union([listener, z.array(listener)], {
    error: `expected where to listen; ${HINT}, a map, or a list of those`,
  })
  .transform((value) => (Array.isArray(value) ? value : [value]));

function fromAddress(written: string) {
  const address = parseAddress(written, HOST);
  return { key: formatAddress(address), ...address, http2: true, proxyProtocol: false as const };
}
