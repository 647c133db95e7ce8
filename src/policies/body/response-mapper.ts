import { Fault } from "../../base/faults.ts";
import type { PolicyEnvironment } from "../../policy/environment.ts";
import { ExchangeMemory } from "../../policy/exchange-memory.ts";
import type { Exchange } from "../../policy/exchange.ts";
import { dropFieldsOfBytes, weakenETag } from "../../policy/recoded-fields.ts";
import { compileStatusSet, type StatusSet } from "../../policy/values/status-set.ts";
import { WholeBody } from "../../policy/whole-body.ts";
import { programsBusy, unmappableResponse } from "./body-faults.ts";
import type { BodyFlaw } from "./body-flaw.ts";
import { describeMapped, isEncoded } from "./body-headers.ts";
import { BodyMapper } from "./body-mapper.ts";
import type { ResponseOptions } from "./body-options.ts";

const tooLarge = new Fault(unmappableResponse, "The response is too large.", "too-large");
const unsupported = new Fault(
  unmappableResponse,
  "The response has another type than is mapped.",
  "unsupported",
);
const encoded = new Fault(unmappableResponse, "The response is compressed, or a part.", "encoded");

/** Maps the bodies of responses. */
export class ResponseMapper extends BodyMapper<ResponseOptions> {
  private readonly statuses: StatusSet;
  /** What services are asked for where clients would get another format; null to leave Accept alone. */
  private readonly accept: string | null;
  /** What clients said that they take. */
  private readonly codings = new ExchangeMemory<string>();

  constructor(options: ResponseOptions, environment: PolicyEnvironment) {
    super(options, "response", environment);
    this.statuses = compileStatusSet(options.statuses);
    const { from, to = from } = options;
    const types = this.mapping.mediaTypes.filter((type) => !type.startsWith("*+"));
    this.accept = from === to || types.length === 0 ? null : types.join(", ");
  }

  /** The service is asked for what can be read: not compressed, not a part, and in the format that it has. */
  onRequest(exchange: Exchange): void {
    const { fields } = exchange.request;
    const coding = fields.get("accept-encoding");
    if (coding !== undefined) this.codings.set(exchange, coding);
    // Without the header any coding would do (RFC 9110 section 12.5.3).
    fields.set("accept-encoding", "identity");
    fields.remove("range");
    fields.remove("if-range");
    if (this.accept !== null) fields.set("accept", this.accept);
  }

  onResponse(exchange: Exchange): Fault | undefined {
    const { fields, status } = exchange.response;
    // A policy above this one may compress what is made here.
    const coding = this.codings.get(exchange);
    if (coding !== undefined) exchange.request.fields.set("accept-encoding", coding);
    else exchange.request.fields.remove("accept-encoding");
    // The validator has to be the one that the body was sent with.
    if (status === 304 && !this.mapping.keepsBytes) weakenETag(fields);
    const isHead = exchange.method === "HEAD";
    // What the gateway says itself is not in the service's words.
    if (!exchange.responseIsFromService) return undefined;
    if (!this.statuses.has(status)) return undefined;
    this.givenHeaders.removeFrom(fields);
    if (!(exchange.responseHasBody || isHead)) return undefined;
    const contentType = fields.get("content-type") ?? "";
    const { others, malformed } = this.options;
    if (!this.mapping.takes(contentType)) return this.decline(others, unsupported);
    const isPart = status === 206 || fields.has("content-range");
    // Neither was asked for; what is to be filtered out would get through.
    if (isPart || isEncoded(fields)) return this.decline(malformed, encoded);
    const judge = (body: Buffer) => this.judge(body, contentType, exchange);
    exchange.stageResponse(new WholeBody(this.options.bytesMax, tooLarge, judge));
    // No body comes whose end could be waited for.
    if (isHead && !this.mapping.keepsBytes) this.describe(exchange);
    return undefined;
  }

  protected describe(exchange: Exchange): void {
    const { fields } = exchange.response;
    describeMapped(fields, this.mapping.contentType);
    dropFieldsOfBytes(fields);
  }

  protected faultOf({ kind, message, code, headers }: BodyFlaw): Fault {
    const type = kind === "busy" ? programsBusy : unmappableResponse;
    return new Fault(type, message, code, headers);
  }
}
