/**
 * compress: sends responses in fewer bytes, where the client can read them.
 */
import { definePolicy } from "../../policy/policy.ts";
import { mediaType } from "../../policy/values/media-type.ts";
import { count, flag } from "../../policy/values/number.ts";
import { section } from "../../policy/values/section.ts";
import { size } from "../../policy/values/size.ts";
import { choice, listOf } from "../../policy/values/text.ts";
import { Compression } from "./compression.ts";
import { codings } from "./compressors.ts";

const TYPES = [
  "text/*",
  "application/json",
  "*+json",
  "application/xml",
  "*+xml",
  "application/javascript",
  "application/x-ndjson",
  "application/wasm",
  "application/vnd.ms-fontobject",
  "font/ttf",
  "font/otf",
];

export default definePolicy({
  name: "compress",
  summary: "Compresses responses with zstd, Brotli or gzip, as the client accepts.",
  schema: section({
    encodings: listOf(choice(codings), "an encoding")
      .prefault([...codings])
      .describe("What is offered; of those that a client likes equally the first is taken."),
    types: listOf(mediaType(), "a media type")
      .prefault(TYPES)
      .describe("Content types that are worth it, in place of the default list."),
    sizeMin: size()
      .prefault("1kb")
      .describe("Shorter bodies pass as they are, where their length is known beforehand."),
    gzipLevel: count({ min: 1, max: 9 }).prefault(5).describe("Effort of gzip."),
    brotliLevel: count({ max: 11 }).prefault(4).describe("Effort of Brotli; above 6 it is slow."),
    zstdLevel: count({ min: 1, max: 19 }).prefault(3).describe("Effort of zstd."),
    eventStreams: flag()
      .prefault(false)
      .describe("Compress `text/event-stream` too; each piece is sent on at once."),
    crossSite: flag()
      .prefault(true)
      .describe(
        "Compress also where a page of another site may have made a browser ask with the user's credentials; " +
          "`false` keeps such a page from learning secrets by their compressed length (BREACH).",
      ),
    concurrentMax: count({ min: 1 })
      .prefault(256)
      .describe(
        "Longer bodies that one worker compresses at a time; beyond that they pass as they are.",
      ),
  }).prefault({}),
  results: ["compressed", "unchanged", "busy"],

  check(_, { earlier }) {
    const inner = earlier.find(({ name }) => READS_BODIES.has(name));
    if (inner === undefined) return [];
    return [
      {
        isWarning: true,
        message: `${inner.name} stands before compress, so that responses come to it compressed`,
        hint: `put compress before ${inner.name}: responses meet policies in the opposite order`,
      },
    ];
  },

  compile(options, environment) {
    const compression = new Compression(options, environment);
    return { onResponse: (exchange) => compression.onResponse(exchange) };
  },
});

/** Policies that look into responses' bodies. */
const READS_BODIES: ReadonlySet<string> = new Set(["body", "validate"]);
