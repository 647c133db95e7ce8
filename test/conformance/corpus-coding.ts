/** corpus-coding: Transfer-Encoding other than one plain `chunked` (RFC 9112, section 6.1). */
import {
  chunked,
  entry,
  getHead,
  orRefused,
  passed,
  post,
  postHead,
  refused,
  smuggled,
} from "./request-case.ts";
import type { RequestCase, Verdict } from "./request-case.ts";

const body = "5\r\nhello\r\n0\r\n\r\n";

/**
 * TE.TE: a server that does not recognise the field goes by Content-Length or sees no body, so each
 * is refused with and without a length beside it.
 */
function bad(name: string, lines: string, verdict: Verdict = refused()): RequestCase[] {
  const why = "A server that takes this for chunked and one that does not read different bodies.";
  return [
    entry(`transfer-encoding: ${name}`, why, postHead(lines, body), verdict),
    entry(
      `transfer-encoding: ${name}, with a length`,
      why,
      postHead(`Content-Length: 4\r\n${lines}`, `2a\r\n${smuggled}\r\n0\r\n\r\n`),
      verdict,
    ),
  ];
}

function badValue(name: string, value: string, verdict?: Verdict): RequestCase[] {
  return bad(name, `Transfer-Encoding: ${value}\r\n`, verdict);
}

const unsupported = refused(400, 501);

const codings: RequestCase[] = [
  ...badValue("unknown coding", "xchunked"),
  ...badValue("cut short", "chunk"),
  ...badValue("cow", "cow"),
  ...badValue("identity", "identity", unsupported),
  ...badValue("identity, chunked", "identity, chunked", unsupported),
  ...badValue("chunked, identity", "chunked, identity"),
  ...badValue("chunked twice", "chunked, chunked"),
  ...badValue("gzip alone", "gzip", unsupported),
  ...badValue("gzip, chunked", "gzip, chunked", unsupported),
  ...badValue("chunked, gzip", "chunked, gzip"),
  ...badValue("empty", ""),
  ...badValue("comma only", ","),
  ...badValue("chunked and an empty element", "chunked,"),
  ...badValue("an empty element and chunked", ",chunked"),
  ...badValue("a parameter", "chunked;foo=bar"),
  ...badValue("an empty parameter", "chunked;"),
  ...badValue("quotes", '"chunked"'),
  ...badValue("single quotes", "'chunked'"),
  ...badValue("two words", "chunked foo"),
  ...badValue("a space within", "chun ked"),
  ...badValue("a hyphen before", "-chunked"),
];

const bytes: RequestCase[] = [
  ...badValue("NUL after it", "chunked\0"),
  ...badValue("vertical tab before it", "\x0bchunked"),
  ...badValue("form feed after it", "chunked\x0c"),
  ...badValue("no-break space before it", "\xa0chunked"),
  ...badValue("next-line character before it", "\x85chunked"),
  ...badValue("Kelvin sign for k, which lower-cases to k", "chun\xe2\x84\xaaed"),
  ...badValue("escape before it", "\x1bchunked"),
  ...badValue("DEL after it", "chunked\x7f"),
];

const lines: RequestCase[] = [
  ...bad("two of them", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
  ...bad("then identity", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
  ...bad(
    "after identity",
    "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
    unsupported,
  ),
  ...bad("then an empty one", "Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n"),
  ...bad("then a misspelt one", "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n"),
  ...bad("space before the colon", "Transfer-Encoding : chunked\r\n"),
  ...bad("tab before the colon", "Transfer-Encoding\t: chunked\r\n"),
  ...bad("NUL before the colon", "Transfer-Encoding\0: chunked\r\n"),
  ...bad("folded", "Transfer-Encoding:\r\n chunked\r\n"),
  ...bad("folded with a tab", "Transfer-Encoding:\r\n\tchunked\r\n"),
  ...bad("continued", "Transfer-Encoding: chunked\r\n , identity\r\n"),
  ...bad("as the continuation of another", "X: y\r\n Transfer-Encoding: chunked\r\n"),
  ...bad("behind a bare LF", "X: y\nTransfer-Encoding: chunked\r\n"),
  ...bad("behind a bare CR", "X: y\rTransfer-Encoding: chunked\r\n"),
  ...bad("behind CR CR LF", "X: y\r\r\nTransfer-Encoding: chunked\r\n"),
  ...bad("behind LF CR", "X: y\n\rTransfer-Encoding: chunked\r\n"),
  ...bad("ended by a bare LF", "Transfer-Encoding: chunked\n"),
  ...bad("behind a colon", ":Transfer-Encoding: chunked\r\n"),
  ...bad("behind a NUL", "\0Transfer-Encoding: chunked\r\n"),
  ...bad("behind a byte order mark", "\xef\xbb\xbfTransfer-Encoding: chunked\r\n"),
  ...bad("a dot for the hyphen, in UTF-8", "Transfer\xe2\x80\x90Encoding: chunked\r\n"),
  ...bad("no colon", "Transfer-Encoding chunked\r\n"),
  ...bad("equals sign for the colon", "Transfer-Encoding= chunked\r\n"),
];

const versions: RequestCase[] = [
  entry(
    "transfer-encoding: in HTTP/1.0",
    "HTTP/1.0 has no transfer codings: such a message is faulty (RFC 9112, 6.1).",
    `POST / HTTP/1.0\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n${body}`,
    refused(),
  ),
  entry(
    "transfer-encoding: in HTTP/1.0 with keep-alive",
    "The same, on a connection that stays.",
    `POST / HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n${body}`,
    refused(),
  ),
  entry(
    "transfer-encoding: in HTTP/1.0 with a length",
    "The same, with a length to go by.",
    `POST / HTTP/1.0\r\nHost: a.test\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${body}`,
    refused(),
  ),
];

const good: RequestCase[] = [
  entry("transfer-encoding: chunked", "Ordinary.", chunked(body), passed(post("hello"))),
  entry(
    "transfer-encoding: in capitals",
    "Names of codings are not case-sensitive.",
    postHead("TRANSFER-ENCODING: CHUNKED\r\n", body),
    passed(post("hello")),
  ),
  entry(
    "transfer-encoding: white space around it",
    "Optional white space is no part of the value.",
    postHead("Transfer-Encoding: \t chunked \t\r\n", body),
    passed(post("hello")),
  ),
  entry(
    "transfer-encoding: no space after the colon",
    "Ordinary.",
    postHead("Transfer-Encoding:chunked\r\n", body),
    passed(post("hello")),
  ),
  entry(
    "transfer-encoding: on a GET",
    "A body is a body.",
    getHead("Transfer-Encoding: chunked\r\n", body),
    passed({ method: "GET", target: "/", body: "hello" }),
  ),
  entry(
    "transfer-encoding: written with an underscore",
    "Services behind CGI or WSGI take it for the real one: it must not reach them.",
    getHead("Transfer_Encoding: chunked\r\n"),
    orRefused(passed({ method: "GET", target: "/", absent: ["transfer_encoding"] })),
  ),
];

export const codingCases: readonly RequestCase[] = [
  ...codings,
  ...bytes,
  ...lines,
  ...versions,
  ...good,
];
