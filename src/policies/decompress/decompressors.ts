import type { Transform } from "node:stream";
import * as zlib from "node:zlib";

export const codings = ["gzip", "deflate", "br", "zstd"] as const;
export type Coding = (typeof codings)[number];

/** Of zstd for the web: 8 MB (RFC 9659). Else a sender chooses how much memory a stream takes, up to 128 MB. */
const ZSTD_WINDOW_BITS_MAX = 23;

/**
 * What follows the end of a stream is a mistake, and not dropped in silence. Not said of gzip, whose bodies may have
 * several members (RFC 1952, section 2.2): there it holds but for zeros. Of zstd several frames are one stream.
 */
const WHOLE = { rejectGarbageAfterEnd: true };

export function startDecompressor(coding: Coding): Transform & zlib.Zlib {
  switch (coding) {
    case "gzip":
      return zlib.createGunzip();
    case "deflate":
      return zlib.createInflate(WHOLE);
    case "br":
      return zlib.createBrotliDecompress(WHOLE);
    default: {
      const params = { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_BITS_MAX };
      return zlib.createZstdDecompress({ params, ...WHOLE });
    }
  }
}
