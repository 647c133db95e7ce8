/**
 * raw-message: reads HTTP/1 messages out of bytes for tests. Deliberately simple and not the gateway's
 * own code: it takes what it is given as it stands, so that a test sees exactly what was sent.
 */

export interface RawMessage {
  /** The request line or status line. */
  readonly startLine: string;
  /** Name, as written, and value, without white space around it. */
  readonly headers: readonly (readonly [string, string])[];
  /** Without chunk framing. */
  readonly body: Buffer;
  /** Chunked bodies only: the lines after the last chunk. */
  readonly trailers: readonly string[];
  /** All of the message's bytes. */
  readonly raw: Buffer;
}

export interface RawResponse extends RawMessage {
  readonly status: number;
}

/** A message that may yet grow: `undefined` when there is none, or not all of it. */
export interface Framing {
  /** The bytes belong to a response to this method. */
  readonly responseTo?: string;
  /** No more bytes will come. */
  readonly ended?: boolean;
}

/** Values of all fields of that name, in order. */
export function headerValues(message: RawMessage, name: string): string[] {
  const wanted = name.toLowerCase();
  return message.headers.filter(([key]) => key.toLowerCase() === wanted).map(([, value]) => value);
}

/** The only value of a field; undefined when there is none. */
export function headerValue(message: RawMessage, name: string): string | undefined {
  const values = headerValues(message, name);
  if (values.length > 1) throw new Error(`${name} is there ${values.length} times`);
  return values[0];
}

/** The first request in the bytes. */
export function readRequest(bytes: Buffer): RawMessage | undefined {
  const head = readHead(bytes);
  if (head === undefined) return undefined;
  const coding = headerValues(head, "transfer-encoding").join();
  if (/chunked/i.test(coding)) return readChunked(head, bytes);
  const length = Number(headerValues(head, "content-length")[0] ?? 0);
  return readCounted(head, bytes, length);
}

/** The first response in the bytes, which may be an informational one. */
export function readResponse(bytes: Buffer, framing: Framing = {}): RawResponse | undefined {
  const head = readHead(bytes);
  if (head === undefined) return undefined;
  const status = Number(/^HTTP\/\d\.\d (\d{3})/.exec(head.startLine)?.[1]);
  const message = readResponseBody(head, bytes, status, framing);
  return message && { ...message, status };
}

function readResponseBody(head: RawMessage, bytes: Buffer, status: number, framing: Framing) {
  const bodyless = status < 200 || status === 204 || status === 304;
  if (bodyless || framing.responseTo === "HEAD") return readCounted(head, bytes, 0);
  if (/chunked/i.test(headerValues(head, "transfer-encoding").join())) {
    return readChunked(head, bytes);
  }
  const length = headerValues(head, "content-length")[0];
  if (length !== undefined) return readCounted(head, bytes, Number(length));
  return framing.ended ? readCounted(head, bytes, bytes.length - head.raw.length) : undefined;
}

function readHead(bytes: Buffer): RawMessage | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [startLine = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const headers = lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
  });
  const raw = bytes.subarray(0, end + 4);
  return { startLine, headers, body: Buffer.alloc(0), trailers: [], raw };
}

function readCounted(head: RawMessage, bytes: Buffer, length: number): RawMessage | undefined {
  const start = head.raw.length;
  const end = start + length;
  if (!(end <= bytes.length)) return undefined;
  return { ...head, body: bytes.subarray(start, end), raw: bytes.subarray(0, end) };
}

function readChunked(head: RawMessage, bytes: Buffer): RawMessage | undefined {
  const pieces: Buffer[] = [];
  let position = head.raw.length;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", position);
    if (lineEnd < 0) return undefined;
    const line = bytes.toString("latin1", position, lineEnd);
    const size = Number.parseInt(line, 16);
    if (!(size >= 0)) throw new Error(`not a chunk size: ${JSON.stringify(line)}`);
    position = lineEnd + 2;
    if (size === 0) break;
    if (position + size + 2 > bytes.length) return undefined;
    pieces.push(bytes.subarray(position, position + size));
    position += size + 2;
  }
  const trailers: string[] = [];
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", position);
    if (lineEnd < 0) return undefined;
    const line = bytes.toString("latin1", position, lineEnd);
    position = lineEnd + 2;
    if (line === "") break;
    trailers.push(line);
  }
  return { ...head, body: Buffer.concat(pieces), trailers, raw: bytes.subarray(0, position) };
}
