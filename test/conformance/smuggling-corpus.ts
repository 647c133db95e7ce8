/**
 * smuggling-corpus: requests that servers have read differently from one another, and their honest
 * neighbours, each with what a gateway must do with it. Collected from RFC 9110 and 9112 and from
 * published work on request smuggling: CL.TE, TE.CL, TE.TE, CL.0, chunk extensions, trailers, Host
 * and absolute-form confusion, hop-by-hop abuse, h2c.
 */
import { chunkCases } from "./corpus-chunks.ts";
import { codingCases } from "./corpus-coding.ts";
import { connectionCases } from "./corpus-connection.ts";
import { lengthCases } from "./corpus-length.ts";
import { lineCases } from "./corpus-lines.ts";
import { targetCases } from "./corpus-targets.ts";
import type { RequestCase } from "./request-case.ts";

export const smugglingCorpus: readonly RequestCase[] = [
  ...lengthCases,
  ...codingCases,
  ...chunkCases,
  ...lineCases,
  ...targetCases,
  ...connectionCases,
];
