// HOT
import type { UpstreamEvents } from "../exchange-streams.ts";
import { RequestHead } from "./request-head.ts";
import { ResponseHead } from "./response-head.ts";

/** Stands in for an exchange that left a shared connection: its answer is read past. */
export class DiscardedExchange implements UpstreamEvents {
  readonly request: RequestHead;
  readonly response: ResponseHead;

  constructor(method: string) {
    this.request = new RequestHead();
    this.request.method = method;
    this.response = new ResponseHead();
  }

  onInformational(): void {}
  onResponse(): void {}
  onResponseBody(): void {}
  onResponseEnd(): void {}
  onUpstreamDrain(): void {}
  onUpstreamFailed(): void {}
}
