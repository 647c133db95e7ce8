import type { Exchange } from "./exchange.ts";

/**
 * A compiled CEL expression. It sees `request` (method, scheme, host, path, query, headers, cookies,
 * params, protocol, contentLength), `client.address`, `identity` (or null), `route`, `service`, `now`, and from `onResponse` on
 * `response`; docs/reference/expressions.md has them all.
 */
export interface Expression {
  readonly text: string;
  /** @throws when it fails on this exchange, such as for a key that is not there */
  evaluate(exchange: Exchange): unknown;
  /**
   * Whether it is true.
   *
   * @param otherwise what it counts as where it fails or is no boolean, default false; true for what is to
   *   be on the safe side when it holds
   */
  test(exchange: Exchange, otherwise?: boolean): boolean;
}
