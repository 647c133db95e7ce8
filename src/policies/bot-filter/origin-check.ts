import { Resolver } from "node:dns/promises";
import { isIPv6 } from "node:net";
import { GenerationCache } from "../../base/generation-cache.ts";
import type { Clock } from "../../policy/environment.ts";

/** Names of addresses, and addresses of names. */
export interface NameLookup {
  reverse(address: string): Promise<string[]>;
  resolve4(name: string): Promise<string[]>;
  resolve6(name: string): Promise<string[]>;
}

const FORGED_MS = 60 * 60_000;
const UNKNOWN_MS = 60_000;
const ENTRIES_MAX = 10_000;
/** Whoever claims to be a robot from ever new addresses makes no more work than this. */
const PENDING_MAX = 64;
/** Of one address, of which only few can lead back to it. */
const NAMES_MAX = 4;
const NOT_THERE = new Set(["ENOTFOUND", "ENODATA"]);

type Finding = "genuine" | "forged" | "unknown";

interface Kept {
  readonly finding: Finding;
  readonly expiresAtMs: number;
}

/**
 * Whether an address belongs to who a robot claims to be: its name is under one of the operator's domains,
 * and that name leads back to it, since anybody may give any name to addresses of theirs. No request waits
 * for it: until it is known it is unknown.
 */
export class OriginCheck implements Disposable {
  private readonly lookup: NameLookup;
  private readonly clock: Clock;
  private readonly ttlMs: number;
  private readonly kept: GenerationCache<Kept>;
  private readonly pending: Map<string, Promise<void>>;

  constructor(lookup: NameLookup, clock: Clock, ttlMs: number) {
    this.lookup = lookup;
    this.clock = clock;
    this.ttlMs = ttlMs;
    this.kept = new GenerationCache(ENTRIES_MAX, ENTRIES_MAX);
    this.pending = new Map();
  }

  find(address: string, domains: readonly string[]): Finding {
    const key = `${address} ${domains[0]}`;
    const kept = this.kept.get(key);
    if (kept !== undefined && kept.expiresAtMs > this.clock.now()) return kept.finding;
    this.begin(key, address, domains);
    // What was known an hour ago is better than nothing.
    return kept === undefined ? "unknown" : kept.finding;
  }

  /** Resolves when nothing is being looked up any more. */
  async settled(): Promise<void> {
    await Promise.all(this.pending.values());
  }

  private begin(key: string, address: string, domains: readonly string[]): void {
    if (address === "" || this.pending.has(key) || this.pending.size >= PENDING_MAX) return;
    const looking = this.look(address, domains).then((finding) => {
      this.pending.delete(key);
      const lifetimes = { genuine: this.ttlMs, forged: FORGED_MS, unknown: UNKNOWN_MS };
      const expiresAtMs = this.clock.now() + lifetimes[finding];
      this.kept.set(key, { finding, expiresAtMs }, 1);
    });
    this.pending.set(key, looking);
  }

  private async look(address: string, domains: readonly string[]): Promise<Finding> {
    try {
      const names = await this.lookup.reverse(address);
      for (const name of names.slice(0, NAMES_MAX)) {
        if (!isUnder(name, domains)) continue;
        if (await this.leadsBack(name, address)) return "genuine";
      }
      return "forged";
    } catch (error) {
      // No name is an answer; no answer is none.
      return NOT_THERE.has((error as NodeJS.ErrnoException).code ?? "") ? "forged" : "unknown";
    }
  }

  private async leadsBack(name: string, address: string): Promise<boolean> {
    if (!isIPv6(address)) return (await this.lookup.resolve4(name)).includes(address);
    const wanted = shortest(address);
    return (await this.lookup.resolve6(name)).some((one) => shortest(one) === wanted);
  }

  [Symbol.dispose](): void {
    if (this.lookup instanceof Resolver) this.lookup.cancel();
  }
}

/** @param servers to ask, `address` or `address:port`; the system's own when there are none. */
export function createLookup(servers: readonly string[]): NameLookup {
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  if (servers.length > 0) resolver.setServers(servers);
  return resolver;
}

function isUnder(name: string, domains: readonly string[]): boolean {
  const lower = name.toLowerCase().replace(/\.$/, "");
  return domains.some((domain) => lower.endsWith(`.${domain}`));
}

/** The canonical form of an IPv6 address (RFC 5952). */
function shortest(address: string): string {
  return URL.parse(`http://[${address}]/`)?.hostname ?? address;
}
