import type { Exchange } from "../exchange.ts";
import { cookieValues, queryValues } from "../named-values.ts";
import type { TokenPlace } from "./token-options.ts";
import type { TokenFlaw } from "./token-flaw.ts";

/** Several tokens, or one that cannot be one; never equal to a token. */
export interface TokenMisplaced {
  readonly flaw: TokenFlaw;
}

const MALFORMED: TokenMisplaced = { flaw: "token-malformed" };
const SEVERAL: TokenMisplaced = { flaw: "several-tokens" };
const BEARER_SPACE = "bearer ";

/** Finds the token of a request (RFC 6750 section 2), and takes it out. */
export class TokenSource {
  private readonly places: readonly TokenPlace[];
  private readonly strips: boolean;

  constructor(places: readonly TokenPlace[], strips: boolean) {
    this.places = places;
    this.strips = strips;
  }

  /** null without one. */
  read(exchange: Exchange): string | TokenMisplaced | null {
    const { places } = this;
    let found: string | TokenMisplaced | null = null;
    for (let index = 0; index < places.length; index++) {
      const here = readPlace(exchange, places[index]!);
      if (here === null) continue;
      // Which of two the service would believe is unknown.
      if (found !== null) return SEVERAL;
      found = here;
    }
    return found;
  }

  /** Takes the token away where the service is not to have it. */
  leave(exchange: Exchange): void {
    if (!this.strips) return;
    for (const { kind, name } of this.places) {
      const { fields } = exchange.request;
      if (kind === "authorization") fields.remove("authorization");
      else if (kind === "header") fields.remove(name);
      else if (kind === "cookie") exchange.removeCookie(name);
      else exchange.removeQuery(name);
    }
  }
}

function readPlace(exchange: Exchange, place: TokenPlace): string | TokenMisplaced | null {
  switch (place.kind) {
    case "authorization": {
      const value = exchange.header("authorization");
      return value === undefined ? null : bearerOf(value);
    }
    case "header": {
      const value = exchange.header(place.name);
      if (value === undefined) return null;
      return bearerOf(value) ?? tokenIn(value);
    }
    case "cookie":
      return onlyToken(cookieValues(exchange, place.name));
    case "query":
      return onlyToken(queryValues(exchange, place.name));
  }
}

/** Credentials of another scheme are none of ours: null. */
function bearerOf(value: string): string | TokenMisplaced | null {
  if (value.length < BEARER_SPACE.length) return isBearer(value) ? MALFORMED : null;
  const scheme = value.slice(0, BEARER_SPACE.length);
  if (scheme !== "Bearer " && scheme.toLowerCase() !== BEARER_SPACE) return null;
  let start = BEARER_SPACE.length;
  while (value.charCodeAt(start) === 0x20) start++;
  return tokenIn(value.slice(start));
}

function isBearer(value: string): boolean {
  return value.toLowerCase() === "bearer";
}

function onlyToken(values: readonly string[]): string | TokenMisplaced | null {
  if (values.length > 1) return SEVERAL;
  return values.length === 0 ? null : tokenIn(values[0]!);
}

/**
 * What is inside is for the policy to judge; two header lines were joined by a comma and a space, which
 * no token has.
 */
function tokenIn(value: string): string | TokenMisplaced {
  return value === "" || value.includes(" ") ? MALFORMED : value;
}
