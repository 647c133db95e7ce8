/**
 * dns: keeps the addresses of targets' host names up to date, on the main thread. A name is asked for
 * again when its time to live is over. When that fails its last addresses stay, so that an outage of
 * DNS alone takes no service down; the next tries come ever later.
 *
 * A reload first awaits `resolve` for the names of the new configuration and, once that is in force,
 * calls `watch` with them.
 */
import { isIP } from "node:net";
import { silentLog } from "../base/log/log.ts";
import type { Log } from "../base/log/log.ts";
import { Random } from "../base/random.ts";
import { NameResolver } from "./name-resolver.ts";
import type { NameResolverSettings } from "./name-resolver.ts";

export interface DnsSettings extends NameResolverSettings {
  /** A watched name has another set of addresses, sorted; never empty. */
  onChange: (hostname: string, addresses: readonly string[]) => void;
  log?: Pick<Log, "info" | "warn">;
  /** Bounds on the time between two questions for a name, default 1 s and 5 min. */
  ttlMinMs?: number;
  ttlMaxMs?: number;
  /** Longest time that `resolve` takes, default 5 s. */
  resolveMaxMs?: number;
  /** For jitter; tests pass a seeded one. */
  random?: Random;
}

const TTL_MIN_MS = 1000;
const TTL_MAX_MS = 300_000;
/** A start or a reload is not held up for longer by servers that are silent. */
const RESOLVE_MAX_MS = 5000;
/** The longest wait after failures; it starts at `ttlMinMs` and doubles. */
const RETRY_MAX_MS = 30_000;
/** Added to each wait, up to this share of it, so that names and gateways do not ask in step. */
const JITTER = 0.1;

interface Name {
  readonly hostname: string;
  addresses: readonly string[];
  /** What `resolve` returned or `onChange` was told last. */
  told: readonly string[];
  failures: number;
  watched: boolean;
  /** When to ask again, on the clock of `performance.now`. */
  dueMs: number;
  /** Set while the name is watched and no question is under way. */
  timer: NodeJS.Timeout | undefined;
  /** The question under way. */
  asking: Promise<void> | undefined;
}

export class DnsDiscovery implements Disposable {
  private readonly names: Map<string, Name>;
  private readonly resolver: NameResolver;
  private readonly onChange: DnsSettings["onChange"];
  private readonly log: Pick<Log, "info" | "warn">;
  private readonly ttlMinMs: number;
  private readonly ttlMaxMs: number;
  private readonly resolveMaxMs: number;
  private readonly random: Random;
  private disposed: boolean;

  constructor(settings: DnsSettings) {
    this.names = new Map();
    this.resolver = new NameResolver(settings);
    this.onChange = settings.onChange;
    this.log = settings.log ?? silentLog;
    this.ttlMinMs = settings.ttlMinMs ?? TTL_MIN_MS;
    this.ttlMaxMs = settings.ttlMaxMs ?? TTL_MAX_MS;
    this.resolveMaxMs = settings.resolveMaxMs ?? RESOLVE_MAX_MS;
    this.random = settings.random ?? new Random();
    this.disposed = false;
  }

  /**
   * Addresses of each name: those known of names that are watched, of the others once they have been
   * asked for. A name that cannot be resolved, or not in time, has none, which is logged; it never
   * fails. Literal addresses stand for themselves.
   */
  async resolve(hostnames: Iterable<string>): Promise<Record<string, string[]>> {
    const wanted = [...new Set(hostnames)];
    await this.atMost(Promise.all(wanted.map((hostname) => this.askUnknown(hostname))));
    const endpoints = wanted.map((hostname): [string, string[]] => {
      const addresses = this.addresses(hostname);
      const name = this.names.get(hostname);
      if (name !== undefined) name.told = addresses;
      return [hostname, [...addresses]];
    });
    return Object.fromEntries(endpoints);
  }

