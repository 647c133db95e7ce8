import type { Exchange } from "../../policy/exchange.ts";
import { directiveMs, parseCacheControl } from "./cache-control.ts";

/** What a client says in Cache-Control (RFC 9111 section 5.2.1). Times are milliseconds. */
export interface ClientWishes {
  readonly noStore: boolean;
  readonly onlyIfCached: boolean;
  /** It takes nothing that has not been validated. */
  readonly noCache: boolean;
  readonly maxAgeMs: number;
  readonly minFreshMs: number;
  /** -1: it takes nothing stale. */
  readonly maxStaleMs: number;
}

/** null where it wishes for nothing. */
export function clientWishes(exchange: Exchange): ClientWishes | null {
  const text = exchange.header("cache-control");
  if (text === undefined) {
    // RFC 9111 section 5.4
    return exchange.header("pragma")?.toLowerCase().includes("no-cache") === true ? PRAGMA : null;
  }
  const directives = parseCacheControl(text);
  return {
    noStore: directives.has("no-store"),
    onlyIfCached: directives.has("only-if-cached"),
    noCache: directives.has("no-cache"),
    maxAgeMs: directiveMs(directives, "max-age", 0) ?? Infinity,
    minFreshMs: directiveMs(directives, "min-fresh", 0) ?? 0,
    maxStaleMs: directiveMs(directives, "max-stale", Infinity) ?? -1,
  };
}

const PRAGMA: ClientWishes = {
  noStore: false,
  onlyIfCached: false,
  noCache: true,
  maxAgeMs: Infinity,
  minFreshMs: 0,
  maxStaleMs: -1,
};

/** Whether a record of this age and freshness is what the client wants. */
export function isFineFor(
  wishes: ClientWishes,
  { bornAtMs, freshUntilMs }: { readonly bornAtMs: number; readonly freshUntilMs: number },
  isStrict: boolean,
  nowMs: number,
): boolean {
  if (wishes.noCache || nowMs - bornAtMs > wishes.maxAgeMs) return false;
  const leftMs = freshUntilMs - nowMs;
  if (leftMs > 0) return leftMs >= wishes.minFreshMs;
  return !isStrict && wishes.minFreshMs === 0 && -leftMs <= wishes.maxStaleMs;
}

/** Whether one that is stale may be given while a new one is fetched. */
export function mayBeStale(
  { noCache, maxAgeMs, minFreshMs }: ClientWishes,
  { bornAtMs }: { readonly bornAtMs: number },
  nowMs: number,
): boolean {
  return !noCache && minFreshMs === 0 && nowMs - bornAtMs <= maxAgeMs;
}
