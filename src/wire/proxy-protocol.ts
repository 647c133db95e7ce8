/**
 * proxy-protocol: the line (version 1) or binary header (version 2) that a load balancer puts before
 * the bytes of a connection to tell whose they are. By HAProxy's doc/proxy-protocol.txt; strict,
 * because whoever can make it be misread chooses the address that everything else believes.
 */
import { isIPv4 } from "node:net";
import { crc32c } from "../base/crc32c.ts";
import { normalizeAddress } from "../base/trusted-addresses.ts";

/** Result of the parser that needs more bytes. */
export const PROXY_INCOMPLETE = -1;
/** Result of the parser for bytes that are no PROXY protocol header. */
export const PROXY_MALFORMED = -2;

/** Longest line of version 1, with its CRLF (section 2.1 of the document). */
const lineBytesMax = 107;
/** Signature, command, family and length of version 2. */
const fixedBytes = 16;
/** What may follow them: addresses take at most 216 bytes, additional fields rarely some hundred. */
const payloadBytesMax = 2048;

/** Most bytes that a header, and so a parse that is not complete, can have. */
export const proxyHeaderBytesMax = fixedBytes + payloadBytesMax;

/** What a header says; reused between parses. */
export class ProxyHeader {
  /**
   * The connection is the balancer's own (a health check) or of a kind it cannot tell: the addresses
   * of the socket itself hold, those below are empty.
   */
  isLocal: boolean;
  /** Normalised; "" for a Unix socket. */
  sourceAddress: string;
  sourcePort: number;
  destinationAddress: string;
  destinationPort: number;
  /** The client speaks TLS to the balancer; only version 2 can tell. */
  isTls: boolean;

  constructor() {
    this.isLocal = true;
    this.sourceAddress = "";
    this.sourcePort = 0;
    this.destinationAddress = "";
    this.destinationPort = 0;
    this.isTls = false;
  }
}

const signature = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const linePrefix = Buffer.from("PROXY ", "latin1");

/**
 * Parses the header at `start`. Give it all bytes again when it was incomplete.
 *
 * @param header is filled in, and only complete when the result is positive.
 * @returns the position after the header, PROXY_INCOMPLETE or PROXY_MALFORMED.
 */
export function parseProxyHeader(
  bytes: Uint8Array,
  start: number,
  end: number,
  header: ProxyHeader,
): number {
  clear(header);
  if (start === end) return PROXY_INCOMPLETE;
  if (bytes[start] === linePrefix[0]) {
    if (!beginsWith(bytes, start, end, linePrefix)) return PROXY_MALFORMED;
    return parseLine(bytes, start, end, header);
  }
  if (!beginsWith(bytes, start, end, signature)) return PROXY_MALFORMED;
  return parseBinary(bytes, start, end, header);
}

function clear(header: ProxyHeader): void {
  header.isLocal = true;
  header.sourceAddress = "";
  header.sourcePort = 0;
  header.destinationAddress = "";
  header.destinationPort = 0;
  header.isTls = false;
}

/** As far as there are bytes. */
function beginsWith(bytes: Uint8Array, start: number, end: number, prefix: Uint8Array): boolean {
  const length = Math.min(end - start, prefix.length);
  for (let index = 0; index < length; index++) {
    if (bytes[start + index] !== prefix[index]) return false;
  }
  return true;
}

// Version 1

function parseLine(bytes: Uint8Array, start: number, end: number, header: ProxyHeader): number {
  const limit = Math.min(end, start + lineBytesMax);
  let position = start;
  while (position < limit && bytes[position] !== 0x0a) position++;
  if (position === limit) {
    return end - start >= lineBytesMax ? PROXY_MALFORMED : PROXY_INCOMPLETE;
  }
  if (bytes[position - 1] !== 0x0d) return PROXY_MALFORMED;
  const line = Buffer.from(bytes.buffer, bytes.byteOffset + start, position - 1 - start);
  const words = line.toString("latin1", linePrefix.length).split(" ");
  // After UNKNOWN anything may follow, and is to be ignored.
  if (words[0] === "UNKNOWN") return position + 1;
  return parseWords(words, header) ? position + 1 : PROXY_MALFORMED;
}

function parseWords(words: string[], header: ProxyHeader): boolean {
  const [family, source = "", destination = "", sourcePort = "", destinationPort = ""] = words;
  if (words.length !== 5 || (family !== "TCP4" && family !== "TCP6")) return false;
  if (!isOfFamily(source, family) || !isOfFamily(destination, family)) return false;
  header.sourcePort = parsePort(sourcePort);
  header.destinationPort = parsePort(destinationPort);
  if (header.sourcePort < 0 || header.destinationPort < 0) return false;
  header.isLocal = false;
  header.sourceAddress = normalizeAddress(source);
  header.destinationAddress = normalizeAddress(destination);
  return true;
}

