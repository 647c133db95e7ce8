import type { Identity } from "../policy/identity.ts";
import { compileClaimPath } from "../policy/token/claim-path.ts";
import type { IdentityConfig } from "./config.ts";

/** Beyond it a value is left out: services refuse heads that are too large, and the whole request with them. */
const VALUE_LENGTH_MAX = 8192;

/**
 * A function that writes the lines about an identity, each with its line break. What is empty is not sent.
 *
 * Names come from tokens and directories, so they are made safe: all but visible ASCII and single inner
 * blanks is percent-encoded as UTF-8, and so are `%` and whatever separates the elements of a list.
 * Decoding percent signs after taking a list apart gives back exactly what was meant.
 */
export function identityLines(config: IdentityConfig): (identity: Identity) => string {
  const { claims, ...headers } = config;
  const readers = Object.entries(claims).map(
    ([header, path]) => [header, compileClaimPath(path)] as const,
  );
  return (identity) => {
    const { consumer, subject, groups, roles, scopes, method, credential } = identity;
    let lines = line(headers.consumer, consumer === null ? "" : encoded(consumer.name, PLAIN));
    lines += line(headers.subject, encoded(subject, PLAIN));
    lines += line(headers.groups, joined(groups, ","));
    lines += line(headers.roles, joined(roles, ","));
    lines += line(headers.scopes, joined(scopes, " "));
    lines += line(headers.method, encoded(method, PLAIN));
    lines += line(headers.credential, encoded(credential, PLAIN));
    for (const [header, read] of readers) lines += line(header, claimText(read(identity.claims)));
    return lines;
  };
}

function line(header: string, value: string): string {
  if (header === "" || value === "" || value.length > VALUE_LENGTH_MAX) return "";
  return `${header}: ${value}\r\n`;
}

/** What has to be encoded: a blank only where it would be lost at an end, or separates. */
const PLAIN = /[^\x20-\x24\x26-\x7e]|^ | $/gu;
const SEPARATED_BY = {
  ",": /[^\x20-\x24\x26-\x2b\x2d-\x7e]|^ | $/gu,
  " ": /[^\x21-\x24\x26-\x7e]/gu,
};

function encoded(text: string, unsafe: RegExp): string {
  // A lone half of a character has no UTF-8.
  return text.toWellFormed().replace(unsafe, (one) => {
    return encodeURIComponent(one).replace(/^[!'()*,]$/, (plain) => {
      return `%${plain.charCodeAt(0).toString(16).toUpperCase()}`;
    });
  });
}

function joined(names: readonly string[], separator: "," | " "): string {
  const elements = names.map((name) => encoded(name, SEPARATED_BY[separator]));
  return elements.filter((name) => name !== "").join(separator);
}

/** Scalars as they are, lists of scalars as lists, anything else as JSON. */
function claimText(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (isScalar(value)) return encoded(String(value), PLAIN);
  if (Array.isArray(value) && value.every(isScalar)) return joined(value.map(String), ",");
  return encoded(JSON.stringify(value), PLAIN);
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}
