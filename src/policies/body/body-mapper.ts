import type { Fault } from "../../base/faults.ts";
import type { Counter } from "../../base/metrics/metric-view.ts";
import type { PolicyEnvironment } from "../../policy/environment.ts";
import type { Exchange } from "../../policy/exchange.ts";
import { HeaderNames } from "../../policy/header-names.ts";
import { BodyFlaw } from "./body-flaw.ts";
import { compileMapping, type BodyMapping } from "./body-mapping.ts";
import type { RequestOptions, ResponseOptions } from "./body-options.ts";

/** What requests and responses have in common: a whole body is mapped, passed as it is, or refused. */
export abstract class BodyMapper<Options extends RequestOptions | ResponseOptions> {
  protected readonly options: Options;
  protected readonly mapping: BodyMapping;
  /** Headers that are given out of bodies: nobody else is to say them. */
  protected readonly givenHeaders: HeaderNames;
  private readonly mapped: Counter;
  private readonly passed: Counter;
  private readonly refused: Counter;

  constructor(options: Options, direction: "request" | "response", environment: PolicyEnvironment) {
    this.options = options;
    this.mapping = compileMapping(options, direction, environment);
    this.givenHeaders = new HeaderNames(
      options.steps.flatMap(({ headers = {} }) => Object.keys(headers)),
    );
    this.mapped = environment.counter("mapped");
    this.passed = environment.counter("passed");
    this.refused = environment.counter("refused");
  }

  /** Makes the head fit a mapped body. */
  protected abstract describe(exchange: Exchange): void;

  protected abstract faultOf(flaw: BodyFlaw): Fault;

  protected decline(what: "pass" | "refuse", fault: Fault): Fault | undefined {
    const isRefused = what === "refuse";
    (isRefused ? this.refused : this.passed).add(1);
    return isRefused ? fault : undefined;
  }

  protected judge(body: Buffer, contentType: string, exchange: Exchange) {
    // No bytes are no document of any format, and many say what they do not send.
    if (body.length === 0) return undefined;
    try {
      const result = this.mapping.map(body, contentType, exchange);
      if (!(result instanceof Promise)) return this.take(result, exchange);
      return result.then(
        (late) => this.take(late, exchange),
        (error: unknown) => this.refuse(error),
      );
    } catch (error) {
      return this.refuse(error);
    }
  }

  private take(body: Buffer, exchange: Exchange): Buffer {
    if (!this.mapping.keepsBytes) this.describe(exchange);
    this.mapped.add(1);
    return body;
  }

  private refuse(error: unknown): Fault | undefined {
    if (!(error instanceof BodyFlaw)) throw error;
    return this.decline(
      error.kind === "malformed" ? this.options.malformed : "refuse",
      this.faultOf(error),
    );
  }
}
