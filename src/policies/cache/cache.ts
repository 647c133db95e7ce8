/**
 * cache: answers requests out of what services have answered before (RFC 9111, a shared cache).
 */
import { Fault, defineFaultType } from "../../base/faults.ts";
import { definePolicy } from "../../policy/policy.ts";
import { cacheOptions } from "./cache-options.ts";
import { CacheState, cacheResults, type CacheCounts } from "./cache-state.ts";
import { checkCache } from "./check-cache.ts";
import { RequestSide } from "./request-side.ts";
import { ResponseSide } from "./response-side.ts";

const notCached = defineFaultType("not-cached", {
  status: 504,
  title: "Not in the cache",
  whose: "client",
  retrySafe: "always",
  cause: "The client asked by `only-if-cached` for what is in the cache, and it is not there.",
  remedy: "Ask without `only-if-cached`.",
});

export default definePolicy({
  name: "cache",
  summary: "Answers requests out of what services have answered before.",
  schema: cacheOptions.prefault({}),
  results: cacheResults,
  faults: [notCached],
  needs: ({ key }) => (key.identity ? ["identity"] : []),
  precludes: ({ shared }) => (shared ? [] : ["identity"]),
  check: checkCache,
  standsBy: ({ maxStale, staleIfError }) => maxStale > 0 || staleIfError > 0,

  compile(options, environment) {
    const entries = cacheResults.map((result) => [result, environment.counter(result)]);
    const state = new CacheState({
      options,
      clock: environment.clock,
      store: environment.cache(options.store),
      counts: Object.fromEntries(entries) as CacheCounts,
    });
    const requests = new RequestSide(state, new Fault(notCached));
    const responses = new ResponseSide(state);
    return {
      onRequest: (exchange) => requests.onRequest(exchange),
      onResponse: (exchange) => responses.onResponse(exchange),
      onServiceFailed: (exchange) => responses.onServiceFailed(exchange),
      onEnd: (exchange) => responses.onEnd(exchange),
    };
  },
});
