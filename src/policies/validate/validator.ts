import { Fault, faults } from "../../base/faults.ts";
import type { FindingSubject } from "../../base/findings/finding.ts";
import type { Counter } from "../../base/metrics/metric-view.ts";
import type { Findings, PolicyEnvironment } from "../../policy/environment.ts";
import { ExchangeMemory } from "../../policy/exchange-memory.ts";
import type { Exchange } from "../../policy/exchange.ts";
import { WholeBody } from "../../policy/whole-body.ts";
import { judgeBody } from "./body-check.ts";
import type { CompiledOperation } from "./compiled-operation.ts";
import type { Contract } from "./contract.ts";
import { CopiedBody } from "./copied-body.ts";
import { FindingLog } from "./finding-log.ts";
import { judgeHead, judgeHeaders, planBody, planFor, type BodyPlan } from "./request-validator.ts";
import {
  contentTypeUnknown,
  methodUnknown,
  operationUnknown,
  requestInvalid,
  responseInvalid,
} from "./validate-faults.ts";
import { undescribed, UNDESCRIBED } from "./undescribed.ts";
import type { ValidateOptions } from "./validate-options.ts";
import { flaw, toFaultError, toFinding, type Violation } from "./violation.ts";

export const results = [
  "valid",
  "invalid",
  "unknown",
  "unchecked",
  "invalid-path",
  "invalid-query",
  "invalid-header",
  "invalid-cookie",
  "invalid-body",
  "response-valid",
  "response-invalid",
  "response-unchecked",
] as const;

type Result = (typeof results)[number];
type BodyToCheck = Extract<BodyPlan, { kind: "check" }>;

const responseRefused = new Fault(responseInvalid);
const responseTooLong = new Fault(responseInvalid, "", "too-long");
const unknownPath = new Fault(operationUnknown);

/** Holds requests and responses against a contract; for one use of the policy. */
export class Validator {
  private readonly contract: Contract;
  private readonly options: ValidateOptions;
  private readonly enforces: boolean;
  private readonly counters: Readonly<Record<Result, Counter>>;
  private readonly findings: Findings;
  private readonly log: FindingLog;
  private readonly operationOf = new ExchangeMemory<CompiledOperation>();

  constructor(contract: Contract, options: ValidateOptions, environment: PolicyEnvironment) {
    this.contract = contract;
    this.options = options;
    this.enforces = options.mode === "enforce";
    const counters = results.map((result) => [result, environment.counter(result)]);
    this.counters = Object.fromEntries(counters) as Record<Result, Counter>;
    this.findings = environment.findings;
    this.log = new FindingLog(environment.log, environment.clock);
  }

  onRequest(exchange: Exchange): Fault | undefined {
    const found = this.contract.find(exchange.method, exchange.path);
    if (found.kind !== "operation") {
      this.counters.unknown.add(1);
      if (this.options.unknown === "pass") return undefined;
      const allow = found.kind === "unknown" ? "" : found.allow;
      this.findings.note({ operation: UNDESCRIBED, of: "request" }, this.enforces, [
        undescribed(exchange.method, exchange.path, allow),
      ]);
      if (!this.enforces) return undefined;
      if (found.kind === "unknown") return unknownPath;
      return new Fault(methodUnknown, "", "", { allow });
    }
    const { operation, values } = found;
    if (this.options.responses) this.operationOf.set(exchange, operation);
    const errors: Violation[] = [];
    judgeHead(exchange, operation, values, this.options.unknownQuery === "refuse", errors);
    const plan = planBody(exchange, operation, errors);
    if (plan.kind === "wrong-type") return this.refuseType(operation, plan);
    if (plan.kind === "pass") return this.conclude(operation, errors);
    this.stageRequest(exchange, operation, plan, errors);
    return undefined;
  }

  onResponse(exchange: Exchange): Fault | undefined {
    const operation = this.operationOf.get(exchange);
    if (operation === undefined) return undefined;
    const { response } = exchange;
    // Answers of the gateway's own, such as that somebody has to sign in, are no part of any description.
    if (!exchange.responseIsFromService) {
      this.counters["response-unchecked"].add(1);
      return undefined;
    }
    const written = response.fields.get("content-type");
    const check = operation.responseOf(response.status);
    const errors: Violation[] = [];
    if (check === null) {
      errors.push({ in: "status", ...flaw("status", `${response.status} is not described`) });
      return this.concludeResponse(operation, errors);
    }
    judgeHeaders(response.fields, check.headers, errors);
    const coding = response.fields.get("content-encoding");
    const mayHaveBody =
      exchange.method !== "HEAD" && response.status !== 204 && response.status !== 304;
    if (check.bodies === null || !mayHaveBody || coding !== undefined) {
      return this.concludeResponse(operation, errors);
    }
    const plan = planFor(written, check.bodies);
    if (plan.kind === "wrong-type") {
      const wrong = flaw("content-type", "is not described", plan.given);
      errors.push({ in: "header", name: "content-type", ...wrong });
    }
    if (plan.kind !== "check") return this.concludeResponse(operation, errors);
    this.stageResponse(exchange, operation, plan, errors);
    return undefined;
  }

