// HOT
/**
 * Bytes to text and back, one character a byte. `Buffer.toString` and `Buffer.write` look the encoding
 * up by name on every call; the methods below are what they end in.
 */

interface Latin1Buffer {
  latin1Slice(start: number, end: number): string;
  latin1Write(text: string, offset: number, length: number): number;
}

export function latin1Slice(bytes: Buffer, start: number, end: number): string {
  return (bytes as unknown as Latin1Buffer).latin1Slice(start, end);
}

/** Writes `text` at `offset`; the caller has made sure that it fits. */
export function latin1Write(bytes: Buffer, text: string, offset: number): number {
  return (bytes as unknown as Latin1Buffer).latin1Write(text, offset, text.length);
}
