import type { Exchange } from "../../policy/exchange.ts";
import type { ReceivedSignature } from "./received-signature.ts";
import { componentValue } from "./signed-component.ts";
import { serializeItem } from "./structured-fields.ts";

/** More components than any signature needs. */
const COMPONENTS_MAX = 64;

/**
 * What has been signed (RFC 9421 section 2.5), as the bytes of the request.
 *
 * @returns undefined where a component is not there, not understood, or named twice
 */
export function signatureBase(
  exchange: Exchange,
  { components, parameters }: ReceivedSignature,
): Buffer | undefined {
  if (components.length > COMPONENTS_MAX) return undefined;
  const seen = new Set<string>();
  let base = "";
  for (const component of components) {
    const identifier = serializeItem(component);
    const value = componentValue(exchange, component);
    if (value === undefined || seen.has(identifier)) return undefined;
    seen.add(identifier);
    base += `${identifier}: ${value}\n`;
  }
  return Buffer.from(`${base}"@signature-params": ${parameters}`, "latin1");
}
