import { Fault } from "../../base/faults.ts";
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
import type { BodyFlaw, FlawKind } from "./body-flaw.ts";
import { describeMapped, isEncoded } from "./body-headers.ts";
import { BodyMapper } from "./body-mapper.ts";
import type { RequestOptions } from "./body-options.ts";

const tooLarge = new Fault(bodyOverLimit);
const faultTypeOf = {
  malformed: malformedBody,
  unmappable: unmappableBody,
  unsupported: unsupportedBody,
  busy: programsBusy,
} as const satisfies Record<FlawKind, unknown>;

/** Maps the bodies of requests. */
export class RequestMapper extends BodyMapper<RequestOptions> {
  private readonly unsupported: Fault;
  private readonly encoded: Fault;
  /** Parameters that are given out of bodies. */
  private readonly givenQuery: readonly string[];

  constructor(options: RequestOptions, environment: PolicyEnvironment) {
    super(options, "request", environment);
    this.givenQuery = options.steps.flatMap(({ query = {} }) => Object.keys(query));
    // RFC 9110 section 15.5.16.
    const accept = this.mapping.mediaTypes.filter((type) => !type.startsWith("*+")).join(", ");
    this.unsupported = new Fault(unsupportedBody, "", "", accept === "" ? null : { accept });
    const identity = { "accept-encoding": "identity" };
    this.encoded = new Fault(unsupportedBody, "Send the body uncompressed.", "encoded", identity);
  }

  onRequest(exchange: Exchange): Fault | undefined {
    const { fields } = exchange.request;
    // Also where no body is read: what a client says in them is not to pass for what is in its body.
    this.givenHeaders.removeFrom(fields);
    for (const name of this.givenQuery) exchange.removeQuery(name);
    if (!exchange.requestHasBody) return undefined;
    const contentType = sentContentType(exchange);
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

  protected describe(exchange: Exchange): void {
    describeMapped(exchange.request.fields, this.mapping.contentType);
  }

  protected faultOf({ kind, message, code, headers }: BodyFlaw): Fault {
    return new Fault(faultTypeOf[kind], message, code, headers);
  }
}