  /** Keeps exactly these names up to date from now on, and forgets all others. */
  watch(hostnames: Iterable<string>): void {
    if (this.disposed) return;
    const wanted = new Set([...hostnames].filter((hostname) => isIP(hostname) === 0));
    for (const name of this.names.values()) {
      if (wanted.has(name.hostname)) continue;
      clearTimeout(name.timer);
      this.names.delete(name.hostname);
    }
    for (const hostname of wanted) {
      const name = this.name(hostname);
      if (name.watched) continue;
      name.watched = true;
      // The answer may have come too late for `resolve`.
      this.tell(name);
      // One that was just resolved is not due yet.
      if (name.asking === undefined) this.schedule(name);
    }
  }

  /** What is known of a name now. */
  addresses(hostname: string): readonly string[] {
    if (isIP(hostname) !== 0) return [hostname];
    return this.names.get(hostname)?.addresses ?? [];
  }

  /** Stops asking. No change is told any more, and nothing keeps the process alive. */
  dispose(): void {
    this.disposed = true;
    for (const name of this.names.values()) clearTimeout(name.timer);
    this.names.clear();
    this.resolver.cancel();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private name(hostname: string): Name {
    let name = this.names.get(hostname);
    if (name === undefined) {
      const fresh = { addresses: [], told: [], failures: 0, watched: false, dueMs: 0 };
      name = { hostname, ...fresh, timer: undefined, asking: undefined };
      this.names.set(hostname, name);
    }
    return name;
  }

  private async askUnknown(hostname: string): Promise<void> {
    if (isIP(hostname) !== 0 || this.disposed) return;
    const name = this.name(hostname);
    if (!name.watched || name.addresses.length === 0) await this.ask(name);
  }

  private async atMost(work: Promise<unknown>): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, this.resolveMaxMs);
    await Promise.race([work, late.promise]);
    clearTimeout(timer);
  }

  /** Asks once, or joins the question that is under way; never fails. */
  private ask(name: Name): Promise<void> {
    clearTimeout(name.timer);
    name.asking ??= this.askNow(name).finally(() => {
      name.asking = undefined;
    });
    return name.asking;
  }

  private async askNow(name: Name): Promise<void> {
    let waitMs: number;
    try {
      const { addresses, ttlMs } = await this.resolver.resolve(name.hostname);
      if (this.isForgotten(name)) return;
      this.keep(name, addresses);
      waitMs = Math.min(Math.max(ttlMs, this.ttlMinMs), this.ttlMaxMs);
    } catch (error) {
      if (this.isForgotten(name)) return;
      waitMs = this.fail(name, error);
    }
    name.dueMs = performance.now() + waitMs * (1 + JITTER * this.random.fraction());
    if (name.watched) this.schedule(name);
  }

  private schedule(name: Name): void {
    const waitMs = Math.max(0, name.dueMs - performance.now());
    name.timer = setTimeout(() => void this.ask(name), waitMs);
    // Listeners keep a gateway alive; questions do not.
    name.timer.unref();
  }

  private keep(name: Name, addresses: readonly string[]): void {
    const { hostname } = name;
    if (name.failures > 0) this.log.info("name resolves again", { hostname, addresses });
    name.failures = 0;
    name.addresses = addresses;
    this.tell(name);
  }

  private tell(name: Name): void {
    if (!name.watched || name.addresses.join() === name.told.join()) return;
    name.told = name.addresses;
    this.onChange(name.hostname, name.addresses);
  }

  /** @returns ms to wait before the next try. */
  private fail(name: Name, error: unknown): number {
    name.failures += 1;
    const retryMs = Math.min(this.ttlMinMs * 2 ** (name.failures - 1), RETRY_MAX_MS);
    if (name.failures === 1) {
      const { hostname, addresses } = name;
      const message =
        addresses.length === 0
          ? "name does not resolve"
          : "name does not resolve any more; its last addresses stay in use";
      this.log.warn(message, { hostname, addresses, error });
    }
    return retryMs;
  }

  private isForgotten(name: Name): boolean {
    return this.disposed || this.names.get(name.hostname) !== name;
  }
}
