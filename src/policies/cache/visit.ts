import type { CacheRecord } from "../../policy/cache-record.ts";
import type { CacheMark } from "../../policy/cache-store.ts";
import type { Identity } from "../../policy/identity.ts";
import type { Conditions } from "./stored-answer.ts";

/** Why a request goes on to the service, in the words of RFC 9211 section 2.2. */
export type Reason = "uri-miss" | "vary-miss" | "stale" | "request" | "bypass";

/** What is looked for, and what was found. */
export interface Look {
  readonly resource: string;
  readonly variant: string;
  /** Under the resource: an answer, or what leads to answers under keys of their own. */
  readonly found: CacheRecord | undefined;
  readonly record: CacheRecord | undefined;
  /** Where the record is, or where it would be looked for. */
  readonly key: string;
}

/** One request that has not been answered at once: it goes to the service, or waits. */
export class Visit {
  look: Look;
  reason: Reason;
  readonly requestedAtMs: number;
  /** Who called when the cache met it. */
  readonly identity: Identity | null;
  /** What comes may be kept. */
  stores: boolean;
  /** What the client asked for itself; taken out of the request where what comes may be kept. */
  conditions: Conditions | null;
  /** Request headers, names in lower case and values by turns, where what comes may be kept. */
  sent: readonly string[];
  /** From before the service is asked, where what comes may be kept. */
  mark: CacheMark | undefined;
  /** It asks the service for all who wait under this key. */
  leadKey: string | null;
  /** The service was asked whether what is stale still holds. */
  validates: boolean;
  /** No client waits for it: it has been given what is stale. */
  isRefresh: boolean;
  /** The exchange is over. */
  isOver: boolean;

  constructor(look: Look, reason: Reason, requestedAtMs: number, identity: Identity | null) {
    this.look = look;
    this.reason = reason;
    this.requestedAtMs = requestedAtMs;
    this.identity = identity;
    this.stores = false;
    this.conditions = null;
    this.sent = [];
    this.mark = undefined;
    this.leadKey = null;
    this.validates = false;
    this.isRefresh = false;
    this.isOver = false;
  }
}
