/**
 * oauth2-introspection: lets pass who brings a token of which its issuer says that it is active.
 */
import { defineAuthenticator } from "../../policy/authenticator.ts";
import { checkIntrospection, filesOf, introspectionSchema } from "./introspection-options.ts";
import { IntrospectionAuthenticator } from "./introspection-authenticator.ts";
import { introspectionUnavailable } from "./introspection-unavailable.ts";

export default defineAuthenticator({
  name: "oauth2-introspection",
  summary: "Lets pass who brings a token of which the authorization server says that it is active.",
  schema: introspectionSchema,
  faults: [introspectionUnavailable],
  check: checkIntrospection,
  files: filesOf,
  compile: (options, environment) => new IntrospectionAuthenticator(options, environment),
});