  private stageRequest(
    exchange: Exchange,
    operation: CompiledOperation,
    { how, boundary }: BodyToCheck,
    errors: Violation[],
  ): void {
    const judge = (body: Buffer): Fault | undefined => {
      if (body.length > 0) judgeBody(body, how, boundary, errors);
      else if (operation.request.isBodyRequired) {
        errors.push({ in: "body", ...flaw("required", "is required") });
      }
      return this.conclude(operation, errors);
    };
    const { bodyMax } = this.options;
    const tellTooLong = (): Fault => {
      errors.push({ in: "body", ...flaw("bodyMax", "is longer than `bodyMax`") });
      this.note("request", operation, errors);
      return faults["body-too-large"];
    };
    if (this.enforces) {
      exchange.stageRequest(new WholeBody(bodyMax, tellTooLong, judge));
      return;
    }
    const look = (body: Buffer | null): void => {
      if (body !== null) {
        judge(body);
        return;
      }
      this.counters.unchecked.add(1);
      tellTooLong();
    };
    exchange.stageRequest(new CopiedBody(bodyMax, look));
  }

  private stageResponse(
    exchange: Exchange,
    operation: CompiledOperation,
    { how, boundary }: BodyToCheck,
    errors: Violation[],
  ): void {
    const judge = (body: Buffer): Fault | undefined => {
      judgeBody(body, how, boundary, errors);
      return this.concludeResponse(operation, errors);
    };
    const { responseMax } = this.options;
    const tellTooLong = (): Fault => {
      errors.push({ in: "body", ...flaw("responseMax", "is longer than `responseMax`") });
      this.note("response", operation, errors);
      return responseTooLong;
    };
    if (this.enforces) {
      exchange.stageResponse(new WholeBody(responseMax, tellTooLong, judge));
      return;
    }
    const look = (body: Buffer | null): void => {
      if (body !== null) {
        judge(body);
        return;
      }
      this.counters["response-unchecked"].add(1);
      tellTooLong();
    };
    exchange.stageResponse(new CopiedBody(responseMax, look));
  }

  private conclude(operation: CompiledOperation, errors: Violation[]): Fault | undefined {
    if (errors.length === 0) {
      this.counters.valid.add(1);
      return undefined;
    }
    this.counters.invalid.add(1);
    for (const place of ["path", "query", "header", "cookie", "body"] as const) {
      if (errors.some((error) => error.in === place)) this.counters[`invalid-${place}`].add(1);
    }
    this.note("request", operation, errors);
    if (!this.enforces) return undefined;
    const { errorsMax } = this.options;
    const rest =
      errors.length > errorsMax ? `More is wrong: \`errors\` tells the first ${errorsMax}.` : "";
    return new Fault(requestInvalid, rest, "", null, errors.slice(0, errorsMax).map(toFaultError));
  }

  private concludeResponse(operation: CompiledOperation, errors: Violation[]): Fault | undefined {
    if (errors.length === 0) {
      this.counters["response-valid"].add(1);
      return undefined;
    }
    this.counters["response-invalid"].add(1);
    this.note("response", operation, errors);
    return this.enforces ? responseRefused : undefined;
  }

  private refuseType(
    operation: CompiledOperation,
    { message, given, accept }: Extract<BodyPlan, { kind: "wrong-type" }>,
  ): Fault | undefined {
    this.counters.invalid.add(1);
    this.counters["invalid-header"].add(1);
    const wrong = flaw("content-type", message, given);
    this.note("request", operation, [{ in: "header", name: "content-type", ...wrong }]);
    return this.enforces ? new Fault(contentTypeUnknown, message, "", { accept }) : undefined;
  }

  private note(
    of: FindingSubject["of"],
    { label: operation }: CompiledOperation,
    violations: readonly Violation[],
  ): void {
    const findings = violations.map(toFinding);
    this.findings.note({ operation, of }, this.enforces, findings);
    // Clients are told what is wrong with requests; with answers nobody is.
    if (!this.enforces || of === "response")
      this.log.note(`${of}s are not as described`, operation, findings);
  }
}
