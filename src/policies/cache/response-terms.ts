import type { CacheOptions } from "./cache-options.ts";
import {
  directiveFields,
  directiveMs,
  parseCacheControl,
  type Directives,
} from "./cache-control.ts";
import { parseHttpDate } from "./http-date.ts";

/** Reads a header by its lower-case name. */
export type HeaderReader = (name: string) => string | undefined;

type TermOptions = Pick<CacheOptions, "ttl" | "heuristic" | "respect">;

const HEURISTIC_PART = 0.1;
const HEURISTIC_MS_MAX = 86_400_000;
const NO_FIELDS: readonly string[] = [];

/** What a response says of its own keeping (RFC 9111 sections 3 and 4.2). */
export interface ResponseTerms {
  /** It may be kept by a shared cache, for whom nobody knows. */
  readonly isStorable: boolean;
  /** It may be given to others though the request had Authorization (section 3.5). */
  readonly isShareable: boolean;
  /** How long it is fresh from its age of 0 on, milliseconds; 0: it has to be validated each time. */
  readonly lifetimeMs: number;
  /** Fields that are not to be kept: those named by `no-cache` and `private`. */
  readonly withheld: readonly string[];
}

/** @param receivedAtMs stands for a Date that the service has not sent */
export function termsOf(
  status: number,
  header: HeaderReader,
  options: TermOptions,
  receivedAtMs: number,
): ResponseTerms {
  const directives = parseCacheControl(header("cache-control"));
  const said = options.respect ? saidLifetimeMs(directives, header, receivedAtMs) : undefined;
  const lifetimeMs = said ?? unsaidLifetimeMs(status, header, options, receivedAtMs);
  const isPrivate = directives.has("private") && directives.get("private") === "";
  const isForbidden = directives.has("no-store") || isPrivate || header("vary")?.trim() === "*";
  const isShareable =
    directives.has("public") || directives.has("s-maxage") || directives.has("must-revalidate");
  return {
    isStorable: !isForbidden && lifetimeMs !== undefined,
    isShareable,
    lifetimeMs: mustValidate(directives) ? 0 : (lifetimeMs ?? 0),
    withheld:
      directives.has("no-cache") || directives.has("private")
        ? [...directiveFields(directives, "no-cache"), ...directiveFields(directives, "private")]
        : NO_FIELDS,
  };
}

/** `no-cache` without fields; with fields, only these are left out. */
function mustValidate(directives: Directives): boolean {
  return directives.get("no-cache") === "";
}

/** RFC 9111 section 4.2.1; undefined where the service does not say. */
function saidLifetimeMs(
  directives: Directives,
  header: HeaderReader,
  receivedAtMs: number,
): number | undefined {
  const maxAge = directiveMs(directives, "s-maxage", 0) ?? directiveMs(directives, "max-age", 0);
  if (maxAge !== undefined) return maxAge;
  const expires = header("expires");
  if (expires !== undefined) {
    const date = parseHttpDate(header("date")) ?? receivedAtMs;
    const until = parseHttpDate(expires);
    return until === undefined ? 0 : Math.max(0, until - date);
  }
  // It may be kept and validated; only how long it stays fresh is not said.
  return mustValidate(directives) ? 0 : undefined;
}

function unsaidLifetimeMs(
  status: number,
  header: HeaderReader,
  { ttl, heuristic }: TermOptions,
  receivedAtMs: number,
): number | undefined {
  const given = ttl?.[status] ?? ttl?.[`${Math.floor(status / 100)}xx`] ?? ttl?.["default"];
  if (given !== undefined) return given;
  if (!heuristic) return undefined;
  const lastModified = parseHttpDate(header("last-modified"));
  const date = parseHttpDate(header("date")) ?? receivedAtMs;
  if (lastModified === undefined || lastModified > date) return undefined;
  return Math.min((date - lastModified) * HEURISTIC_PART, HEURISTIC_MS_MAX);
}

/** Epoch milliseconds at which its age was 0 (RFC 9111 section 4.2.3). */
export function bornAtMs(
  header: HeaderReader,
  requestedAtMs: number,
  receivedAtMs: number,
): number {
  const date = parseHttpDate(header("date")) ?? receivedAtMs;
  const apparentAgeMs = Math.max(0, receivedAtMs - date);
  const [age = ""] = (header("age") ?? "").split(",");
  const ageMs = /^\d+$/.test(age.trim()) ? Number(age) * 1000 : 0;
  const correctedAgeMs = ageMs + Math.max(0, receivedAtMs - requestedAtMs);
  return receivedAtMs - Math.max(apparentAgeMs, correctedAgeMs);
}
