import { Fault, faults, type FaultError } from "../../base/faults.ts";
import type { Counter } from "../../base/metrics/metric-view.ts";
import type { PolicyEnvironment } from "../../policy/environment.ts";
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
import type { ValidateOptions } from "./validate-options.ts";

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
  private readonly findings: FindingLog;
  private readonly operationOf = new ExchangeMemory<CompiledOperation>();

  constructor(contract: Contract, options: ValidateOptions, environment: PolicyEnvironment) {
    this.contract = contract;
    this.options = options;
    this.enforces = options.mode === "enforce";
    const counters = results.map((result) => [result, environment.counter(result)]);
    this.counters = Object.fromEntries(counters) as Record<Result, Counter>;
    this.findings = new FindingLog(environment.log, environment.clock);
  }

  onRequest(exchange: Exchange): Fault | undefined {
    const found = this.contract.find(exchange.method, exchange.path);
    if (found.kind !== "operation") {
      this.counters.unknown.add(1);
      if (!this.enforces || this.options.unknown === "pass") return undefined;
      if (found.kind === "unknown") return unknownPath;
      return new Fault(methodUnknown, "", "", { allow: found.allow });
    }
    const { operation, values } = found;
    if (this.options.responses) this.operationOf.set(exchange, operation);
    const errors: FaultError[] = [];
    judgeHead(exchange, operation, values, this.options.unknownQuery === "refuse", errors);
    const plan = planBody(exchange, operation, errors);
    if (plan.kind === "wrong-type") return this.refuseType(operation, plan.message, plan.accept);
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
    const errors: FaultError[] = [];
    if (check === null) {
      errors.push({ in: "status", path: "", message: `${response.status} is not described` });
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
      errors.push({ in: "header", name: "content-type", path: "", message: "is not described" });
    }
    if (plan.kind !== "check") return this.concludeResponse(operation, errors);
    this.stageResponse(exchange, operation, plan, errors);
    return undefined;
  }

  private stageRequest(
    exchange: Exchange,
    operation: CompiledOperation,
    { how, boundary }: BodyToCheck,
    errors: FaultError[],
  ): void {
    const judge = (body: Buffer): Fault | undefined => {
      if (body.length > 0) judgeBody(body, how, boundary, errors);
      else if (operation.request.isBodyRequired) {
        errors.push({ in: "body", path: "", message: "is required" });
      }
      return this.conclude(operation, errors);
    };
    const { bodyMax } = this.options;
    if (this.enforces) {
      exchange.stageRequest(new WholeBody(bodyMax, faults["body-too-large"], judge));
      return;
    }
    const look = (body: Buffer | null): void => {
      if (body === null) this.counters.unchecked.add(1);
      else judge(body);
    };
    exchange.stageRequest(new CopiedBody(bodyMax, look));
  }

  private stageResponse(
    exchange: Exchange,
    operation: CompiledOperation,
    { how, boundary }: BodyToCheck,
    errors: FaultError[],
  ): void {
    const judge = (body: Buffer): Fault | undefined => {
      judgeBody(body, how, boundary, errors);
      return this.concludeResponse(operation, errors);
    };
    const { responseMax } = this.options;
    if (this.enforces) {
      exchange.stageResponse(new WholeBody(responseMax, responseTooLong, judge));
      return;
    }
    const look = (body: Buffer | null): void => {
      if (body === null) this.counters["response-unchecked"].add(1);
      else judge(body);
    };
    exchange.stageResponse(new CopiedBody(responseMax, look));
  }

  private conclude(operation: CompiledOperation, errors: FaultError[]): Fault | undefined {
    if (errors.length === 0) {
      this.counters.valid.add(1);
      return undefined;
    }
    this.counters.invalid.add(1);
    for (const place of ["path", "query", "header", "cookie", "body"] as const) {
      if (errors.some((error) => error.in === place)) this.counters[`invalid-${place}`].add(1);
    }
    if (!this.enforces) {
      this.findings.note("requests are not as described", operation.label, errors);
      return undefined;
    }
    const { errorsMax } = this.options;
    const rest =
      errors.length > errorsMax ? `More is wrong: \`errors\` tells the first ${errorsMax}.` : "";
    return new Fault(requestInvalid, rest, "", null, errors.slice(0, errorsMax));
  }

  private concludeResponse(operation: CompiledOperation, errors: FaultError[]): Fault | undefined {
    if (errors.length === 0) {
      this.counters["response-valid"].add(1);
      return undefined;
    }
    this.counters["response-invalid"].add(1);
    this.findings.note("responses are not as described", operation.label, errors);
    return this.enforces ? responseRefused : undefined;
  }

  private refuseType(
    operation: CompiledOperation,
    message: string,
    accept: string,
  ): Fault | undefined {
    this.counters.invalid.add(1);
    this.counters["invalid-header"].add(1);
    if (this.enforces) return new Fault(contentTypeUnknown, message, "", { accept });
    const errors: FaultError[] = [{ in: "header", name: "content-type", path: "", message }];
    this.findings.note("requests are not as described", operation.label, errors);
    return undefined;
  }
}
