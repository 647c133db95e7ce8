/** compress-64: gzip of 10 kB of JSON beside nginx's at the same level, and decoding of requests. */
import { gzipSync } from "node:zlib";
import { gateward } from "../gateward.ts";
import { orderOf } from "../json-bodies.ts";
import { nginxWith } from "../nginx.ts";
import type { Scenario } from "../scenario.ts";
import { jsonPaths, postPath } from "../upstream.ts";
import { compare, type Contender } from "./comparison.ts";

/** Gateward's default; nginx's is 1. */
const level = 5;
/** The 10 kB are made of a few kinds of lines: they come out a good deal shorter at any level. */
const gzippedBytesMax = 4000;

export const compress: Scenario = {
  name: "compress-64",
  title: "10 kB of JSON compressed by gzip, level 5; a gzipped POST of 10 kB decoded",
  run: (context) => compare(context, [...gzipContenders(), ...decodeContenders()]),
};

function gzipContenders(): Contender[] {
  const beside = `nginx, gzip ${level}`;
  const shared: Pick<Contender, "requests" | "isRight"> = {
    requests: { path: jsonPaths.kb10, headers: { "accept-encoding": "gzip" } },
    isRight: ({ headers, bytes }) =>
      headers["content-encoding"] === "gzip" && bytes < gzippedBytesMax,
  };
  const serverLines = `
    gzip on;
    gzip_comp_level ${level};
    gzip_types application/json;
    gzip_proxied any;
    gzip_vary on;`;
  const gatewardLines = `policies:\n  - compress: { encodings: [gzip], gzipLevel: ${level} }\n`;
  return [
    { ...shared, label: beside, kind: nginxWith({ serverLines }), setup: {} },
    {
      ...shared,
      label: `gateward, gzip ${level}`,
      kind: gateward,
      setup: { gatewardLines },
      beside,
    },
  ];
}

function decodeContenders(): Contender[] {
  const beside = "gateward, gzipped POST";
  const plain: Contender = {
    label: beside,
    kind: gateward,
    setup: {},
    requests: {
      path: postPath,
      headers: { "content-type": "application/json", "content-encoding": "gzip" },
      body: gzipSync(orderOf(10_000)),
    },
    isRight: () => true,
  };
  const gatewardLines = `policies:\n  - decompress\n`;
  return [plain, { ...plain, label: `${beside}, decoded`, setup: { gatewardLines }, beside }];
}
