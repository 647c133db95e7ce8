// HOT
import { parseForwarded, parseForwardedFor } from "../base/forwarded-client.ts";
import type { ClientConnection } from "../wire/exchange-streams.ts";
import type { Fields } from "../wire/fields.ts";
import {
  Forwarding,
  forwardedLines,
  forwardedLinesAfter,
  parseForwardedProto,
} from "../wire/forwarded.ts";
import {
  FORWARDED,
  X_FORWARDED_FOR,
  X_FORWARDED_HOST,
  X_FORWARDED_PORT,
  X_FORWARDED_PROTO,
  X_REAL_IP,
  X_REQUEST_ID,
} from "../wire/known-header.ts";
import type { ExchangeView } from "./exchange-view.ts";
import type { Snapshot } from "./snapshot.ts";

const FORWARDING_FIELDS =
  (1 << FORWARDED) |
  (1 << X_FORWARDED_FOR) |
  (1 << X_FORWARDED_PROTO) |
  (1 << X_FORWARDED_HOST) |
  (1 << X_FORWARDED_PORT) |
  (1 << X_REQUEST_ID) |
  // Bit 31 makes the mask negative; it is only ever compared with zero.
  (1 << X_REAL_IP);

/** What was worked out for a connection under one snapshot; kept on the connection. */
class ConnectionForwarding {
  readonly snapshot: Snapshot;
  readonly peerIsTrusted: boolean;
  readonly forwarding: Forwarding;
  /** The lines last made, and for which Host and version: most connections name one host. */
  authority: string;
  versionMinor: number;
  lines: string;

  constructor(snapshot: Snapshot, connection: ClientConnection) {
    const { peerAddress, localPort, isTls } = connection;
    this.snapshot = snapshot;
    this.peerIsTrusted = snapshot.trusted.has(peerAddress);
    this.forwarding = new Forwarding({
      peerAddress,
      localPort,
      isTls,
      xForwarded: snapshot.sendsXForwarded,
      forwarded: snapshot.sendsForwarded,
    });
    this.authority = "";
    this.versionMinor = -1;
    this.lines = "";
  }
}

function forwardingOf(connection: ClientConnection, snapshot: Snapshot): ConnectionForwarding {
  const known = connection.forwarding as ConnectionForwarding | null;
  if (known !== null && known.snapshot === snapshot) return known;
  const made = new ConnectionForwarding(snapshot, connection);
  connection.forwarding = made;
  return made;
}

/**
 * Finds out who the client is and which scheme it used. What the request says of that is believed only
 * if the connection comes from a trusted proxy; else those fields are removed, so that neither a policy
 * nor a service can take a client's word for it.
 */
export function readForwarding(
  exchange: ExchangeView,
  connection: ClientConnection,
  snapshot: Snapshot,
): void {
  const known = forwardingOf(connection, snapshot);
  const { fields } = exchange.request;
  exchange.peerIsTrusted = known.peerIsTrusted;
  exchange.scheme = known.forwarding.proto;
  exchange.clientAddress = connection.peerAddress;
  if ((fields.seen & FORWARDING_FIELDS) === 0) return;
  if (known.peerIsTrusted) {
    believe(exchange, fields, snapshot);
    return;
  }
  removeForwarding(fields);
  fields.removeId(X_REAL_IP);
  // Who sends an id expects it to be passed on; it is replaced, so that it stays unique.
  if (fields.indexOfId(X_REQUEST_ID) >= 0) fields.set("x-request-id", exchange.requestId);
}

function removeForwarding(fields: Fields): void {
  fields.removeId(FORWARDED);
  fields.removeId(X_FORWARDED_FOR);
  fields.removeId(X_FORWARDED_PROTO);
  fields.removeId(X_FORWARDED_HOST);
  fields.removeId(X_FORWARDED_PORT);
}

function believe(exchange: ExchangeView, fields: Fields, snapshot: Snapshot): void {
  const peer = exchange.clientAddress;
  const forwardedFor = fields.get("x-forwarded-for");
  const forwarded = fields.get("forwarded");
  if (forwardedFor !== undefined) {
    exchange.clientAddress = parseForwardedFor(forwardedFor, snapshot.trusted, peer);
  } else if (forwarded !== undefined) {
    const client = parseForwarded(forwarded, snapshot.trusted, peer);
    exchange.clientAddress = client.address;
    if (client.proto === "https" || client.proto === "http") exchange.scheme = client.proto;
  }
  const scheme = parseForwardedProto(fields.get("x-forwarded-proto") ?? "");
  if (scheme !== "") exchange.scheme = scheme;
}

/** The lines that tell a service about the client, and Via (RFC 9110 section 7.6.3). */
export function forwardingLines(exchange: ExchangeView): string {
  const snapshot = exchange.snapshot!;
  const known = forwardingOf(exchange.connection, snapshot);
  const { authority, request } = exchange;
  if (known.peerIsTrusted && (request.fields.seen & FORWARDING_FIELDS) !== 0) {
    return extendedLines(exchange, known) + viaLine(exchange, snapshot);
  }
  if (known.authority !== authority || known.versionMinor !== request.versionMinor) {
    known.authority = authority;
    known.versionMinor = request.versionMinor;
    known.lines = forwardedLines(known.forwarding, authority) + viaLine(exchange, snapshot);
  }
  return known.lines;
}

/** What a trusted proxy said is kept, and the proxy itself added to it. */
function extendedLines(exchange: ExchangeView, known: ConnectionForwarding): string {
  const { fields } = exchange.request;
  const lines = forwardedLinesAfter(known.forwarding, exchange.authority, {
    xFor: fields.get("x-forwarded-for") ?? "",
    xProto: fields.get("x-forwarded-proto") ?? "",
    xHost: fields.get("x-forwarded-host") ?? "",
    xPort: fields.get("x-forwarded-port") ?? "",
    forwarded: fields.get("forwarded") ?? "",
  });
  removeForwarding(fields);
  return lines;
}

/** Via for a request that the gateway makes itself, on behalf of `cause` where there is one. */
export function viaOfCall(cause: ExchangeView | null, snapshot: Snapshot): string {
  if (!snapshot.sendsVia) return "";
  if (cause === null) return "via: 1.1 gateward\r\n";
  const passed = cause.request.fields.get("via");
  // Else a service that leads back here would be asked for ever.
  return (passed === undefined ? "" : `via: ${passed}\r\n`) + viaLine(cause, snapshot);
}

/** A further line of a list field continues the list (RFC 9110 section 5.3): a Via that came stays. */
function viaLine(exchange: ExchangeView, snapshot: Snapshot): string {
  if (!snapshot.sendsVia) return "";
  const { versionMinor } = exchange.request;
  if (versionMinor === 2) return "via: 2 gateward\r\n";
  return versionMinor === 1 ? "via: 1.1 gateward\r\n" : "via: 1.0 gateward\r\n";
}
