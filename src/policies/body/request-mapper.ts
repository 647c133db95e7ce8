import { Fault } from "../../base/faults.ts";
import type { Counter } from "../../base/metrics/metric-view.ts";
import type { PolicyEnvironment } from "../../policy/environment.ts";
import type { Exchange } from "../../policy/exchange.ts";
import { sentContentType } from "../../policy/sent-content-type.ts";
import { WholeBody } from "../../policy/whole-body.ts";
import {
  bodyOverLimit,
  malformedBody,
  programsBusy,
  unmappableBody,
  unsupportedBody,
} from "./body-faults.ts";
import { BodyFlaw, type FlawKind } from "./body-flaw.ts";
import { describeMapped, isEncoded } from "./body-headers.ts";
import { compileMapping, type BodyMapping } from "./body-mapping.ts";
import type { RequestOptions } from "./body-options.ts";

const tooLarge = new Fault(bodyOverLimit);
const faultTypeOf = {
  malformed: malformedBody,
  unmappable: unmappableBody,
  unsupported: unsupportedBody,
  busy: programsBusy,
} as const satisfies Record<FlawKind, unknown>;

/** Maps the bodies of requests. */
export class RequestMapper {
  private readonly options: RequestOptions;
  private readonly mapping: BodyMapping;
  private readonly unsupported: Fault;
  private readonly encoded: Fault;
  private readonly mapped: Counter;
  private readonly passed: Counter;
  private readonly refused: Counter;

  constructor(options: RequestOptions, environment: PolicyEnvironment) {
    this.options = options;
    this.mapping = compileMapping(options, environment);
    // RFC 9110 section 15.5.16.
    const accept = this.mapping.mediaTypes.filter((type) => !type.startsWith("*+")).join(", ");
    this.unsupported = new Fault(unsupportedBody, "", "", accept === "" ? null : { accept });
    const identity = { "accept-encoding": "identity" };
    this.encoded = new Fault(unsupportedBody, "Send the body uncompressed.", "encoded", identity);
    this.mapped = environment.counter("mapped");
    this.passed = environment.counter("passed");
    this.refused = environment.counter("refused");
  }

  onRequest(exchange: Exchange): Fault | undefined {
    if (!exchange.requestHasBody) return undefined;
    const contentType = sentContentType(exchange);
    const { fields } = exchange.request;
    const { others, malformed } = this.options;
    if (contentType === undefined || !this.mapping.takes(contentType)) {
      return this.decline(others, this.unsupported);
    }
    // The service may well read it: a client must not get past the steps by compressing.
    if (isEncoded(fields)) return this.decline(malformed, this.encoded);
    const judge = (body: Buffer) => this.judge(body, contentType, exchange);
    exchange.stageRequest(new WholeBody(this.options.bytesMax, tooLarge, judge));
    return undefined;
  }

  private decline(what: "pass" | "refuse", fault: Fault): Fault | undefined {
    const isRefused = what === "refuse";
    (isRefused ? this.refused : this.passed).add(1);
    return isRefused ? fault : undefined;
  }

  private judge(body: Buffer, contentType: string, exchange: Exchange) {
    // No bytes are no document of any format, and many clients say what they do not send.
    if (body.length === 0) return undefined;
    try {
      const result = this.mapping.map(body, contentType, exchange);
      if (!(result instanceof Promise)) return this.accept(result, exchange);
      return result.then(
        (late) => this.accept(late, exchange),
        (error: unknown) => this.refuse(error),
      );
    } catch (error) {
      return this.refuse(error);
    }
  }

  private accept(body: Buffer, exchange: Exchange): Buffer {
    describeMapped(exchange.request.fields, this.mapping.contentType);
    this.mapped.add(1);
    return body;
  }

  private refuse(error: unknown): Fault | undefined {
    if (!(error instanceof BodyFlaw)) throw error;
    if (error.kind === "malformed" && this.options.malformed === "pass") {
      this.passed.add(1);
      return undefined;
    }
    this.refused.add(1);
    return new Fault(faultTypeOf[error.kind], error.message, error.code, error.headers);
  }
}
