import type { Exchange } from "../../policy/exchange.ts";

export interface PreflightSettings {
  /** `*` for any. */
  readonly methods: readonly string[];
  /** Lower case; `*` for any. */
  readonly headers: readonly string[];
  readonly credentials: boolean;
  readonly maxAgeMs: number;
  readonly privateNetwork: boolean;
}

/** Need no permission (Fetch standard, CORS-safelisted method). */
const HARMLESS_METHODS = new Set(["GET", "HEAD", "POST"]);
/** Of the question; browsers send them sorted and in lower case. */
const NAMES = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[ \t]*,[ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+)*$/;

/** What pages of allowed origins may do. */
export class Preflight {
  private readonly methods: ReadonlySet<string>;
  private readonly headers: ReadonlySet<string>;
  private readonly methodList: string;
  private readonly headerList: string;
  private readonly common: Readonly<Record<string, string>>;
  private readonly privateNetwork: boolean;

  constructor({ methods, headers, credentials, maxAgeMs, privateNetwork }: PreflightSettings) {
    this.methods = new Set(methods);
    this.headers = new Set(headers);
    this.methodList = methods.join(", ");
    this.headerList = headers.join(", ");
    this.privateNetwork = privateNetwork;
    this.common = {
      vary: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
      "access-control-max-age": String(Math.floor(maxAgeMs / 1000)),
      ...(credentials ? { "access-control-allow-credentials": "true" } : {}),
    };
  }

  /** Whether the browser will go on, given the answer. */
  allows(exchange: Exchange): boolean {
    return this.allowsMethod(askedMethod(exchange)) && this.allowsHeaders(askedHeaders(exchange));
  }

  /**
   * What pages may do, for the browser to compare with what its page wants: it says in its console what is
   * missing. A `*` for any is answered with what was asked for: browsers would not take it to include
   * Authorization, nor at all with credentials.
   */
  answer(exchange: Exchange): Record<string, string> {
    const answer: Record<string, string> = { ...this.common };
    const anyMethod = this.methods.has("*");
    answer["access-control-allow-methods"] = anyMethod ? askedMethod(exchange) : this.methodList;
    const list = this.headers.has("*") ? askedHeaders(exchange) : this.headerList;
    if (list !== "") answer["access-control-allow-headers"] = list;
    if (this.privateNetwork && asksForPrivateNetwork(exchange)) {
      answer["access-control-allow-private-network"] = "true";
    }
    return answer;
  }

  private allowsMethod(method: string): boolean {
    return this.methods.has(method) || this.methods.has("*") || HARMLESS_METHODS.has(method);
  }

  private allowsHeaders(names: string): boolean {
    if (names === "" || this.headers.has("*")) return true;
    return names.split(",").every((name) => this.headers.has(name.trim().toLowerCase()));
  }
}

function askedMethod(exchange: Exchange): string {
  return exchange.header("access-control-request-method") ?? "";
}

/** "" for none, and for what no browser writes. */
function askedHeaders(exchange: Exchange): string {
  const names = exchange.header("access-control-request-headers") ?? "";
  return NAMES.test(names) ? names : "";
}

function asksForPrivateNetwork(exchange: Exchange): boolean {
  return exchange.header("access-control-request-private-network") === "true";
}
