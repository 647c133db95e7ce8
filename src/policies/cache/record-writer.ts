import { randomBytes } from "node:crypto";
import { CacheRecord } from "../../policy/cache-record.ts";
import { namedTag } from "../../policy/cache-tags.ts";
import { resourceTag } from "../../policy/resource-url.ts";
import { variantKey } from "./cache-key.ts";
import type { CacheState } from "./cache-state.ts";
import { headerOf } from "./prepared-record.ts";
import { bornAtMs, type ResponseTerms } from "./response-terms.ts";
import type { Visit } from "./visit.ts";

/** How long what can be validated is kept beyond its time. */
const BEYOND_MS = 3_600_000;
/** What leads to variants is kept at least as long. */
const VARIANTS_MS = 86_400_000;
/** Request headers that the answers to one address may vary by, all in all; more are nothing that is asked for twice. */
const VARY_MAX = 16;
const NAMED_TAGS_MAX = 63;

/** Fields of one connection or one answer; and what the gateway says itself. */
const NOT_KEPT = new Set([
  "age",
  "connection",
  "content-length",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
/** What a 304 says of these is of the 304 (RFC 9111 section 3.2). */
const NOT_MERGED = new Set([
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "set-cookie",
]);

/** A response that is to be kept, but for its body. */
export interface Draft {
  readonly status: number;
  readonly headers: readonly string[];
  readonly terms: ResponseTerms;
  readonly requestedAtMs: number;
  readonly receivedAtMs: number;
  readonly age: string | undefined;
}

export interface Written {
  readonly record: CacheRecord;
  readonly isKept: boolean;
}

/** Makes records and puts them where requests will look. */
export class RecordWriter {
  private readonly state: CacheState;

  constructor(state: CacheState) {
    this.state = state;
  }

  write(visit: Visit, draft: Draft, body: Buffer): Written {
    const { look } = visit;
    const { options } = this.state;
    const { headers, terms } = draft;
    const header = (name: string): string | undefined => {
      return name === "age" ? draft.age : headerOf(headers, name);
    };
    const bornMs = bornAtMs(header, draft.requestedAtMs, draft.receivedAtMs);
    const named = listed(header(options.tags), /[\s,]+/);
    const vary = listed(header("vary"), /,/).map((name) => name.toLowerCase());
    const record = new CacheRecord({
      status: draft.status,
      headers,
      body,
      bornAtMs: bornMs,
      freshUntilMs: terms.lifetimeMs === 0 ? 0 : bornMs + terms.lifetimeMs,
      vary,
      variant: look.variant,
      tags: [resourceTag(look.resource), ...named.slice(0, NAMED_TAGS_MAX).map(namedTag)],
    });
    const ttlMs = this.usefulMs(record, draft.receivedAtMs);
    return { record, isKept: ttlMs > 0 && this.put(visit, record, ttlMs) };
  }

  /** For how long it may serve anyone, milliseconds. */
  private usefulMs(record: CacheRecord, nowMs: number): number {
    const prepared = this.state.prepare(record);
    const usefulUntilMs = Math.max(
      record.freshUntilMs,
      prepared.staleIfErrorUntilMs,
      prepared.staleWhileRevalidateUntilMs,
      prepared.fallbackUntilMs,
    );
    const leftMs = Math.max(0, usefulUntilMs - nowMs);
    // Clients that have a say may take what is stale.
    const isUsefulAfter = prepared.hasValidator || this.state.options.clientControl;
    return leftMs + (isUsefulAfter ? BEYOND_MS : 0);
  }

  /** @returns false where answers vary by too much */
  private put({ look, sent, mark }: Visit, record: CacheRecord, ttlMs: number): boolean {
    const { store, key, clock } = this.state;
    const { resource, variant } = look;
    // What has been there when the service was asked may have been replaced, or invalidated.
    const late = store.get(resource);
    const found = late instanceof Promise ? look.found : late;
    const others = found !== undefined && (found.status === 0 || found.variant !== variant);
    if (record.vary.length === 0 && !key.hasParts && !others) {
      store.put(resource, record, ttlMs, mark);
      return true;
    }
    const known = found?.status === 0 ? found : undefined;
    const vary = [...new Set([...(known?.vary ?? []), ...record.vary])].sort();
    // Every lookup would have to make a key of all of them.
    if (vary.length > VARY_MAX) return false;
    const guide =
      known !== undefined && vary.length === known.vary.length ? known : guideTo(vary, known);
    store.put(resource, guide, Math.max(ttlMs, VARIANTS_MS), mark);
    const at = variantKey(resource, guide, variant, (name) => sentHeader(sent, name));
    store.put(at, record, ttlMs, mark);
    // What the guide has replaced, if it is known what it would be asked for with.
    if (found === undefined || known !== undefined || !others || vary.length > 0) return true;
    const leftMs = this.usefulMs(found, clock.now());
    const movedTo = variantKey(resource, guide, found.variant, () => undefined);
    if (leftMs > 0) store.put(movedTo, found, leftMs, mark);
    return true;
  }
}

/** What stands under a resource that has several answers. With it gone, none of them is found again. */
function guideTo(vary: readonly string[], known: CacheRecord | undefined): CacheRecord {
  return new CacheRecord({
    status: 0,
    headers: [],
    body: Buffer.alloc(0),
    bornAtMs: 0,
    freshUntilMs: 0,
    vary,
    variant: known?.variant ?? randomBytes(9).toString("base64url"),
    tags: [],
  });
}

/** Lines to keep, names in lower case and values by turns; with the date at which they came. */
export function headersToKeep(
  lines: readonly string[],
  withheld: readonly string[],
  receivedAtMs: number,
): readonly string[] {
  const kept: string[] = [];
  let hasDate = false;
  for (let at = 0; at < lines.length; at += 2) {
    const name = lines[at]!;
    if (NOT_KEPT.has(name) || withheld.includes(name)) continue;
    if (name === "date") hasDate = true;
    kept.push(name, lines[at + 1]!);
  }
  if (!hasDate) kept.push("date", new Date(receivedAtMs).toUTCString());
  return kept;
}

/** RFC 9111 section 3.2. */
export function merged(stored: readonly string[], fresh: readonly string[]): readonly string[] {
  const names = new Set<string>();
  for (let at = 0; at < fresh.length; at += 2) {
    if (!NOT_MERGED.has(fresh[at]!)) names.add(fresh[at]!);
  }
  const lines: string[] = [];
  for (let at = 0; at < stored.length; at += 2) {
    if (!names.has(stored[at]!)) lines.push(stored[at]!, stored[at + 1]!);
  }
  for (let at = 0; at < fresh.length; at += 2) {
    if (names.has(fresh[at]!)) lines.push(fresh[at]!, fresh[at + 1]!);
  }
  return lines;
}

function listed(text: string | undefined, separator: RegExp): string[] {
  if (text === undefined) return [];
  const parts = text.split(separator).map((part) => part.trim());
  return [...new Set(parts.filter((part) => part !== ""))];
}

/** As `Fields.get` would have read it. */
function sentHeader(sent: readonly string[], name: string): string | undefined {
  const separator = name === "cookie" ? "; " : ", ";
  let value: string | undefined;
  for (let at = 0; at < sent.length; at += 2) {
    if (sent[at] !== name) continue;
    value = value === undefined ? sent[at + 1]! : value + separator + sent[at + 1]!;
  }
  return value;
}