function isOfFamily(address: string, family: "TCP4" | "TCP6"): boolean {
  if (family === "TCP4") return isIPv4(address);
  return address.includes(":") && !address.includes("%") && normalizeAddress(address) !== "";
}

/** -1 for what is no port; leading zeros are not allowed. */
function parsePort(text: string): number {
  if (!/^(?:0|[1-9]\d{0,4})$/.test(text)) return -1;
  const port = Number(text);
  return port <= 65_535 ? port : -1;
}

// Version 2

const COMMAND_LOCAL = 0x20;
const COMMAND_PROXY = 0x21;
const UNSPECIFIED = 0x00;
const TCP_IPV4 = 0x11;
const TCP_IPV6 = 0x21;
const UNIX_STREAM = 0x31;

function parseBinary(bytes: Uint8Array, start: number, end: number, header: ProxyHeader): number {
  if (end - start < fixedBytes) return refuseEarly(bytes, start, end);
  const command = bytes[start + 12]!;
  const family = bytes[start + 13]!;
  const length = (bytes[start + 14]! << 8) | bytes[start + 15]!;
  if (command !== COMMAND_LOCAL && command !== COMMAND_PROXY) return PROXY_MALFORMED;
  const addressBytes = addressBytesOf(family);
  if (addressBytes < 0 || length > payloadBytesMax) return PROXY_MALFORMED;
  const after = start + fixedBytes + length;
  if (command === COMMAND_PROXY && length < addressBytes) return PROXY_MALFORMED;
  if (end < after) return PROXY_INCOMPLETE;
  if (command === COMMAND_LOCAL || family === UNSPECIFIED) return after;
  readAddresses(bytes, start + fixedBytes, family, header);
  const fields = start + fixedBytes + addressBytes;
  if (!readFields(bytes, start, fields, after, header)) return PROXY_MALFORMED;
  header.isLocal = false;
  return after;
}

/** A wrong command is refused as soon as it is there. */
function refuseEarly(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > 12) {
    const command = bytes[start + 12]!;
    if (command !== COMMAND_LOCAL && command !== COMMAND_PROXY) return PROXY_MALFORMED;
  }
  return PROXY_INCOMPLETE;
}

/** -1 for a family that is not known or is not of streams. */
function addressBytesOf(family: number): number {
  switch (family) {
    case UNSPECIFIED:
      return 0;
    case TCP_IPV4:
      return 12;
    case TCP_IPV6:
      return 36;
    case UNIX_STREAM:
      return 216;
    default:
      return -1;
  }
}

function readAddresses(bytes: Uint8Array, at: number, family: number, header: ProxyHeader): void {
  // The names of Unix sockets are of no use here.
  if (family === UNIX_STREAM) return;
  const size = family === TCP_IPV4 ? 4 : 16;
  header.sourceAddress = readAddress(bytes, at, size);
  header.destinationAddress = readAddress(bytes, at + size, size);
  const ports = at + 2 * size;
  header.sourcePort = (bytes[ports]! << 8) | bytes[ports + 1]!;
  header.destinationPort = (bytes[ports + 2]! << 8) | bytes[ports + 3]!;
}

function readAddress(bytes: Uint8Array, at: number, size: number): string {
  if (size === 4) return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
  let text = "";
  for (let index = 0; index < 16; index += 2) {
    if (index > 0) text += ":";
    text += ((bytes[at + index]! << 8) | bytes[at + index + 1]!).toString(16);
  }
  return normalizeAddress(text);
}

const FIELD_CRC32C = 0x03;
const FIELD_TLS = 0x20;
const TLS_CLIENT = 0x01;

/** The additional fields: type, length and value each; all but two are passed over. */
function readFields(
  bytes: Uint8Array,
  start: number,
  fields: number,
  after: number,
  header: ProxyHeader,
): boolean {
  let position = fields;
  while (position < after) {
    if (after - position < 3) return false;
    const type = bytes[position]!;
    const length = (bytes[position + 1]! << 8) | bytes[position + 2]!;
    position += 3;
    if (length > after - position) return false;
    if (type === FIELD_TLS && length > 0) header.isTls = (bytes[position]! & TLS_CLIENT) !== 0;
    if (type === FIELD_CRC32C && !checksumFits(bytes, start, after, position, length)) return false;
    position += length;
  }
  return true;
}

/** The checksum is over the whole header, with its own bytes zero. */
function checksumFits(
  bytes: Uint8Array,
  start: number,
  after: number,
  at: number,
  length: number,
): boolean {
  if (length !== 4) return false;
  const covered = Uint8Array.prototype.slice.call(bytes, start, after);
  covered.fill(0, at - start, at - start + 4);
  const checksum = crc32c(covered, 0, covered.length);
  for (let index = 0; index < 4; index++) {
    if (bytes[at + index] !== ((checksum >>> (24 - 8 * index)) & 0xff)) return false;
  }
  return true;
}
