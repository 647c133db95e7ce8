/** balance-config: how a service's targets are balanced, normalised, as the configuration says it. */

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
  /** How long a slow answer is remembered, default 10000 ms. */
  decayMs?: number;
}

export interface HashConfig {
  name: "hash";
  by: HashKeyConfig;
  /** Most load of a target as a multiple of its fair share, from 1. */
  boundedLoad: number;
}

export interface StickyConfig {
  name: "sticky";
  cookie: string;
  /** Life of the cookie, ms; 0: until the browser is closed. */
  ttlMs: number;
  /** Default `/`. */
  path?: string;
  /** Send the cookie over TLS only, default false. */
  secure?: boolean;
  /** Hide the cookie from scripts, default true. */
  httpOnly?: boolean;
  /** Default `lax`; `none` needs `secure`. */
  sameSite?: "strict" | "lax" | "none";
  fallback: StatelessBalanceConfig;
}

export type StatelessBalanceConfig = PlainBalanceConfig | PeakEwmaConfig | HashConfig;
export type BalanceConfig = StatelessBalanceConfig | StickyConfig;
