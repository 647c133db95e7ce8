// HOT
import type { ClientRanges } from "./client-ranges.ts";
import type { MediaTypePattern } from "./media-type.ts";
import type { RoutingRequest } from "./routing-request.ts";
import type { ValueCondition } from "./value-condition.ts";

export const FROM_HEADER = 0;
export const FROM_QUERY = 1;
export const FROM_COOKIE = 2;

/** The value that a condition is about. */
export function readValue(
  request: RoutingRequest,
  source: number,
  name: string,
): string | undefined {
  if (source === FROM_HEADER) return request.header(name);
  return source === FROM_QUERY ? request.query(name) : request.cookie(name);
}

/** What a rule asks for besides host, path and method. All of it has to hold. */
export class RuleConditions {
  /** Condition i is on the value called `names[i]` from `sources[i]`. */
  readonly sources: readonly number[];
  readonly names: readonly string[];
  readonly values: readonly ValueCondition[];
  readonly clients: ClientRanges | null;
  /** Any of them; empty when the content type does not matter. */
  readonly contentTypes: readonly MediaTypePattern[];

  constructor(
    sources: readonly number[],
    names: readonly string[],
    values: readonly ValueCondition[],
    clients: ClientRanges | null,
    contentTypes: readonly MediaTypePattern[],
  ) {
    this.sources = sources;
    this.names = names;
    this.values = values;
    this.clients = clients;
    this.contentTypes = contentTypes;
  }

  test(request: RoutingRequest): boolean {
    for (let index = 0; index < this.values.length; index++) {
      const value = readValue(request, this.sources[index]!, this.names[index]!);
      if (!this.values[index]!.test(value)) return false;
    }
    if (this.contentTypes.length > 0 && !this.testContentType(request)) return false;
    return this.clients === null || this.clients.test(request.clientAddress);
  }

  private testContentType(request: RoutingRequest): boolean {
    const contentType = request.header("content-type");
    if (contentType === undefined) return false;
    for (let index = 0; index < this.contentTypes.length; index++) {
      if (this.contentTypes[index]!.test(contentType)) return true;
    }
    return false;
  }
}
