/** What users import to test policies and configurations: `import { testPolicy } from "gateward/testing"`. */
export { FakeRedisStore, type FakeScript } from "./fake-redis-store.ts";
export {
  HANG_UP,
  type FakeService,
  type ServiceAnswer,
  ServiceCall,
  type ServiceReply,
} from "./fake-service.ts";
export type { TestHeaders } from "./header-lines.ts";
export type { TestBody } from "./test-body.ts";
export { TestClock } from "./test-clock.ts";
export { ConfigRefused, type TestDocument } from "./test-document.ts";
export {
  testGateway,
  TestGateway,
  type TestExchange,
  type TestGatewaySettings,
  type TestLogEntry,
} from "./test-gateway.ts";
export { TestIssuer, testKey, type TestKey, type TestTokenOptions } from "./test-issuer.ts";
export { TestOutbound, type TestAnswer } from "./test-outbound.ts";
export type { TestRequest, TestTls } from "./test-request.ts";
export type { TestOutcome, TestProblem, TestResponse } from "./test-response.ts";
export {
  testPolicy,
  PolicySubject,
  type TestPolicyRequest,
  type TestPolicyResponse,
  type TestPolicySettings,
} from "./test-policy.ts";
