import { hash } from "node:crypto";
import { GenerationCache } from "../../base/generation-cache.ts";
import type { Consumers } from "../../policy/consumers.ts";
import type { Clock } from "../../policy/environment.ts";
import type { Exchange } from "../../policy/exchange.ts";
import type { Acceptance } from "./answer-reader.ts";
import { targetOf } from "./question.ts";

export interface CacheOptions {
  readonly ttl: number;
  readonly by?: readonly string[] | undefined;
  readonly scope: "request" | "caller";
  readonly entries: number;
}

interface Kept {
  readonly acceptance: Acceptance;
  readonly expiresAtMs: number;
  /** Of the consumers, when it was made. */
  readonly version: number;
}

/** Answers that still hold. By a digest, so that no credential stays in memory for it. */
export class AcceptanceCache {
  private readonly options: CacheOptions;
  private readonly names: readonly string[];
  private readonly clock: Clock;
  private readonly consumers: Consumers;
  private readonly kept: GenerationCache<Kept>;

  constructor(
    options: CacheOptions,
    { requestHeaders }: { readonly requestHeaders: readonly string[] },
    { clock, consumers }: { readonly clock: Clock; readonly consumers: Consumers },
  ) {
    this.options = options;
    this.names = options.by ?? requestHeaders;
    this.clock = clock;
    this.consumers = consumers;
    this.kept = new GenerationCache(options.entries, options.entries);
  }

  find(exchange: Exchange): Acceptance | undefined {
    const kept = this.kept.get(this.keyOf(exchange));
    if (kept === undefined || kept.expiresAtMs <= this.clock.now()) return undefined;
    return kept.version === this.consumers.version ? kept.acceptance : undefined;
  }

  keep(exchange: Exchange, acceptance: Acceptance): void {
    const expiresAtMs = this.clock.now() + this.options.ttl;
    const { version } = this.consumers;
    this.kept.set(this.keyOf(exchange), { acceptance, expiresAtMs, version }, 1);
  }

  private keyOf(exchange: Exchange): string {
    const parts: (string | null)[] = [];
    if (this.options.scope === "request") {
      parts.push(exchange.method, exchange.scheme, exchange.authority, targetOf(exchange));
    }
    for (const name of this.names) parts.push(exchange.header(name) ?? null);
    return hash("sha256", JSON.stringify(parts), "base64");
  }
}
