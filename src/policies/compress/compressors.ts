import type { Transform } from "node:stream";
import * as zlib from "node:zlib";

export const codings = ["zstd", "br", "gzip"] as const;
export type Coding = (typeof codings)[number];

/** 256 KB of history: beyond it a web page gains little, and each stream would cost some megabytes. */
const BROTLI_WINDOW_BITS = 18;

/**
 * Room that the engine is given for what comes out, which is short here: Node's own 16 kB cost a tenth to a quarter of
 * the whole.
 */
const AT_ONCE_OUT_BYTES = 4096;

/** How one coding is made, at one level. */
export interface Compressor {
  /** Within the call. */
  compress(body: Buffer): Buffer;
  /** @param flushes each piece that goes in comes out at once */
  start(flushes: boolean): Transform & zlib.Zlib;
  /** Of node:zlib: brings out all that has gone in. */
  readonly flushKind: number;
}

export function compressorOf(coding: Coding, level: number): Compressor {
  const { constants } = zlib;
  if (coding === "gzip") {
    return {
      compress: (body) => zlib.gzipSync(body, { level, chunkSize: AT_ONCE_OUT_BYTES }),
      start: (flushes) =>
        zlib.createGzip({
          level,
          flush: flushes ? constants.Z_SYNC_FLUSH : constants.Z_NO_FLUSH,
        }),
      flushKind: constants.Z_SYNC_FLUSH,
    };
  }
  if (coding === "br") {
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: level,
      [constants.BROTLI_PARAM_LGWIN]: BROTLI_WINDOW_BITS,
    };
    return {
      compress: (body) => zlib.brotliCompressSync(body, { params, chunkSize: AT_ONCE_OUT_BYTES }),
      start: (flushes) =>
        zlib.createBrotliCompress({
          params,
          flush: flushes ? constants.BROTLI_OPERATION_FLUSH : constants.BROTLI_OPERATION_PROCESS,
        }),
      flushKind: constants.BROTLI_OPERATION_FLUSH,
    };
  }
  const params = { [constants.ZSTD_c_compressionLevel]: level };
  return {
    compress: (body) => zlib.zstdCompressSync(body, { params, chunkSize: AT_ONCE_OUT_BYTES }),
    start: (flushes) =>
      zlib.createZstdCompress({
        params,
        flush: flushes ? constants.ZSTD_e_flush : constants.ZSTD_e_continue,
      }),
    flushKind: constants.ZSTD_e_flush,
  };
}
