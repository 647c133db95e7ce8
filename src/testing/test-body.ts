/**
 * A body as tests write it: text, bytes, a value that is sent as JSON, or pieces that come one by one. An error
 * that pieces throw breaks the message off.
 */
export type TestBody =
  | string
  | Uint8Array
  | AsyncIterable<string | Uint8Array>
  | Readonly<Record<string, unknown>>
  | readonly unknown[];

/** A body, and what it says about itself. */
export interface PreparedBody {
  /** Null: of unknown length. */
  bytes: Buffer | null;
  pieces: AsyncIterable<string | Uint8Array> | null;
  /** "" where nothing is to be said. */
  contentType: string;
}

export function prepareBody(body: TestBody | undefined): PreparedBody {
  if (body === undefined) return whole(Buffer.alloc(0), "");
  if (typeof body === "string") return whole(Buffer.from(body), "");
  if (body instanceof Uint8Array) return whole(Buffer.from(body), "");
  if (isPieces(body)) return { bytes: null, pieces: body, contentType: "" };
  return whole(Buffer.from(JSON.stringify(body)), "application/json");
}

function whole(bytes: Buffer, contentType: string): PreparedBody {
  return { bytes, pieces: null, contentType };
}

function isPieces(body: object): body is AsyncIterable<string | Uint8Array> {
  return Symbol.asyncIterator in body;
}
