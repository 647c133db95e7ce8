/**
 * decompress: hands compressed bodies on as they are without, up to a limit.
 */
import { definePolicy } from "../../policy/policy.ts";
import { count, flag } from "../../policy/values/number.ts";
import { section } from "../../policy/values/section.ts";
import { size } from "../../policy/values/size.ts";
import { choice, listOf } from "../../policy/values/text.ts";
import { Decoding } from "./decoding.ts";
import { codings } from "./decompressors.ts";
import {
  answerUndecodable,
  badEncoding,
  decodedTooLarge,
  decompressBusy,
  unknownEncoding,
} from "./decoding-faults.ts";

export default definePolicy({
  name: "decompress",
  summary:
    "Decodes compressed request bodies for services, and responses for policies and clients.",
  schema: section({
    requests: flag().prefault(true).describe("Decode the bodies of requests."),
    responses: flag().prefault(false).describe("Decode the bodies of responses."),
    encodings: listOf(choice(codings), "an encoding")
      .prefault([...codings])
      .describe("What is decoded. Requests with others are refused, responses pass as they are."),
    sizeMax: size().prefault("10mb").describe("Longest body once decoded."),
    ratioMax: count({ min: 1 })
      .prefault(100)
      .describe("Most decoded bytes for each that was sent, where it is more than 1mb."),
    concurrentMax: count({ min: 1 })
      .prefault(256)
      .describe(
        "Bodies that one worker decodes at a time; beyond that requests are refused (503).",
      ),
  }).prefault({}),
  results: ["decoded", "refused", "unchanged"],
  faults: [unknownEncoding, badEncoding, decodedTooLarge, decompressBusy, answerUndecodable],

  check({ requests, responses }, { earlier }) {
    if (!requests && !responses) {
      return [{ message: "nothing is decoded", hint: "leave requests at true, or set responses" }];
    }
    const reader = earlier.find(({ name }) => name === "validate" || name === "body");
    if (!requests || reader === undefined) return [];
    const message = `${reader.name} stands before it and refuses requests that are compressed`;
    return [{ message, hint: `put decompress before ${reader.name}`, isWarning: true }];
  },

  compile(options, environment) {
    const decoding = new Decoding(options, environment);
    return {
      ...(options.requests && { onRequest: (exchange) => decoding.onRequest(exchange) }),
      ...(options.responses && { onResponse: (exchange) => decoding.onResponse(exchange) }),
    };
  },
});
