/**
 * jwt: lets pass who brings a token that an issuer has signed.
 */
import { defineAuthenticator } from "../../policy/authenticator.ts";
import { JwtAuthenticator } from "./jwt-authenticator.ts";
import { checkJwt, filesOf, jwtSchema } from "./jwt-options.ts";
import { keysUnavailable } from "./keys-unavailable.ts";

export default defineAuthenticator({
  name: "jwt",
  summary: "Lets pass who brings a JSON Web Token that a trusted issuer has signed.",
  schema: jwtSchema,
  faults: [keysUnavailable],
  check: (options) => checkJwt(options),
  files: filesOf,
  compile: (options, environment) => new JwtAuthenticator(options, environment),
});
