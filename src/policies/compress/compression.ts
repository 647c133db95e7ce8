import { faults } from "../../base/faults.ts";
import type { PolicyEnvironment } from "../../policy/environment.ts";
import { crossSiteFault } from "../../policy/cross-site.ts";
import type { Exchange } from "../../policy/exchange.ts";
import { addVary, dropFieldsOfBytes, hasToken } from "../../policy/recoded-fields.ts";
import { compileMediaType } from "../../policy/values/media-type.ts";
import { WholeBody } from "../../policy/whole-body.ts";
import { ZlibStage } from "../../policy/zlib-stage.ts";
import { compressorOf, type Coding, type Compressor } from "./compressors.ts";
import { CodingNegotiation } from "./negotiate-coding.ts";

/** Up to here a body is collected and compressed within the event: less work than a round through the thread pool. */
const AT_ONCE_BYTES_MAX = 16 * 1024;
const NO_ORIGINS: ReadonlySet<string> = new Set();
const EVENT_STREAM = "text/event-stream";
const UNKNOWN = -1;

export interface CompressionSettings {
  readonly encodings: readonly Coding[];
  readonly types: readonly string[];
  /** Bytes. */
  readonly sizeMin: number;
  readonly gzipLevel: number;
  readonly brotliLevel: number;
  readonly zstdLevel: number;
  readonly eventStreams: boolean;
  readonly crossSite: boolean;
  readonly concurrentMax: number;
}

/** Decides for each response whether it is compressed, and has that done. */
export class Compression {
  private readonly settings: CompressionSettings;
  private readonly negotiation: CodingNegotiation<Coding>;
  private readonly compressors: Readonly<Record<Coding, Compressor>>;
  private readonly types: readonly { test(contentType: string): boolean }[];
  private readonly counters;
  /** Longer bodies that are being compressed. */
  private underWay = 0;

  constructor(settings: CompressionSettings, environment: PolicyEnvironment) {
    this.settings = settings;
    this.negotiation = new CodingNegotiation(settings.encodings);
    this.compressors = {
      gzip: compressorOf("gzip", settings.gzipLevel),
      br: compressorOf("br", settings.brotliLevel),
      zstd: compressorOf("zstd", settings.zstdLevel),
    };
    this.types = settings.types.map((type) => compileMediaType(type));
    this.counters = {
      compressed: environment.counter("compressed"),
      unchanged: environment.counter("unchanged"),
      busy: environment.counter("busy"),
    };
  }

  onResponse(exchange: Exchange): void {
    const { fields, status } = exchange.response;
    const { counters } = this;
    if (status === 304) {
      // RFC 9110 section 15.4.5: as the whole answer would have it, whose type is not known here.
      addVary(fields, "Accept-Encoding");
      this.weakenTag(exchange);
      return;
    }
    if (status === 206) {
      // RFC 9110 section 15.3.7: as the whole answer would have it.
      if (this.isWorthIt(exchange, wholeLengthOf(exchange)) && !mayNotRecode(exchange)) {
        addVary(fields, "Accept-Encoding");
      }
      counters.unchanged.add(1);
      return;
    }
    const length = lengthOf(exchange);
    if (
      !this.isWorthIt(exchange, length) ||
      fields.has("content-range") ||
      mayNotRecode(exchange)
    ) {
      counters.unchanged.add(1);
      return;
    }
    addVary(fields, "Accept-Encoding");
    const coding = this.negotiation.choose(exchange.header("accept-encoding"));
    if (coding === "identity" || (!this.settings.crossSite && mayBeWatched(exchange))) {
      counters.unchanged.add(1);
      return;
    }
    const isLong = length === UNKNOWN || length > AT_ONCE_BYTES_MAX;
    if (isLong && this.underWay >= this.settings.concurrentMax) {
      counters.busy.add(1);
      return;
    }
    counters.compressed.add(1);
    dropFieldsOfBytes(fields);
    fields.remove("content-length");
    fields.set("content-encoding", coding);
    // To HEAD: it is told what GET would be.
    if (!exchange.responseHasBody) return;
    if (isLong) this.compressLong(exchange, this.compressors[coding]);
    else this.compressShort(exchange, this.compressors[coding]);
  }

  /** About a response that would have been compressed, as far as can be told. */
  private weakenTag(exchange: Exchange): void {
    const { fields } = exchange.response;
    const tag = fields.get("etag");
    if (tag === undefined || !tag.startsWith('"')) return;
    if (this.negotiation.choose(exchange.header("accept-encoding")) === "identity") return;
    fields.set("etag", `W/${tag}`);
  }

  private isWorthIt({ response }: Exchange, length: number): boolean {
    const { status, fields } = response;
    if (status === 204 || (length !== UNKNOWN && length < this.settings.sizeMin)) return false;
    const type = fields.get("content-type");
    if (type === undefined) return false;
    // Several parts: the type of the whole is not known here.
    if (status === 206 && /^multipart\/byteranges\b/i.test(type)) return true;
    if (isEventStream(type)) return this.settings.eventStreams;
    const { types } = this;
    for (let index = 0; index < types.length; index++) if (types[index]!.test(type)) return true;
    return false;
  }

  private compressShort(exchange: Exchange, compressor: Compressor): void {
    // The service has told the length, and the wire holds it to that.
    const tooLong = faults["upstream-protocol-error"];
    exchange.stageResponse(
      new WholeBody(AT_ONCE_BYTES_MAX, tooLong, (body) => compressor.compress(body)),
    );
  }

  private compressLong(exchange: Exchange, compressor: Compressor): void {
    const flushes = isEventStream(exchange.response.fields.get("content-type")!);
    this.underWay++;
    exchange.stageResponse(
      new ZlibStage(compressor.start(flushes), {
        holdsHead: false,
        failure: (error) => error,
        onClose: () => this.underWay--,
        pauseFlush: compressor.flushKind,
      }),
    );
  }
}

/**
 * An answer with what only this user may see, to a request that a page of another site may have made in part (BREACH).
 * Where nothing shows that none has, one may: a page can leave its Referer out.
 */
function mayBeWatched(exchange: Exchange): boolean {
  const isPersonal =
    exchange.identity !== null ||
    exchange.header("cookie") !== undefined ||
    exchange.header("authorization") !== undefined;
  return isPersonal && crossSiteFault(exchange, NO_ORIGINS) !== null;
}

function isEventStream(type: string): boolean {
  return type.toLowerCase().startsWith(EVENT_STREAM);
}

/** Bytes of the response's body. To HEAD it is that of the answer to GET. */
function lengthOf({ response }: Exchange): number {
  const told = response.fields.get("content-length");
  return told === undefined ? UNKNOWN : Number(told);
}

/** Bytes of what the response has a part of (RFC 9110 section 14.4). */
function wholeLengthOf({ response }: Exchange): number {
  const told = /\/(\d+)$/.exec(response.fields.get("content-range") ?? "");
  return told === null ? UNKNOWN : Number(told[1]);
}

/** It has a coding, or someone has said no (RFC 9111, section 5.2). */
function mayNotRecode({ request, response }: Exchange): boolean {
  const { fields } = response;
  if (fields.has("content-encoding")) return true;
  const told = fields.get("cache-control");
  const asked = request.fields.get("cache-control");
  return (
    (told !== undefined && hasToken(told, "no-transform")) ||
    (asked !== undefined && hasToken(asked, "no-transform"))
  );
}
