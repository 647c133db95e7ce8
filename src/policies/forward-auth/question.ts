import type { Exchange } from "../../policy/exchange.ts";
import type { ServiceRequest } from "../../policy/service-call.ts";

export interface QuestionOptions {
  readonly path: string;
  readonly method: string;
  /** Lower case; `*` for all. */
  readonly requestHeaders: readonly string[];
  readonly bodyMax: number;
  readonly timeout: number;
}

type Header = readonly [name: string, value: string];

/** What the gateway itself says of a request, and of how long it is; never passed on as a client sent it. */
const NOT_PASSED =
  /^(?:x-forwarded-(?:method|proto|host|uri|for|port)|x-request-id|host|via|expect|content-.*|transfer-encoding|connection|te|trailer|upgrade|keep-alive|proxy-.*|http2-settings)$/;

/** What the service is asked. */
export class Question {
  private readonly options: QuestionOptions;
  private readonly names: readonly string[];
  private readonly sendsAll: boolean;

  constructor(options: QuestionOptions) {
    this.options = options;
    this.sendsAll = options.requestHeaders.includes("*");
    this.names = options.requestHeaders.filter((name) => !NOT_PASSED.test(name));
  }

  about(exchange: Exchange): ServiceRequest {
    const { path, method, bodyMax, timeout } = this.options;
    const headers: Header[] = [
      ["x-forwarded-method", exchange.method],
      ["x-forwarded-proto", exchange.scheme],
      ["x-forwarded-host", exchange.authority],
      ["x-forwarded-uri", targetOf(exchange)],
      ["x-request-id", exchange.requestId],
    ];
    if (exchange.clientAddress !== "") headers.push(["x-forwarded-for", exchange.clientAddress]);
    if (this.sendsAll) addAll(headers, exchange);
    else this.addChosen(headers, exchange);
    return {
      within: exchange,
      method,
      target: path,
      headers,
      timeoutMs: timeout,
      bytesMax: bodyMax,
    };
  }

  private addChosen(headers: Header[], exchange: Exchange): void {
    for (const name of this.names) {
      const value = exchange.header(name);
      if (value !== undefined) headers.push([name, value]);
    }
  }
}

function addAll(headers: Header[], exchange: Exchange): void {
  exchange.request.fields.each((name, value) => {
    const lower = name.toLowerCase();
    // Spelled otherwise, some servers take it for the same header.
    if (!NOT_PASSED.test(lower.replaceAll(/[^a-z0-9]/g, "-"))) headers.push([lower, value]);
  });
}

/**
 * Path and query as the service behind the route will see them, but for its own rewrites: were the path of
 * the question another one than that of the request, the answer would be about something else.
 */
export function targetOf({ path, rawQuery }: Exchange): string {
  return rawQuery === "" ? path : `${path}?${rawQuery}`;
}
