/**
 * What users import from the package: `import { defineGateway } from "gateward"`. Configurations in TypeScript
 * and policies of their own need nothing else; tests import `gateward/testing` beside it.
 */
export { z } from "zod";
export { defineGateway } from "./config/define-gateway.ts";
export type { GatewayConfig, PolicyOptions } from "./config/gateway-config.ts";

// Policies
export { definePolicy } from "./policy/policy.ts";
export type {
  EarlierPolicy,
  Fact,
  OptionMistake,
  PolicyDefinition,
  PolicyHooks,
  PolicySurroundings,
  Verdict,
} from "./policy/policy.ts";
export { defineAuthenticator } from "./policy/authenticator.ts";
export type { Authenticator, AuthenticatorDefinition, Judgement } from "./policy/authenticator.ts";
export type { Exchange } from "./policy/exchange.ts";
export { ExchangeMemory } from "./policy/exchange-memory.ts";
export { BodyStage, type BodySink, type BodyVerdict } from "./policy/body-stage.ts";
export { WholeBody } from "./policy/whole-body.ts";
export { Identity, type IdentityFacts } from "./policy/identity.ts";
export type { Refresh } from "./policy/refresh.ts";
export { readyLines, reply, type ReadyLines, type Reply } from "./policy/reply.ts";
export { problem, type ProblemSettings } from "./policy/problem.ts";
export { defineFaultType, Fault, faults, type FaultError, type FaultType } from "./base/faults.ts";

// Templates
export { compileTemplate, templateNeeds, type Template } from "./policy/template.ts";
export {
  HEADER_VALUE,
  PLAIN_TEXT,
  QUERY_VALUE,
  type ValueEncoding,
} from "./policy/template/value-encoding.ts";
export { requestTemplate, responseTemplate } from "./policy/values/template.ts";

// What a policy is given
export type {
  Clock,
  Findings,
  PlaceKind,
  PolicyEnvironment,
  PolicyPlace,
} from "./policy/environment.ts";
export type { Finding, FindingSubject } from "./base/findings/finding.ts";
export type { Consumer, Consumers, Credential, CredentialKind } from "./policy/consumers.ts";
export type { Expression } from "./policy/expression.ts";
export {
  FIXED_WINDOW,
  SLIDING_WINDOW,
  TOKEN_BUCKET,
  type ConcurrencyTable,
  type LimitRule,
  type LimitTable,
  type LimitVerdict,
} from "./policy/limit-tables.ts";
export type { OutboundRequest, OutboundResponse } from "./policy/outbound.ts";
export type { RedisScript, RedisStore } from "./policy/redis-store.ts";
export type { ServiceAnswer, ServiceRequest } from "./policy/service-call.ts";

// Values that options are made of
export { cidr } from "./policy/values/cidr.ts";
export { cookieName } from "./policy/values/cookie.ts";
export { date } from "./policy/values/date.ts";
export { duration } from "./policy/values/duration.ts";
export { expression } from "./policy/values/expression.ts";
export { headerName, headerToSet, headerValue } from "./policy/values/header.ts";
export { count, flag } from "./policy/values/number.ts";
export { origin } from "./policy/values/origin.ts";
export { parsedText } from "./policy/values/parsed-text.ts";
export { pattern } from "./policy/values/pattern.ts";
export { percent } from "./policy/values/percent.ts";
export { Refusal } from "./policy/values/refusal.ts";
export { section } from "./policy/values/section.ts";
export { size } from "./policy/values/size.ts";
export { choice, listOf, text } from "./policy/values/text.ts";
