/** crc32c: the Castagnoli checksum (RFC 3720, appendix B.4), as the PROXY protocol uses it. */

const table = makeTable();

/** @returns the checksum of bytes `start` to `end`, an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0xffffffff;
  for (let position = start; position < end; position++) {
    crc = table[(crc ^ bytes[position]!) & 0xff]! ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

function makeTable(): Uint32Array {
  const entries = new Uint32Array(256);
  for (let index = 0; index < 256; index++) {
    let value = index;
    for (let bit = 0; bit < 8; bit++) {
      value = (value & 1) === 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
    }
    entries[index] = value;
  }
  return entries;
}
