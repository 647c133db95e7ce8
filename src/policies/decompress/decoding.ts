import { Fault } from "../../base/faults.ts";
import type { BodyStage } from "../../policy/body-stage.ts";
import type { PolicyEnvironment } from "../../policy/environment.ts";
import type { Exchange } from "../../policy/exchange.ts";
import type { Verdict } from "../../policy/policy.ts";
import { dropFieldsOfBytes } from "../../policy/recoded-fields.ts";
import { ZlibStage } from "../../policy/zlib-stage.ts";
import {
  answerUndecodable,
  badEncoding,
  decodedTooLarge,
  decompressBusy,
  unknownEncoding,
} from "./decoding-faults.ts";
import { startDecompressor, type Coding } from "./decompressors.ts";

/** Up to here any ratio is taken: a few zeros compress to nothing, and are no attack. */
const ANY_RATIO_BYTES_MAX = 1024 * 1024;
/** A body whose length is known to be at most this is decoded before the service is asked. */
const HELD_BYTES_MAX = 64 * 1024;
/** Nobody needs more than one; each multiplies what a few bytes can become. */
const CODINGS_MAX = 3;

export interface DecodingSettings {
  readonly encodings: readonly Coding[];
  /** Bytes. */
  readonly sizeMax: number;
  readonly ratioMax: number;
  readonly concurrentMax: number;
}

/** What bodies are answered that cannot be decoded. */
interface Refusals {
  readonly bad: Fault;
  readonly tooLarge: Fault;
}

const OF_REQUESTS: Refusals = { bad: new Fault(badEncoding), tooLarge: new Fault(decodedTooLarge) };
const undecodable = new Fault(answerUndecodable);
const OF_RESPONSES: Refusals = { bad: undecodable, tooLarge: undecodable };
const busy = new Fault(decompressBusy);

/** Decodes bodies by what their heads say of them. */
export class Decoding {
  private readonly settings: DecodingSettings;
  private readonly unknown: Fault;
  private readonly counters;
  /** Engines that hold memory. */
  private underWay = 0;

  constructor(settings: DecodingSettings, environment: PolicyEnvironment) {
    this.settings = settings;
    const accepted = { "accept-encoding": settings.encodings.join(", ") };
    this.unknown = new Fault(unknownEncoding, "", "", accepted);
    this.counters = {
      decoded: environment.counter("decoded"),
      refused: environment.counter("refused"),
      unchanged: environment.counter("unchanged"),
    };
  }

  onRequest(exchange: Exchange): Verdict {
    const { fields, contentLength } = exchange.request;
    const { counters } = this;
    const told = fields.get("content-encoding");
    if (told === undefined || !exchange.requestHasBody) {
      counters.unchanged.add(1);
      return undefined;
    }
    const codings = readCodings(told, this.settings.encodings);
    if (codings === null || this.isBusy) {
      counters.refused.add(1);
      return codings === null ? this.unknown : busy;
    }
    counters.decoded.add(1);
    fields.remove("content-encoding");
    dropFieldsOfBytes(fields);
    const holdsHead = contentLength >= 0 && contentLength <= HELD_BYTES_MAX;
    const stages = this.stagesOf(codings, holdsHead, OF_REQUESTS);
    for (let index = 0; index < stages.length; index++) exchange.stageRequest(stages[index]!);
    return undefined;
  }

  onResponse(exchange: Exchange): Verdict {
    const { fields, status } = exchange.response;
    const { counters } = this;
    const told = fields.get("content-encoding");
    const codings = told === undefined ? null : readCodings(told, this.settings.encodings);
    if (codings === null || status === 206 || fields.has("content-range")) {
      counters.unchanged.add(1);
      return undefined;
    }
    if (exchange.responseHasBody && this.isBusy) {
      counters.refused.add(1);
      return busy;
    }
    counters.decoded.add(1);
    fields.remove("content-encoding");
    fields.remove("content-length");
    dropFieldsOfBytes(fields);
    if (!exchange.responseHasBody) return undefined;
    const stages = this.stagesOf(codings, false, OF_RESPONSES);
    for (let index = 0; index < stages.length; index++) exchange.stageResponse(stages[index]!);
    return undefined;
  }

  private get isBusy(): boolean {
    return this.underWay >= this.settings.concurrentMax;
  }

  /** The coding that was applied last is undone first. */
  private stagesOf(codings: readonly Coding[], holdsHead: boolean, refusals: Refusals) {
    const { sizeMax, ratioMax } = this.settings;
    const { bad, tooLarge } = refusals;
    const stages: BodyStage[] = [];
    for (let index = codings.length - 1; index >= 0; index--) {
      this.underWay++;
      stages.push(
        new ZlibStage(startDecompressor(codings[index]!), {
          holdsHead,
          failure: () => bad,
          onClose: () => this.underWay--,
          check(out, taken) {
            const isBomb = out > ANY_RATIO_BYTES_MAX && out > taken * ratioMax;
            return out > sizeMax || isBomb ? tooLarge : undefined;
          },
        }),
      );
    }
    return stages;
  }
}

/** Codings in the order in which they were applied; null where one of them is not taken, or there are too many. */
function readCodings(told: string, taken: readonly Coding[]): Coding[] | null {
  const list: Coding[] = [];
  for (const part of told.toLowerCase().split(",")) {
    const name = part.trim();
    if (name === "" || name === "identity") continue;
    const coding = taken.find((one) => one === (name === "x-gzip" ? "gzip" : name));
    if (coding === undefined || list.length === CODINGS_MAX) return null;
    list.push(coding);
  }
  return list;
}
