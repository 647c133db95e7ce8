import type { Exchange } from "../../policy/exchange.ts";
import { flawed } from "./signature-flaw.ts";
import type { Fault } from "../../base/faults.ts";
import {
  isInnerList,
  readDictionary,
  serializeInnerList,
  type BareItem,
  type Item,
} from "./structured-fields.ts";

/** More signatures in one request are refused: each may cost a check. */
const SIGNATURES_MAX = 4;

/** One signature of a request, read but not believed. */
export interface ReceivedSignature {
  /** Component identifiers in order (RFC 9421 section 2). */
  readonly components: readonly Item[];
  /** The value of `@signature-params`. */
  readonly parameters: string;
  readonly keyId: string;
  /** "" when the signature does not name one. */
  readonly algorithm: string;
  /** Seconds since the epoch. */
  readonly created: number;
  /** Seconds since the epoch; Infinity for no end. */
  readonly expires: number;
  readonly signature: Buffer;
}

/**
 * The signatures of a request in the order in which they are written.
 *
 * @param tag only those that say they are for this application; "" for all
 * @returns null when there is none
 */
export function readSignatures(
  exchange: Exchange,
  tag: string,
): readonly ReceivedSignature[] | Fault | null {
  const inputText = exchange.header("signature-input");
  const signatureText = exchange.header("signature");
  if (inputText === undefined && signatureText === undefined) return null;
  const inputs = readDictionary(inputText ?? "");
  const values = readDictionary(signatureText ?? "");
  if (inputs === undefined || values === undefined) return flawed("signature-malformed");
  const found: ReceivedSignature[] = [];
  for (const [label, input] of inputs) {
    if (!isInnerList(input)) return flawed("signature-malformed");
    const [components, parameters] = input;
    if (tag !== "" && parameters.get("tag") !== tag) continue;
    const value = values.get(label)?.[0];
    if (!(value instanceof ArrayBuffer)) return flawed("signature-malformed");
    const known = readParameters(parameters);
    if (known === undefined) return flawed("signature-malformed");
    if (Number.isNaN(known.created)) return flawed("signature-time");
    if (found.length === SIGNATURES_MAX) return flawed("signature-malformed");
    found.push({
      ...known,
      components,
      parameters: serializeInnerList(input),
      signature: Buffer.from(value),
    });
  }
  if (found.length > 0) return found;
  return tag === "" ? flawed("signature-malformed") : null;
}

type KnownParameters = Pick<ReceivedSignature, "keyId" | "algorithm" | "created" | "expires">;

/** undefined where one is of the wrong kind; `created` is NaN where it is absent. RFC 9421 section 2.3. */
function readParameters(parameters: ReadonlyMap<string, BareItem>): KnownParameters | undefined {
  const created = parameters.get("created") ?? Number.NaN;
  const expires = parameters.get("expires") ?? Infinity;
  const keyId = parameters.get("keyid");
  const algorithm = parameters.get("alg") ?? "";
  const nonce = parameters.get("nonce") ?? "";
  if (typeof created !== "number" || typeof expires !== "number") return undefined;
  if (created % 1 > 0 || expires % 1 > 0) return undefined;
  if (typeof keyId !== "string" || typeof algorithm !== "string") return undefined;
  return typeof nonce === "string" ? { keyId, algorithm, created, expires } : undefined;
}
