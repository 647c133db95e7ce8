/**
 * One name to its addresses, as the system would do it, but with the time to live that only DNS tells:
 * hosts file, then DNS with the search domains, then whatever else the C library asks (mDNS, LDAP).
 *
 * IPv4 addresses when there are any, else IPv6: many networks hand out AAAA records and do not route
 * them. Names that the hosts file has, and `localhost`, keep both families, because development servers
 * listen on just one, and connecting to a closed loopback port fails at once.
 */
import { lookup as systemLookup, Resolver } from "node:dns/promises";
import { findInHostsFile } from "./hosts-file.ts";
import { candidateNames, readSearchDomains } from "./search-domains.ts";

export interface Resolution {
  /** At least one, sorted, each once. */
  readonly addresses: readonly string[];
  /** How long they hold, ms, as the source says: not bounded. */
  readonly ttlMs: number;
}

export interface NameResolverSettings {
  /** `address:port` of DNS servers; default those of the system. */
  servers?: readonly string[];
  /** Default `/etc/hosts`. */
  hostsFile?: string;
  /** Where search domains stand, default `/etc/resolv.conf`. */
  resolvConf?: string;
  /** The system's own resolver, asked last. */
  lookup?: (hostname: string) => Promise<string[]>;
  /** For one try of one query, default 2000 ms; there are two. */
  timeoutMs?: number;
}

/** For sources that tell none: hosts file and C library. */
const TTL_MS_UNTOLD = 30_000;
/** RFC 6761 section 6.3: these are never asked of a server. */
const LOOPBACK = ["127.0.0.1", "::1"];
/** What DNS answers when it has answered, and there is nothing: no such name, no such record. */
const NOTHING = new Set(["ENOTFOUND", "ENODATA"]);

export class NameResolver {
  private readonly settings: Required<Omit<NameResolverSettings, "servers">>;
  private readonly servers: readonly string[] | undefined;
  private readonly asking: Set<Resolver>;

  constructor(settings: NameResolverSettings = {}) {
    this.servers = settings.servers;
    this.settings = {
      hostsFile: settings.hostsFile ?? "/etc/hosts",
      resolvConf: settings.resolvConf ?? "/etc/resolv.conf",
      lookup: settings.lookup ?? lookupAll,
      timeoutMs: settings.timeoutMs ?? 2000,
    };
    this.asking = new Set();
  }

  /** @throws the error of DNS when no source knows the name. */
  async resolve(hostname: string): Promise<Resolution> {
    const listed = await findInHostsFile(this.settings.hostsFile, hostname);
    if (listed.length > 0) return resolution(listed, TTL_MS_UNTOLD);
    if (/(^|\.)localhost\.?$/i.test(hostname)) return resolution(LOOPBACK, TTL_MS_UNTOLD);
    try {
      return await this.askServers(hostname);
    } catch (error) {
      const addresses = await this.settings.lookup(hostname).catch(() => []);
      if (addresses.length > 0) return resolution(preferIpv4(addresses), TTL_MS_UNTOLD);
      throw error;
    }
  }

  /** Gives up all questions under way; they fail with ECANCELLED. */
  cancel(): void {
    for (const resolver of this.asking) resolver.cancel();
  }

  private async askServers(hostname: string): Promise<Resolution> {
    const search = await readSearchDomains(this.settings.resolvConf);
    // A new one each time: it knows the servers that are configured now.
    const resolver = new Resolver({ timeout: this.settings.timeoutMs, tries: 2 });
    if (this.servers !== undefined) resolver.setServers(this.servers);
    this.asking.add(resolver);
    try {
      let failure: unknown;
      for (const name of candidateNames(hostname, search)) {
        const found = await askBothFamilies(resolver, name).catch((error: unknown) => {
          // A server in trouble is no reason to take the address of another name.
          if (!isNothing(error)) throw error;
          failure = error;
        });
        if (found !== undefined) return found;
      }
      throw failure;
    } finally {
      this.asking.delete(resolver);
    }
  }
}

async function askBothFamilies(resolver: Resolver, name: string): Promise<Resolution> {
  const ipv4 = await resolver.resolve4(name, { ttl: true }).catch((error: unknown) => {
    if (!isNothing(error)) throw error;
    return [];
  });
  const records = ipv4.length > 0 ? ipv4 : await resolver.resolve6(name, { ttl: true });
  const ttlMs = Math.min(...records.map(({ ttl }) => ttl)) * 1000;
  return resolution(
    records.map(({ address }) => address),
    ttlMs,
  );
}

async function lookupAll(hostname: string): Promise<string[]> {
  const found = await systemLookup(hostname, { all: true });
  return found.map(({ address }) => address);
}

function preferIpv4(addresses: readonly string[]): readonly string[] {
  const ipv4 = addresses.filter((address) => !address.includes(":"));
  return ipv4.length > 0 ? ipv4 : addresses;
}

function resolution(addresses: readonly string[], ttlMs: number): Resolution {
  return { addresses: [...new Set(addresses)].toSorted(), ttlMs };
}

function isNothing(error: unknown): boolean {
  return NOTHING.has((error as NodeJS.ErrnoException).code ?? "");
}
