import { isIPv6 } from "node:net";
import type { ListenerConfig } from "../config.ts";
import { mistakeAt, warningAt, type DocumentPath, type Finding } from "../mistake.ts";
import { indexOf, type Subject } from "./subject.ts";

/** Rules on where the gateway listens and whom it believes. */
export function checkListeners(subject: Subject): Finding[] {
  const findings = [...checkOverlap(subject), ...checkTrust(subject)];
  for (const [position, listener] of subject.config.listen.entries()) {
    const index = indexOf(subject, "listen", position);
    findings.push(...checkTls(listener, ["listen", index, "tls"]));
    const { proxyProtocol } = listener;
    if (proxyProtocol !== false && proxyProtocol.trusted.length === 0) {
      const message = "the PROXY protocol is believed from nobody";
      const hint = "name the proxies in trustedProxies, or here in trusted";
      findings.push(mistakeAt(["listen", index, "proxyProtocol"], message, hint));
    }
  }
  return findings;
}

function checkOverlap(subject: Subject): Finding[] {
  const { listen, admin } = subject.config;
  const findings: Finding[] = [];
  for (const [index, listener] of listen.entries()) {
    const other = listen
      .slice(0, index)
      .find((before) => before.key === listener.key || overlaps(before, listener));
    if (other === undefined) continue;
    const message = `${listener.key} is taken by the listener ${other.key}`;
    const path = ["listen", indexOf(subject, "listen", index)];
    findings.push(mistakeAt(path, message, "give each its own port"));
  }
  if (admin === false) return findings;
  const taken = listen.find((listener) => overlaps(listener, admin));
  if (taken !== undefined) {
    const message = `${admin.key} is taken by the listener ${taken.key}`;
    findings.push(mistakeAt(["admin"], message, "give admin a port of its own, or false"));
  }
  return findings;
}

type Endpoint = Pick<ListenerConfig, "host" | "port" | "path">;

/**
 * Whether two cannot be bound at once. Port 0 is a free one every time; but listeners are told apart
 * by their key, so only one of a host may have it.
 */
function overlaps(left: Endpoint, right: Endpoint): boolean {
  if (left.path !== undefined || right.path !== undefined) return left.path === right.path;
  if (left.port !== right.port || left.port === 0) return false;
  return left.host === right.host || covers(left.host, right.host) || covers(right.host, left.host);
}

/** `::` takes IPv4 along, `0.0.0.0` does not take IPv6. */
function covers(wildcard: string, host: string): boolean {
  return wildcard === "::" || (wildcard === "0.0.0.0" && !isIPv6(host));
}

function checkTls({ tls }: ListenerConfig, path: DocumentPath): Finding[] {
  if (tls === undefined) return [];
  const findings: Finding[] = [];
  if (tls.clientAuth !== "none" && tls.ca === undefined) {
    const message = `clientAuth ${tls.clientAuth} without a ca to verify clients with`;
    findings.push(
      mistakeAt([...path, "clientAuth"], message, "add ca: the file of your authority"),
    );
  }
  if (tls.clientAuth === "none" && tls.ca !== undefined) {
    const message = "ca has no effect while clientAuth is none";
    findings.push(warningAt([...path, "ca"], message, "write clientAuth: require, or drop ca"));
  }
  const owners = new Map<string, number>();
  for (const [index, { hosts = [] }] of tls.certificates.entries()) {
    for (const host of hosts) {
      const name = host.toLowerCase();
      if (owners.has(name)) {
        const message = `two certificates for ${name}`;
        const at = [...path, "certificates", index, "hosts"];
        findings.push(mistakeAt(at, message, "name each host once"));
      }
      owners.set(name, index);
    }
  }
  return findings;
}

function checkTrust(subject: Subject): Finding[] {
  const findings: Finding[] = [];
  for (const [position, range] of subject.config.trustedProxies.entries()) {
    if (!range.endsWith("/0")) continue;
    const index = indexOf(subject, "trustedProxies", position);
    const message = "every client is believed about who it is";
    findings.push(warningAt(["trustedProxies", index], message, "name your proxies' addresses"));
  }
  return findings;
}
