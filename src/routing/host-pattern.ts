import { isIPv4, isIPv6 } from "node:net";
import { domainToASCII } from "node:url";
import { RoutingError } from "./routing-error.ts";

/** A host that a route asks for. */
export interface HostPattern {
  readonly kind: "exact" | "wildcard" | "any";
  /** Lower case, in ASCII: the host, or what follows the `*` of a wildcard, with its dot. */
  readonly text: string;
}

export const ANY_HOST: HostPattern = { kind: "any", text: "" };

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/;

/**
 * `api.example.com`, `*.example.com` (one label or more in place of the `*`), an address, or `*`.
 * International names are turned to their ASCII form.
 *
 * @throws RoutingError
 */
export function parseHostPattern(source: string): HostPattern {
  if (source === "*") return ANY_HOST;
  const wildcard = source.startsWith("*.");
  const name = wildcard ? source.slice(2) : source;
  const address = name.startsWith("[") && name.endsWith("]") ? name.slice(1, -1) : name;
  if (isIPv6(address) && !wildcard) {
    return { kind: "exact", text: new URL(`http://[${address}]`).hostname };
  }
  if (/:\d*$/.test(name)) {
    const hint = `ports do not count: write ${JSON.stringify(source.replace(/:\d*$/, ""))}`;
    throw new RoutingError(`${JSON.stringify(source)} has a port`, hint);
  }
  if (isIPv4(name) && !wildcard) return { kind: "exact", text: name };
  // The URL parser, which reads names here, would cut a path or a user off.
  const plain = /[\s/?#@%\\]/.test(name) ? "" : name;
  const ascii = domainToASCII(plain.endsWith(".") ? plain.slice(0, -1) : plain);
  const labels = ascii.split(".");
  if (name.includes("*") || ascii === "" || !labels.every((label) => LABEL.test(label))) {
    const hint = "api.example.com, *.example.com (any depth below), or * for every host";
    throw new RoutingError(`${JSON.stringify(source)} is not a host`, hint);
  }
  return wildcard ? { kind: "wildcard", text: `.${ascii}` } : { kind: "exact", text: ascii };
}

export function describeHost(pattern: HostPattern): string {
  return pattern.kind === "exact" ? pattern.text : `*${pattern.text}`;
}
