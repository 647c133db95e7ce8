import { Fault, faultTypes } from "../../base/faults.ts";

/** Why a signature is refused: the member `code` of the problem. */
const DETAILS = {
  "signature-malformed": "Signature-Input and Signature do not fit each other or RFC 9421.",
  "signature-unsupported": "The signature covers a component that is not here, or not understood.",
  "signature-uncovered": "The signature does not cover all that it has to.",
  "signature-key":
    "The key of the signature is not known, no longer valid, or of another algorithm.",
  "signature-time": "The signature says when it was made too late, too early or not at all.",
  "signature-mismatch": "The signature is not of this request.",
  "signature-replayed": "A request with this signature has come before.",
} as const;

export type SignatureFlaw = keyof typeof DETAILS;

const flaws = Object.fromEntries(
  Object.entries(DETAILS).map(([code, detail]) => {
    return [code, new Fault(faultTypes["invalid-credentials"], detail, code)];
  }),
) as Record<SignatureFlaw, Fault>;

/** The refusal for a flaw, made once. */
export function flawed(flaw: SignatureFlaw): Fault {
  return flaws[flaw];
}
