import { constants } from "node:http2";
import type { ClientSessionOptions, ServerOptions } from "node:http2";
import type { HeadLimits } from "../http1/parse-request-head.ts";

export const NO_ERROR: number = constants.NGHTTP2_NO_ERROR;
export const INTERNAL_ERROR: number = constants.NGHTTP2_INTERNAL_ERROR;
export const REFUSED_STREAM: number = constants.NGHTTP2_REFUSED_STREAM;
export const ENHANCE_YOUR_CALM: number = constants.NGHTTP2_ENHANCE_YOUR_CALM;

/**
 * What a client may send of one body before the gateway has passed it on, and of all bodies of its
 * connection. Each stream that a service holds back keeps this much in memory at most; at a round trip
 * of 50 ms it lets a single upload run at 5 MB/s.
 */
const CLIENT_WINDOW_BYTES = 256 * 1024;
export const CLIENT_CONNECTION_WINDOW_BYTES = 1024 * 1024;
/** Services are near and trusted with more; a slow client costs this much for each response. */
const SERVICE_WINDOW_BYTES = 1024 * 1024;
export const SERVICE_CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;

/** Each field costs 32 bytes more in SETTINGS_MAX_HEADER_LIST_SIZE than it has (RFC 9113 section 6.5.2). */
const FIELD_OVERHEAD_BYTES = 32;
/** nghttp2 refuses to send a head above 64 kB unless it is told that more is fine. */
const SENT_HEAD_BYTES_MAX = 16 * 1024 * 1024;
/** A session's own bookkeeping, and for each stream what nghttp2 and unsent data take. */
const SESSION_MEMORY_MB = 8;
const STREAMS_PER_MEMORY_MB = 8;
/** Frames that break the protocol, after which the session ends; the default of node:http2 is 1000. */
const INVALID_FRAMES_MAX = 100;

/**
 * The list size that node:http2 enforces and tells the peer. It is larger than the gateway's own limit, so that a head
 * which is somewhat too large is answered with 431; one beyond this has its stream reset.
 */
function headerListBytesMax(limits: HeadLimits): number {
  const bytes = 2 * (limits.headBytesMax + limits.uriBytesMax);
  return bytes + headerListPairsMax(limits) * FIELD_OVERHEAD_BYTES;
}

/** Browsers send each cookie as a field of its own, which count as one here. */
function headerListPairsMax(limits: HeadLimits): number {
  return 2 * limits.fieldCountMax + 100;
}

/** Settings of the sessions of one listener. A reload changes them in place, for sessions to come. */
export interface Http2Settings {
  /** Requests at once on one session. */
  streamsMax: number;
  /** Streams a client may reset in ten seconds before its session is ended. */
  resetStreamsMax: number;
}

export function serverSessionOptions(limits: HeadLimits, settings: Http2Settings): ServerOptions {
  const { streamsMax, resetStreamsMax } = settings;
  return {
    settings: {
      enableConnectProtocol: true,
      initialWindowSize: CLIENT_WINDOW_BYTES,
      maxConcurrentStreams: streamsMax,
      maxHeaderListSize: headerListBytesMax(limits),
    },
    maxHeaderListPairs: headerListPairsMax(limits),
    maxSendHeaderBlockLength: SENT_HEAD_BYTES_MAX,
    maxSessionInvalidFrames: INVALID_FRAMES_MAX,
    maxSessionMemory: SESSION_MEMORY_MB + Math.ceil(streamsMax / STREAMS_PER_MEMORY_MB),
    // The session counts resets itself; nghttp2's own count stands behind it.
    streamResetBurst: 10 * resetStreamsMax,
    streamResetRate: resetStreamsMax,
    // Fields are passed on as they came; whether one may be repeated is not for a gateway to say.
    strictSingleValueFields: false,
  };
}

/** @param limits bound the heads of responses. */
export function clientSessionOptions(limits: HeadLimits): ClientSessionOptions {
  const options: ClientSessionOptions & { strictSingleValueFields: boolean } = {
    settings: {
      enablePush: false,
      initialWindowSize: SERVICE_WINDOW_BYTES,
      maxHeaderListSize: headerListBytesMax(limits),
    },
    maxHeaderListPairs: headerListPairsMax(limits),
    maxSendHeaderBlockLength: SENT_HEAD_BYTES_MAX,
    // Streams towards a service are bounded by what the service allows and by the pool.
    maxSessionMemory: 1024,
    strictSingleValueFields: false,
  };
  return options;
}
