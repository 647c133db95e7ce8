// HOT
/** Lookup tables over the 256 byte values: one load replaces a chain of comparisons. */

function table(accepts: (byte: number) => boolean): Uint8Array {
  const bits = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) bits[byte] = accepts(byte) ? 1 : 0;
  return bits;
}

function isAlphanumeric(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    (byte >= 0x61 && byte <= 0x7a)
  );
}

/** tchar, RFC 9110 section 5.6.2: methods and field names. */
export const TOKEN = table(
  (byte) => isAlphanumeric(byte) || "!#$%&'*+-.^_`|~".includes(String.fromCharCode(byte)),
);

/** field-vchar, SP and HTAB, RFC 9110 section 5.5; obs-text is passed on as it is. */
export const FIELD_VALUE = table((byte) => byte === 0x09 || (byte >= 0x20 && byte !== 0x7f));

/** What may stand in a request target: visible ASCII but `#`. Bytes above are left to the path check. */
export const REQUEST_TARGET = table((byte) => byte > 0x20 && byte !== 0x7f && byte !== 0x23);

/** Value of a hexadecimal digit, 255 where the byte is none. */
export const HEX_VALUE = new Uint8Array(256).fill(255);
for (let digit = 0; digit < 16; digit++) {
  const code = digit.toString(16).charCodeAt(0);
  HEX_VALUE[code] = digit;
  HEX_VALUE[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COLON = 0x3a;
