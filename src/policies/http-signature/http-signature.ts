/**
 * http-signature: lets pass who has signed the request (RFC 9421).
 */
import { defineAuthenticator } from "../../policy/authenticator.ts";
import { replayUnchecked } from "./replay-unchecked.ts";
import { SignatureAuthenticator } from "./signature-authenticator.ts";
import { checkSignature, filesOf, signatureSchema } from "./signature-options.ts";

export default defineAuthenticator({
  name: "http-signature",
  summary: "Lets pass who has signed the request, by HTTP message signatures (RFC 9421).",
  schema: signatureSchema,
  faults: [replayUnchecked],
  check: checkSignature,
  files: filesOf,
  compile: (options, environment) => new SignatureAuthenticator(options, environment),
});
