/** corpus-chunks: the chunked coding itself (RFC 9112, section 7.1). */
import {
  chunked,
  entry,
  getHead,
  get,
  orRefused,
  passed,
  passedThenRefused,
  post,
  refused,
  smuggled,
} from "./request-case.ts";
import type { RequestCase, Verdict } from "./request-case.ts";

function bad(name: string, why: string, body: string, verdict: Verdict = refused()): RequestCase {
  return entry(`chunks: ${name}`, why, chunked(body), verdict);
}

function badSize(name: string, size: string): RequestCase {
  const why = "A chunk size is 1*HEXDIG; what reads anything else reads another length than we do.";
  return bad(`size ${name}`, why, `${size}\r\nhello\r\n0\r\n\r\n`);
}

function good(name: string, why: string, body: string, read = "hello"): RequestCase {
  return entry(`chunks: ${name}`, why, chunked(body), passed(post(read)));
}

const sizes: RequestCase[] = [
  badSize("with a plus sign", "+5"),
  badSize("with a minus sign", "-5"),
  badSize("with a prefix", "0x5"),
  badSize("with a suffix", "5h"),
  badSize("empty", ""),
  badSize("not a number", "xyz"),
  badSize("with a leading space", " 5"),
  badSize("with a trailing space", "5 "),
  badSize("with a trailing tab", "5\t"),
  badSize("with an underscore", "0_5"),
  badSize("with a dot", "5.0"),
  badSize("with a comma", "5,"),
  badSize("with NUL", "5\0"),
  badSize("with a vertical tab", "5\x0b"),
  badSize("of 2^64 + 5", "10000000000000005"),
  badSize("of 2^64 - 1", "ffffffffffffffff"),
  badSize("of 2^63", "8000000000000000"),
  badSize("of forty digits", "f".repeat(40)),
  badSize("of two numbers", "5 5"),
  badSize("quoted", '"5"'),
  bad(
    "size with thirty leading zeros",
    "Correct, but only ever sent to overflow somebody.",
    `${"0".repeat(30)}5\r\nhello\r\n0\r\n\r\n`,
    orRefused(passed(post("hello"))),
  ),
  good("size with leading zeros", "1*HEXDIG allows them.", "0005\r\nhello\r\n0\r\n\r\n"),
  good("size in small letters", "Ordinary.", "a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
  good("size in capitals", "Ordinary.", "A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
  good("several", "Ordinary.", "1\r\nh\r\n2\r\nel\r\n2\r\nlo\r\n0\r\n\r\n"),
  good("last one of several zeros", "The size is what counts.", "5\r\nhello\r\n000\r\n\r\n"),
  good("nothing but the last", "A body of length 0.", "0\r\n\r\n", ""),
];

const extensions: RequestCase[] = [
  good("extension", "Read past, and not passed on.", "5;a=b\r\nhello\r\n0;c\r\n\r\n"),
  good("quoted extension", "Ordinary.", '5;a="b c;d"\r\nhello\r\n0\r\n\r\n'),
  bad(
    "extension with bad white space",
    "BWS is allowed by the standard, but has been read as the end of the size.",
    "5 ;a=b\r\nhello\r\n0\r\n\r\n",
    orRefused(passed(post("hello"))),
  ),
  bad(
    "extension with a bare LF",
    "TERM.EXT: one server ends the line there, another reads on to the CRLF.",
    `5;\nxx\r\n${smuggled}`,
  ),
  bad(
    "extension ended by a bare LF",
    "The line ends at CRLF, not before.",
    "5;a=b\nhello\r\n0\r\n\r\n",
  ),
  bad("extension with a bare CR", "CR is no part of an extension.", "5;a\rb\r\nhello\r\n0\r\n\r\n"),
  bad("extension with NUL", "Nor is NUL.", "5;a\0b\r\nhello\r\n0\r\n\r\n"),
  bad(
    "extension with a line break in quotes",
    "Quotes do not protect a line break; and the chunks sent on have no extensions.",
    '5;a="\r\nhello\r\n0\r\n\r\n',
    orRefused(passed(post("hello"))),
  ),
  bad(
    "extension of many bytes",
    "Extensions cost work and carry nothing: their sum is limited.",
    `5;${"a".repeat(20_000)}\r\nhello\r\n0\r\n\r\n`,
    refused(400, 413, 431),
  ),
  bad(
    "many extensions that are each short",
    "The same in small pieces: a byte of data with each hundred of extension.",
    `${`1;${"a".repeat(100)}\r\nx\r\n`.repeat(500)}0\r\n\r\n`,
    refused(400, 413, 431),
  ),
];

const ends: RequestCase[] = [
  bad("size ended by a bare LF", "Lines end at CRLF.", "5\nhello\r\n0\r\n\r\n"),
  bad("size ended by a bare CR", "Lines end at CRLF.", "5\rhello\r\n0\r\n\r\n"),
  bad("size ended by CR CR LF", "Lines end at CRLF.", "5\r\r\nhello\r\n0\r\n\r\n"),
  bad("data ended by a bare LF", "Data ends with CRLF.", "5\r\nhello\n0\r\n\r\n"),
  bad("data ended by a bare CR", "Data ends with CRLF.", "5\r\nhello\r0\r\n\r\n"),
  bad(
    "data not ended",
    "SPILL: what follows the data was taken for its end.",
    "5\r\nhello0\r\n\r\n",
  ),
  bad("data ended by other bytes", "Two bytes are skipped by some.", "5\r\nhelloXX0\r\n\r\n"),
  bad("data ended by a byte and LF", "A byte is skipped by some.", "5\r\nhelloX\n0\r\n\r\n"),
  bad("data longer than its size", "The rest is no CRLF.", "3\r\nhello\r\n0\r\n\r\n"),
  bad(
    "data shorter than its size",
    "The CRLF and what follows are data then.",
    "9\r\nhello\r\n0\r\n\r\n",
  ),
  bad("last one ended by a bare LF", "Lines end at CRLF.", "5\r\nhello\r\n0\n\r\n"),
  bad("last one ended by LF LF", "Lines end at CRLF.", "5\r\nhello\r\n0\n\n"),
  bad("final line a bare LF", "It ends at CRLF.", "5\r\nhello\r\n0\r\n\n"),
  bad("final line CR and another byte", "It ends at CRLF.", `5\r\nhello\r\n0\r\n\rX${smuggled}`),
  bad(
    "final line missing, a request in its place",
    "The request line would be a trailer to one server and a request to another.",
    `5\r\nhello\r\n0\r\n${smuggled}`,
  ),
  bad("garbage for a chunk", "No size.", `hello${smuggled}`),
  entry(
    "chunks: the end never comes",
    "A body that is cut is no request.",
    chunked("5\r\nhello\r\n"),
    refused(400, 408),
    { ends: true },
  ),
  entry(
    "chunks: a request behind the end",
    "Pipelining: the body ends at the empty line.",
    chunked(`5\r\nhello\r\n0\r\n\r\n${getHead("X-Second: 1\r\n")}`),
    passed(post("hello"), get("/", { "x-second": "1" })),
  ),
  entry(
    "chunks: another chunk behind the end",
    "The body has ended; this is a bad request line.",
    chunked("0\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    passedThenRefused(post("")),
  ),
];

/** Fields that may not be trailers (RFC 9110, 6.5.1) must not reach the service as anything. */
function forbidden(line: string): RequestCase {
  const [name = ""] = line.toLowerCase().split(":");
  return entry(
    `trailers: ${name}`,
    "It would frame, route or authenticate a message that has been read already.",
    chunked(`5\r\nhello\r\n0\r\n${line}\r\n\r\n`),
    orRefused(passed({ ...post("hello"), trailers: [] })),
  );
}

function badTrailer(name: string, why: string, lines: string): RequestCase {
  return bad(`trailer ${name}`, why, `5\r\nhello\r\n0\r\n${lines}\r\n`, refused(400, 431));
}

const trailers: RequestCase[] = [
  good("trailer", "Ordinary.", "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"),
  forbidden("Content-Length: 50"),
  forbidden("Transfer-Encoding: gzip"),
  forbidden("Host: b.test"),
  forbidden("Authorization: Basic Zm9vOmJhcg=="),
  forbidden("Cookie: admin=1"),
  forbidden("Connection: close"),
  forbidden("X-Forwarded-For: 127.0.0.1"),
  badTrailer("without a colon", "A line of a trailer is a field line.", "hello\r\n"),
  badTrailer("folded", "Folding is refused here as well.", "X: y\r\n z\r\n"),
  badTrailer("with a bare LF", "And bare LF.", "X: y\nZ: a\r\n"),
  badTrailer("with NUL", "And control characters.", "X: \0\r\n"),
  badTrailer("with a space before the colon", "And that.", "X : y\r\n"),
  badTrailer("of many bytes", "Trailers are limited like heads.", `X: ${"y".repeat(100_000)}\r\n`),
  badTrailer("fields without number", "In number as well.", "X: y\r\n".repeat(2000)),
];

export const chunkCases: readonly RequestCase[] = [...sizes, ...extensions, ...ends, ...trailers];
