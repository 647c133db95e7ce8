import type { CacheRecord } from "../../policy/cache-record.ts";
import type { Later } from "../../policy/cache-store.ts";
import type { Exchange } from "../../policy/exchange.ts";
import type { Identity } from "../../policy/identity.ts";
import type { Refresh } from "../../policy/refresh.ts";
import type { CacheState } from "./cache-state.ts";
import { Visit, type Look } from "./visit.ts";

/** Has the service asked for what has just been given stale, by one of all workers (RFC 5861 section 3). */
export class StaleRefresh implements Refresh {
  private readonly state: CacheState;
  private readonly look: Look;
  private readonly identity: Identity | null;
  private readonly ask: (exchange: Exchange, visit: Visit) => void;

  /** @param ask makes a request ready for the service */
  constructor(
    state: CacheState,
    look: Look,
    identity: Identity | null,
    ask: (exchange: Exchange, visit: Visit) => void,
  ) {
    this.state = state;
    this.look = look;
    this.identity = identity;
    this.ask = ask;
  }

  begin(): Later<boolean> {
    const { state, look } = this;
    if (state.isFailing(look.key)) return false;
    const leads = state.store.lead(look.key);
    if (leads instanceof Promise) return leads.then((late) => late && this.isStillStale());
    return leads && this.isStillStale();
  }

  prepare(exchange: Exchange): void {
    const { state, look } = this;
    const visit = new Visit(look, "stale", state.clock.now(), this.identity);
    visit.stores = true;
    visit.isRefresh = true;
    visit.leadKey = look.key;
    visit.mark = state.store.mark(look.resource);
    state.counts.refresh.add(1);
    this.ask(exchange, visit);
  }

  /** Another may have led and settled since it was looked up. */
  private isStillStale(): Later<boolean> {
    const { store } = this.state;
    const found = store.get(this.look.key);
    return found instanceof Promise
      ? found.then((late) => this.keepsLead(late))
      : this.keepsLead(found);
  }

  private keepsLead(record: CacheRecord | undefined): boolean {
    const { state, look } = this;
    // Without one it has been taken away, and whoever asks next has the service asked.
    const isStale = record !== undefined && state.clock.now() >= record.freshUntilMs;
    if (!isStale) state.store.settle(look.key, true);
    return isStale;
  }
}
