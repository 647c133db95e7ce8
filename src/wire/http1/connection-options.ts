// HOT
import type { Fields } from "../fields.ts";
import {
  CONTENT_LENGTH,
  COOKIE,
  AUTHORIZATION,
  HOST,
  HTTP2_SETTINGS,
  KEEP_ALIVE,
  OTHER,
  TE,
  TRANSFER_ENCODING,
  UPGRADE,
  knownHeaderId,
} from "../known-header.ts";

export const OPTION_CLOSE = 1;
export const OPTION_KEEP_ALIVE = 2;
export const OPTION_UPGRADE = 4;
/** A field was named that a client may not have dropped on the way. */
export const OPTION_REFUSED = 8;

/**
 * Reads one Connection field (RFC 9110 section 7.6.1) and marks the fields it names as removed.
 * Naming the framing, the Host or the credentials is refused: a client that has them dropped makes
 * the service see another request than the gateway did.
 *
 * @returns the OPTION_ bits seen.
 */
export function readConnectionOptions(fields: Fields, index: number): number {
  const value = fields.valueAt(index);
  if (value === "keep-alive" || value === "Keep-Alive") return OPTION_KEEP_ALIVE;
  if (value === "close") return OPTION_CLOSE;
  return readOptionList(fields, value.toLowerCase());
}

function readOptionList(fields: Fields, list: string): number {
  let bits = 0;
  let start = 0;
  while (start <= list.length) {
    let end = list.indexOf(",", start);
    if (end < 0) end = list.length;
    const option = list.slice(start, end).trim();
    start = end + 1;
    if (option === "close") bits |= OPTION_CLOSE;
    else if (option === "keep-alive") bits |= OPTION_KEEP_ALIVE;
    else if (option === "upgrade") bits |= OPTION_UPGRADE;
    else if (option !== "") bits |= removeNominated(fields, option);
  }
  return bits;
}

function removeNominated(fields: Fields, name: string): number {
  switch (knownHeaderId(name)) {
    case HOST:
    case CONTENT_LENGTH:
    case TRANSFER_ENCODING:
    case COOKIE:
    case AUTHORIZATION:
      return OPTION_REFUSED;
    case TE:
    case UPGRADE:
    case KEEP_ALIVE:
    case HTTP2_SETTINGS:
      return 0;
    case OTHER:
    default:
      fields.remove(name);
      return 0;
  }
}
