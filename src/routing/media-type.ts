// HOT
/** Patterns of media types: `application/json`, `application/*`, `*+json`, `application/*+json`. */
import { RoutingError } from "./routing-error.ts";

const SEMICOLON = 0x3b;
const SP = 0x20;
const HTAB = 0x09;

export class MediaTypePattern {
  readonly source: string;
  /** What the media type begins and ends with, lower case; the whole of it when it is exact. */
  readonly prefix: string;
  readonly suffix: string;
  readonly exact: boolean;

  constructor(source: string, prefix: string, suffix: string, exact: boolean) {
    this.source = source;
    this.prefix = prefix;
    this.suffix = suffix;
    this.exact = exact;
  }

  /** Whether a Content-Type value has this media type; parameters and case do not count. */
  test(contentType: string): boolean {
    const end = mediaTypeEnd(contentType);
    const { prefix, suffix } = this;
    if (this.exact ? end !== prefix.length : end <= prefix.length + suffix.length) return false;
    return (
      equalsIgnoringCase(contentType, 0, prefix) &&
      equalsIgnoringCase(contentType, end - suffix.length, suffix)
    );
  }

  /** Exact > one wildcard > any, on the scale of `valueRank`. */
  get rank(): number {
    if (this.exact) return 5;
    return this.prefix === "" && this.suffix === "" ? 1 : 3;
  }
}

/** @throws RoutingError for anything else than a media type with at most one wildcard. */
export function parseMediaTypePattern(source: string): MediaTypePattern {
  const lower = source.toLowerCase();
  const token = "[!#$%&'^_`|~0-9a-z.-]+";
  const known = new RegExp(
    `^(?:\\*/\\*|\\*\\+${token}|${token}/(?:\\*(?:\\+${token})?|[+]?${token}(?:\\+${token})*))$`,
  );
  if (!known.test(lower)) {
    const hint = "application/json, application/* or *+json, without parameters";
    throw new RoutingError(`${JSON.stringify(source)} is not a media type`, hint);
  }
  if (lower === "*/*") return new MediaTypePattern(source, "", "", false);
  const star = lower.indexOf("*");
  if (star === -1) return new MediaTypePattern(source, lower, "", true);
  return new MediaTypePattern(source, lower.slice(0, star), lower.slice(star + 1), false);
}

/** Where the media type ends: before parameters and the white space in front of them. */
function mediaTypeEnd(contentType: string): number {
  let end = contentType.indexOf(";");
  if (end === -1) end = contentType.length;
  while (end > 0 && isSpace(contentType.charCodeAt(end - 1))) end--;
  return end;
}

function isSpace(code: number): boolean {
  return code === SP || code === HTAB || code === SEMICOLON;
}

/** Whether `lower` stands at `start`, in any case. */
function equalsIgnoringCase(text: string, start: number, lower: string): boolean {
  for (let index = 0; index < lower.length; index++) {
    const code = text.charCodeAt(start + index);
    const lowered = code >= 0x41 && code <= 0x5a ? code + 32 : code;
    if (lowered !== lower.charCodeAt(index)) return false;
  }
  return true;
}
