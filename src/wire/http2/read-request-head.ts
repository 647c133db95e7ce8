// HOT
import { randomBytes } from "node:crypto";
import { REQUEST_TARGET, TOKEN } from "../../base/byte-class.ts";
import { interpretRequestFields } from "../http1/parse-request-head.ts";
import type { HeadLimits } from "../http1/parse-request-head.ts";
import { BAD_LENGTH, BAD_METHOD, BAD_TARGET, TARGET_TOO_LONG } from "../http1/refusal.ts";
import { NO_LENGTH } from "../http1/request-head.ts";
import type { RequestHead } from "../http1/request-head.ts";
import { UPGRADE } from "../known-header.ts";
import { bytesRead, readFields } from "./read-fields.ts";

const METHOD_BYTES_MAX = 32;
const SLASH = 0x2f;

/**
 * Reads the head of a request from a header list of node:http2 (RFC 9113 section 8.3.1). It comes out as an
 * HTTP/1.1 request would, with `versionMinor` 2; a body of unknown length has `chunked` set. An extended
 * CONNECT for a WebSocket (RFC 8441) comes out as the GET with `Upgrade` that it stands for.
 *
 * @param ended true if no body follows.
 * @returns 0 or a refusal.
 */
export function readRequestHead(
  raw: readonly string[],
  ended: boolean,
  head: RequestHead,
  limits: HeadLimits,
): number {
  let method = "";
  let target = "";
  let authority = "";
  let protocol = "";
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index]!;
    if (name === ":method") method = raw[index + 1]!;
    else if (name === ":path") target = raw[index + 1]!;
    else if (name === ":authority") authority = raw[index + 1]!;
    else if (name === ":protocol") protocol = raw[index + 1]!;
    else if (name.charCodeAt(0) !== 0x3a) break;
  }
  const webSocket = method === "CONNECT" && protocol === "websocket" && !ended;
  if (webSocket) method = "GET";
  // A CONNECT has no path; who it wants to reach stands in its place, as in HTTP/1.1.
  else if (method === "CONNECT" && protocol === "") target = authority;
  if (target.length > limits.uriBytesMax) return TARGET_TOO_LONG;
  if (!isTarget(method, target)) return BAD_TARGET;

  const start = method + " " + target + " HTTP/1.1\r\n";
  const { fields } = head;
  let refusal = readFields(raw, fields, start, start.length, authority, limits);
  if (refusal !== 0) return refusal;
  head.method = knownMethod(method);
  head.targetStart = method.length + 1;
  head.targetEnd = head.targetStart + target.length;
  head.versionMinor = 2;
  refusal = checkStartLine(head);
  if (refusal !== 0) return refusal;
  refusal = interpretRequestFields(head);
  if (refusal !== 0) return refusal;
  if (webSocket) addUpgrade(head);
  if (ended && head.contentLength > 0) return BAD_LENGTH;
  head.chunked = !ended && !webSocket && head.contentLength === NO_LENGTH;
  return 0;
}

/** Only what an HTTP/2 client may send: a path, or `*`; never the absolute form with its own authority. */
function isTarget(method: string, target: string): boolean {
  if (target.charCodeAt(0) === SLASH || method === "CONNECT") return true;
  return target === "*" && method === "OPTIONS";
}

function checkStartLine(head: RequestHead): number {
  const { method, targetEnd } = head;
  if (method === "" || method.length > METHOD_BYTES_MAX) return BAD_METHOD;
  const bytes = bytesRead();
  for (let at = 0; at < method.length; at++) if (TOKEN[bytes[at]!] !== 1) return BAD_METHOD;
  for (let at = head.targetStart; at < targetEnd; at++) {
    if (REQUEST_TARGET[bytes[at]!] !== 1) return BAD_TARGET;
  }
  return 0;
}

/** Common methods are constants everywhere, so that comparisons are of pointers. */
function knownMethod(method: string): string {
  switch (method) {
    case "GET":
      return "GET";
    case "POST":
      return "POST";
    case "HEAD":
      return "HEAD";
    default:
      return method;
  }
}

/**
 * Adds what an HTTP/1.1 service wants of a WebSocket handshake and RFC 8441 has left out. The client has
 * no key; the gateway, which opens the HTTP/1.1 connection, makes one.
 */
function addUpgrade(head: RequestHead): void {
  const { fields } = head;
  fields.remove("sec-websocket-key");
  fields.add("sec-websocket-key", randomBytes(16).toString("base64"));
  const at = fields.linesEnd;
  const line = "upgrade: websocket\r\n";
  fields.text = fields.text.slice(0, at) + line + "\r\n";
  fields.linesEnd = at + line.length;
  head.upgradeIndex = fields.count;
  fields.push(UPGRADE, at, at + 7, at + 9, at + 18);
}
