import type { BodyCheck } from "./body-check.ts";
import type { Parameter } from "./parameter.ts";

/** What a request has to be like. */
export interface RequestCheck {
  /** In the order of the template; a place that is not described is null. */
  readonly path: readonly (Parameter | null)[];
  readonly query: readonly Parameter[];
  readonly headers: readonly Parameter[];
  readonly cookies: readonly Parameter[];
  /** By content type, lower case; null where nothing is said of bodies. */
  readonly bodies: ReadonlyMap<string, BodyCheck | null> | null;
  readonly isBodyRequired: boolean;
  /** A body is not foreseen. */
  readonly hasNoBody: boolean;
}

/** What a response of some status has to be like. */
export interface ResponseCheck {
  readonly headers: readonly Parameter[];
  readonly bodies: ReadonlyMap<string, BodyCheck | null> | null;
}

/** What requests and responses of one operation have to be like; compiled when it is first met. */
export interface CompiledOperation {
  /** `GET /pets/{id}`, for logs. */
  readonly label: string;
  readonly request: RequestCheck;
  /** Null for a status that is not described. Compiled when it is first asked for. */
  responseOf(status: number): ResponseCheck | null;
}
