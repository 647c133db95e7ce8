/** balance-config: how a service's targets are balanced, normalised, as the configuration says it. */
import type { CookieAttributes } from "../../base/cookie-attributes.ts";

/** What a request is hashed by. `name` is empty for `client`, the client's address. */
export interface HashKeyConfig {
  from: "header" | "cookie" | "param" | "client";
  /** Header names in lower case. */
  name: string;
}

export interface PlainBalanceConfig {
  name: "round-robin" | "least-requests" | "random";
}

export interface PeakEwmaConfig {
  name: "peak-ewma";
  /** How long a slow answer is remembered, ms. */
  decayMs: number;
}

export interface HashConfig {
  name: "hash";
  by: HashKeyConfig;
  /** Most load of a target as a multiple of its fair share, from 1. */
  boundedLoad: number;
}

export interface StickyConfig extends CookieAttributes {
  name: "sticky";
  cookie: string;
  /** Keys the cookie's values; "" for a key that everybody knows. */
  secret: string;
  fallback: StatelessBalanceConfig;
}

export type StatelessBalanceConfig = PlainBalanceConfig | PeakEwmaConfig | HashConfig;
export type BalanceConfig = StatelessBalanceConfig | StickyConfig;
