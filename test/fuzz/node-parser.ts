/** Node's own HTTP parser (llhttp, strict), as a second opinion. */
import { createRequire } from "node:module";

interface LowLevelParser {
  initialize(type: number, resource: object): void;
  execute(bytes: Buffer): number | Error;
  finish(): unknown;
  [callback: number]: unknown;
}

interface ParserClass {
  new (): LowLevelParser;
  REQUEST: number;
  RESPONSE: number;
  kOnHeadersComplete: number;
  kOnBody: number;
  kOnMessageComplete: number;
  kOnHeaders: number;
}

const require = createRequire(import.meta.url);
const { HTTPParser, methods } = require("node:_http_common") as {
  HTTPParser: ParserClass;
  methods: readonly string[];
};

export interface NodeMessage {
  method: string;
  url: string;
  /** Flat list, names as sent. */
  fields: string[];
  body: string;
  complete: boolean;
  versionMinor: number;
  status: number;
}

/** Messages that Node reads from the bytes, until it refuses some. */
export function readWithNode(
  bytes: Buffer,
  kind: "request" | "response",
): { messages: NodeMessage[]; refused: boolean } {
  const messages: NodeMessage[] = [];
  const parser = new HTTPParser();
  parser.initialize(kind === "request" ? HTTPParser.REQUEST : HTTPParser.RESPONSE, {});
  let early: string[] = [];
  let earlyUrl = "";
  parser[HTTPParser.kOnHeaders] = (fields: string[], url: string) => {
    early = early.concat(fields);
    earlyUrl += url;
  };
  parser[HTTPParser.kOnHeadersComplete] = (
    _major: number,
    versionMinor: number,
    fields: string[] | undefined,
    method: number | undefined,
    url: string,
    status: number,
  ) => {
    const all = early.concat(fields ?? []);
    messages.push({
      method: method === undefined ? "" : (methods[method] ?? ""),
      url: earlyUrl + (url ?? ""),
      fields: all,
      body: "",
      complete: false,
      versionMinor,
      status: status ?? 0,
    });
    early = [];
    earlyUrl = "";
    return 0;
  };
  parser[HTTPParser.kOnBody] = (piece: Buffer) => {
    messages.at(-1)!.body += piece.toString("latin1");
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    messages.at(-1)!.complete = true;
    // What came since the head were trailers.
    early = [];
    earlyUrl = "";
  };
  const result = parser.execute(bytes);
  return { messages, refused: typeof result !== "number" };
}
