import type { CacheRecord } from "../../policy/cache-record.ts";
import { readyLines, type ReadyLines } from "../../policy/reply.ts";
import { directiveMs, parseCacheControl } from "./cache-control.ts";
import type { CacheOptions } from "./cache-options.ts";
import { parseHttpDate } from "./http-date.ts";
import type { WholeAnswer } from "./whole-answer.ts";

type Grace = Pick<CacheOptions, "staleWhileRevalidate" | "staleIfError" | "maxStale">;

/** RFC 9110 section 15.4.5, and what says how long it holds. */
const OF_NOT_MODIFIED = new Set([
  "cache-control",
  "content-location",
  "date",
  "etag",
  "expires",
  "last-modified",
  "vary",
]);

/** What answering from a record needs, worked out once for as long as it is in this worker's memory. */
export class PreparedRecord {
  /** Whose options it has been worked out by. */
  readonly owner: object;
  readonly block: ReadyLines;
  /** "" without one. */
  readonly etag: string;
  /** As sent; "" without one. */
  readonly lastModified: string;
  readonly lastModifiedMs: number | undefined;
  /** May be given to any, though it is asked for with Authorization (RFC 9111 section 3.5). */
  readonly isShareable: boolean;
  /** Clients may not have it stale, whatever they ask for. */
  readonly isStrict: boolean;
  /** Epoch milliseconds until which it may be given while another request fetches a new one. */
  readonly staleWhileRevalidateUntilMs: number;
  readonly staleIfErrorUntilMs: number;
  /** The same of a fallback, beyond what the service says itself. */
  readonly fallbackUntilMs: number;
  /** Made when it is first given whole. */
  whole: WholeAnswer | null = null;
  private readonly headers: readonly string[];
  private smallBlock: ReadyLines | null = null;

  constructor(record: CacheRecord, owner: object, grace: Grace) {
    this.owner = owner;
    this.headers = record.headers;
    this.block = readyLines(record.headers);
    const directives = parseCacheControl(headerOf(record.headers, "cache-control"));
    this.etag = headerOf(record.headers, "etag") ?? "";
    this.lastModified = headerOf(record.headers, "last-modified") ?? "";
    this.lastModifiedMs = parseHttpDate(this.lastModified);
    this.isShareable =
      directives.has("public") || directives.has("s-maxage") || directives.has("must-revalidate");
    // RFC 9111 sections 5.2.2.2, 5.2.2.8 and 5.2.2.10; and what is never fresh has no time after that.
    this.isStrict =
      directives.has("must-revalidate") ||
      directives.has("proxy-revalidate") ||
      directives.has("s-maxage") ||
      directives.get("no-cache") === "";
    const untilMs = (name: string, graceMs: number): number => {
      const said = directiveMs(directives, name, 0);
      // What the service says itself of this goes before s-maxage; nothing goes before the others.
      const isForbidden =
        directives.has("must-revalidate") ||
        directives.has("proxy-revalidate") ||
        directives.get("no-cache") === "" ||
        (said === undefined && this.isStrict);
      return isForbidden ? 0 : record.freshUntilMs + (said ?? graceMs);
    };
    this.staleWhileRevalidateUntilMs = untilMs(
      "stale-while-revalidate",
      grace.staleWhileRevalidate,
    );
    this.staleIfErrorUntilMs = untilMs("stale-if-error", grace.staleIfError);
    const { staleIfErrorUntilMs } = this;
    const since = Math.max(record.freshUntilMs, record.bornAtMs);
    this.fallbackUntilMs =
      staleIfErrorUntilMs === 0 ? 0 : Math.max(staleIfErrorUntilMs, since + grace.maxStale);
  }

  get notModified(): ReadyLines {
    this.smallBlock ??= readyLines(
      this.headers.filter((_, index) => OF_NOT_MODIFIED.has(this.headers[index & ~1]!)),
    );
    return this.smallBlock;
  }

  get hasValidator(): boolean {
    return this.etag !== "" || this.lastModifiedMs !== undefined;
  }
}

/** Several lines of one name are joined by `, `. */
export function headerOf(headers: readonly string[], name: string): string | undefined {
  let value: string | undefined;
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at] !== name) continue;
    value = value === undefined ? headers[at + 1]! : `${value}, ${headers[at + 1]!}`;
  }
  return value;
}
