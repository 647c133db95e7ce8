import type { Exchange } from "../../../policy/exchange.ts";
import type { Json } from "../json-value.ts";

/**
 * One change of a parsed body. The value is the step's to change, and what it returns takes its place.
 *
 * @throws BodyFlaw where the body cannot be changed so
 */
export type Step = (value: Json, exchange: Exchange) => Json | Promise<Json>;
