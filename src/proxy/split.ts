// HOT
/**
 * split: which of several destinations a request goes to.
 *
 * Branches that have a condition and no weight come first: one takes all that it holds for. The others share
 * what is left by their weights, those with a condition only among requests that it holds for.
 *
 * Who is known by a key always goes the same way, by weighted rendezvous hashing (Thaler and Ravishankar
 * 1998; weights after Schindelhauer and Schomaker 2005): each branch draws a number from the key and its own
 * name, `-ln(u) / weight`, and the least wins. Hence a branch whose weight is raised keeps all that it had, one
 * whose weight is lowered gains nobody, and neither order nor workers nor restarts matter.
 */
import { cookieAttributes } from "../base/cookie-attributes.ts";
import type { CookieAttributes } from "../base/cookie-attributes.ts";
import { hashString } from "../base/hash.ts";
import type { Counter } from "../base/metrics/metric-view.ts";
import type { Random } from "../base/random.ts";
import { ExchangeMemory } from "../policy/exchange-memory.ts";
import type { Exchange } from "../policy/exchange.ts";
import type { Destination } from "./snapshot.ts";

export interface SplitBranch {
  /** Unique in its split; what is drawn for a key depends on it. */
  readonly name: string;
  readonly destination: Destination;
  /** Relative to the others; null where it takes all that its condition holds for. */
  readonly weight: number | null;
  /** null for all requests. */
  readonly applies: ((exchange: Exchange) => boolean) | null;
  /** Requests that went there. */
  readonly chosen: Counter;
}

/** What a request is known by; "" for nothing. */
export type SplitKey = (exchange: Exchange) => string;

export interface SplitSettings {
  readonly branches: readonly SplitBranch[];
  /** Splits of the same seed and the same names send a key the same way. */
  readonly seed: string;
  readonly random: Random;
  /** null: every request for itself. */
  readonly key: SplitKey | null;
  /** The cookie that clients are known by; then `key` is null. */
  readonly cookie: SplitCookie | null;
}

export class Split {
  private readonly takers: SplitBranch[];
  private readonly shares: SplitBranch[];
  /** Of each of `shares`. */
  private readonly seeds: number[];
  /** Of each of `shares` for the request that is looked at. */
  private readonly weights: Float64Array;
  private readonly random: Random;
  private readonly key: SplitKey | null;
  private readonly cookie: SplitCookie | null;

  /** @throws where some request would have nowhere to go. */
  constructor({ branches, seed, random, key, cookie }: SplitSettings) {
    // cold: once per snapshot
    this.takers = branches.filter(({ weight }) => weight === null);
    // cold: once per snapshot
    this.shares = branches.filter(({ weight }) => weight !== null && weight > 0);
    // cold: once per snapshot
    if (!this.shares.some(({ applies }) => applies === null)) {
      throw new Error("a split has no branch for requests that fit no condition");
    }
    // cold: once per snapshot
    this.seeds = this.shares.map(({ name }) => hashString(name, hashString(seed, 0)));
    this.weights = new Float64Array(this.shares.length);
    this.random = random;
    this.key = key;
    this.cookie = cookie;
  }

  /** Counts it. Asked once for each request, when its policies are through. */
  choose(exchange: Exchange): Destination {
    const branch = this.taker(exchange) ?? this.share(exchange);
    branch.chosen.add(1);
    return branch.destination;
  }

  /** Set-Cookie that the response to a new client needs; undefined for none. */
  responseCookie(exchange: Exchange): string | undefined {
    return this.cookie === null ? undefined : this.cookie.lineFor(exchange);
  }

  private taker(exchange: Exchange): SplitBranch | undefined {
    const { takers } = this;
    for (let index = 0; index < takers.length; index++) {
      const branch = takers[index]!;
      if (branch.applies === null || branch.applies(exchange)) return branch;
    }
    return undefined;
  }

  private share(exchange: Exchange): SplitBranch {
    const { shares, weights, cookie } = this;
    let total = 0;
    for (let index = 0; index < shares.length; index++) {
      const { applies, weight } = shares[index]!;
      const own = applies === null || applies(exchange) ? weight! : 0;
      weights[index] = own;
      total += own;
    }
    let key = "";
    if (cookie !== null) key = cookie.idOf(exchange);
    else if (this.key !== null) key = this.key(exchange);
    return shares[key === "" ? this.byChance(total) : this.byKey(key)]!;
  }

  private byChance(total: number): number {
    const { weights } = this;
    let left = this.random.fraction() * total;
    let last = 0;
    for (let index = 0; index < weights.length; index++) {
      const weight = weights[index]!;
      if (weight === 0) continue;
      last = index;
      if (left < weight) return index;
      left -= weight;
    }
    return last;
  }

  private byKey(key: string): number {
    const { weights, seeds } = this;
    let best = 0;
    let least = Infinity;
    for (let index = 0; index < weights.length; index++) {
      const weight = weights[index]!;
      if (weight === 0) continue;
      const drawn = ((hashString(key, seeds[index]!) >>> 0) + 0.5) * TWO_TO_MINUS_32;
      const cost = -Math.log(drawn) / weight;
      if (cost < least) {
        least = cost;
        best = index;
      }
    }
    return best;
  }
}

const TWO_TO_MINUS_32 = 2 ** -32;
/** 96 bits in hexadecimal. */
const ID = /^[0-9a-f]{24}$/;

/**
 * The cookie that clients are known by: an id that says nothing, not even which branch it leads to, since that
 * changes with the weights. One that was made up in the form of an id leads to some branch of those with a weight,
 * just as being given a new id would; what has another form is replaced.
 */
export class SplitCookie {
  private readonly name: string;
  private readonly attributes: string;
  private readonly random: Random;
  /** Ids given to clients whose response is still to come. */
  private readonly given: ExchangeMemory<string>;

  /** @throws for attributes that contradict each other. */
  constructor(name: string, attributes: CookieAttributes, random: Random) {
    this.name = name;
    this.attributes = cookieAttributes(attributes);
    this.random = random;
    this.given = new ExchangeMemory();
  }

  idOf(exchange: Exchange): string {
    const sent = exchange.cookie(this.name);
    if (sent !== undefined && ID.test(sent)) return sent;
    const id = this.createId();
    this.given.set(exchange, id);
    return id;
  }

  lineFor(exchange: Exchange): string | undefined {
    const id = this.given.get(exchange);
    return id === undefined ? undefined : `${this.name}=${id}${this.attributes}`;
  }

  /** It is no secret: who guesses another's id goes the way the other goes. */
  private createId(): string {
    let id = "";
    for (let word = 0; word < 3; word++) {
      id += (this.random.next() >>> 0).toString(16).padStart(8, "0");
    }
    return id;
  }
}
