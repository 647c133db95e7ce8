/**
 * response-corpus: answers of services that are broken, ambiguous or hostile, and their honest
 * neighbours. A gateway that misreads one shows a client half a response as whole, or one client the
 * answer to another.
 */
import {
  answer,
  broken,
  chunked,
  evil,
  refused,
  whole,
  withFields,
  withStatusLine,
} from "./response-case.ts";
import type { ResponseCase } from "./response-case.ts";

function badLine(name: string, line: string, options: Partial<ResponseCase> = {}): ResponseCase {
  const why = "A status line is version, SP, three digits, and SP with a reason (RFC 9112, 4).";
  return answer(`status line: ${name}`, why, withStatusLine(line), refused, options);
}

const statusLines: ResponseCase[] = [
  answer("status line: ordinary", "Ordinary.", withStatusLine("HTTP/1.1 200 OK"), whole("hello")),
  answer("status line: empty reason", "Allowed.", withStatusLine("HTTP/1.1 200 "), whole("hello")),
  answer(
    "status line: no reason and no space",
    "Not quite allowed, often sent.",
    withStatusLine("HTTP/1.1 200"),
    whole("hello"),
  ),
  answer(
    "status line: HTTP/1.0",
    "An old service.",
    withStatusLine("HTTP/1.0 200 OK"),
    whole("hello"),
  ),
  answer(
    "status line: unknown status",
    "Statuses are open to extension.",
    withStatusLine("HTTP/1.1 299 Fine"),
    whole("hello", 299),
  ),
  badLine("two spaces before the status", "HTTP/1.1  200 OK"),
  badLine("tab before the status", "HTTP/1.1\t200 OK"),
  badLine("two digits", "HTTP/1.1 20 OK"),
  badLine("four digits", "HTTP/1.1 2000 OK"),
  badLine("letters", "HTTP/1.1 abc OK"),
  badLine("status 000", "HTTP/1.1 000 OK"),
  badLine("status 099", "HTTP/1.1 099 OK"),
  badLine("sign", "HTTP/1.1 +20 OK"),
  badLine("fraction", "HTTP/1.1 200.1 OK"),
  badLine("no status", "HTTP/1.1 OK"),
  badLine("version in small letters", "http/1.1 200 OK"),
  badLine("version 2.0", "HTTP/2.0 200 OK"),
  badLine("version 0.9", "HTTP/0.9 200 OK"),
  badLine("version without a minor part", "HTTP/1 200 OK"),
  badLine("version with a leading zero", "HTTP/01.1 200 OK"),
  badLine("another protocol", "ICY 200 OK"),
  badLine("control character in the reason", "HTTP/1.1 200 O\x01K"),
  badLine("NUL in the reason", "HTTP/1.1 200 O\0K"),
  badLine("bare CR in the reason", "HTTP/1.1 200 O\rK"),
  badLine("bare LF in the reason", "HTTP/1.1 200 O\nX: y"),
  badLine("white space before it", " HTTP/1.1 200 OK"),
  badLine("empty line before it", "\r\nHTTP/1.1 200 OK"),
  answer("status line: none", "HTTP/0.9, or not HTTP.", "hello, world\r\n\r\n", refused, {
    then: "ends",
  }),
  answer("status line: a request", "An echo.", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", refused),
  answer("status line: TLS", "A service that speaks TLS.", "\x15\x03\x01\0\x02\x02\x46", refused, {
    then: "ends",
  }),
  answer("status line: SSH", "A service of another kind.", "SSH-2.0-OpenSSH_9.6\r\n", refused),
  answer("status line: HTTP/2", "Frames.", "\0\0\x12\x04\0\0\0\0\0" + "\0".repeat(18), refused),
  answer("status line: without an end", "Limited.", `HTTP/1.1 200 ${"O".repeat(200_000)}`, refused),
  answer("status line: nothing at all", "Closed without a word.", "", refused, { then: "ends" }),
  answer("status line: reset", "Closed without a word.", "", refused, { then: "resets" }),
  answer("status line: cut", "Closed within the head.", "HTTP/1.1 2", refused, { then: "ends" }),
  answer(
    "head: cut",
    "Closed within the head.",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: ",
    refused,
    { then: "ends" },
  ),
  answer(
    "head: reset",
    "Reset within the head.",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
    refused,
    { then: "resets" },
  ),
];

function badField(name: string, why: string, lines: string): ResponseCase {
  return answer(`field: ${name}`, why, withFields(`Content-Length: 5\r\n${lines}`), refused);
}

const splitting = "A client that reads it otherwise sees another header, or another response.";

const fields: ResponseCase[] = [
  badField("bare LF", splitting, "X: y\nZ: a\r\n"),
  badField("bare CR", splitting, "X: y\rZ: a\r\n"),
  badField("CR CR LF", splitting, "X: y\r\r\n"),
  badField("folded", splitting, "X: y\r\n z\r\n"),
  badField("space before the colon", splitting, "X : y\r\n"),
  badField("space at its beginning", splitting, " X: y\r\n"),
  badField("no colon", splitting, "X\r\n"),
  badField("empty name", splitting, ": y\r\n"),
  badField("NUL in the name", splitting, "X\0: y\r\n"),
  badField("space in the name", splitting, "X Y: z\r\n"),
  badField("NUL in the value", splitting, "X: \0\r\n"),
  badField("control character in the value", splitting, "X: \x1b[2J\r\n"),
  badField("value of many bytes", "Limited.", `X: ${"y".repeat(200_000)}\r\n`),
  badField("fields without number", "Limited.", "X: y\r\n".repeat(3000)),
  answer(
    "field: all line ends bare LF",
    splitting,
    "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    refused,
    { then: "ends" },
  ),
  answer(
    "field: bytes above 127",
    "Opaque, and passed on.",
    withFields("Content-Length: 5\r\nX: \xe9\xff\r\n"),
    whole("hello"),
  ),
];

const ambiguous = "Two readers would see the next response begin at different places.";

function badFraming(name: string, lines: string, after = "hello"): ResponseCase {
  return answer(`framing: ${name}`, ambiguous, withFields(lines, after), refused, { then: "ends" });
}

const chunkedBody = "5\r\nhello\r\n0\r\n\r\n";

const framings: ResponseCase[] = [
  badFraming("two lengths that differ", "Content-Length: 5\r\nContent-Length: 6\r\n"),
  badFraming("two lengths alike", "Content-Length: 5\r\nContent-Length: 5\r\n"),
  badFraming("a list of lengths", "Content-Length: 5, 5\r\n"),
  badFraming("a length with a plus sign", "Content-Length: +5\r\n"),
  badFraming("a negative length", "Content-Length: -5\r\n"),
  badFraming("a length in hexadecimal", "Content-Length: 0x5\r\n"),
  badFraming("a length with a space", "Content-Length: 5 5\r\n"),
  badFraming("an empty length", "Content-Length:\r\n"),
  badFraming("a length of words", "Content-Length: five\r\n"),
  badFraming("a length beyond 64 bits", "Content-Length: 18446744073709551621\r\n"),
  badFraming(
    "length and chunked",
    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    chunkedBody,
  ),
  badFraming(
    "chunked and length",
    "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    chunkedBody,
  ),
  badFraming("chunked twice", "Transfer-Encoding: chunked, chunked\r\n", chunkedBody),
  badFraming("two chunked", "Transfer-Encoding: chunked\r\n".repeat(2), chunkedBody),
  badFraming("unknown coding", "Transfer-Encoding: xchunked\r\n", chunkedBody),
  badFraming("gzip", "Transfer-Encoding: gzip\r\n", "hello"),
  badFraming("chunked, then gzip", "Transfer-Encoding: chunked, gzip\r\n", chunkedBody),
  badFraming("empty coding", "Transfer-Encoding:\r\n", "hello"),
  badFraming("chunked with a vertical tab", "Transfer-Encoding: \x0bchunked\r\n", chunkedBody),
  answer(
    "framing: chunked in HTTP/1.0",
    ambiguous,
    `HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunkedBody}`,
    refused,
    { then: "ends" },
  ),
  answer(
    "framing: Connection names Content-Length",
    "It must not vanish on the way.",
    withFields("Content-Length: 5\r\nConnection: content-length\r\n"),
    whole("hello"),
    { orRefused: true },
  ),
];

const cut = "A response that breaks off must not be taken for whole.";

const bodies: ResponseCase[] = [
  answer("body: counted", "Ordinary.", withFields("Content-Length: 5\r\n"), whole("hello")),
  answer("body: empty", "Ordinary.", withFields("Content-Length: 0\r\n", ""), whole("")),
  answer("body: chunked", "Ordinary.", chunked(chunkedBody), whole("hello")),
  answer(
    "body: chunked with extensions and trailers",
    "Ordinary.",
    chunked("5;a=b\r\nhello\r\n0;c\r\nX-Sum: 1\r\n\r\n"),
    whole("hello"),
  ),
  answer("body: until the end", "As HTTP/1.0 did.", withFields(""), whole("hello"), {
    then: "ends",
  }),
  answer(
    "body: until the end, in HTTP/1.0",
    "As HTTP/1.0 did.",
    "HTTP/1.0 200 OK\r\n\r\nhello",
    whole("hello"),
    { then: "ends" },
  ),
  answer("body: until a reset", cut, withFields(""), broken, { then: "resets" }),
  answer("body: shorter than its length", cut, withFields("Content-Length: 50\r\n"), broken, {
    then: "ends",
  }),
  answer("body: counted, and reset", cut, withFields("Content-Length: 50\r\n"), broken, {
    then: "resets",
  }),
  answer("body: none of a length", cut, withFields("Content-Length: 50\r\n", ""), broken, {
    then: "ends",
  }),
  answer("chunks: end before the last", cut, chunked("5\r\nhello\r\n"), broken, { then: "ends" }),
  answer("chunks: end within one", cut, chunked("9\r\nhello"), broken, { then: "ends" }),
  answer("chunks: end before the final line", cut, chunked("5\r\nhello\r\n0\r\n"), broken, {
    then: "ends",
  }),
  answer("chunks: end within a size", cut, chunked("5\r\nhello\r\n1"), broken, { then: "ends" }),
  answer("chunks: reset between two", cut, chunked("5\r\nhello\r\n"), broken, { then: "resets" }),
  ...(
    [
      ["no size", "\r\nhello\r\n0\r\n\r\n"],
      ["size of letters", "xyz\r\nhello\r\n0\r\n\r\n"],
      ["negative size", "-5\r\nhello\r\n0\r\n\r\n"],
      ["size with a prefix", "0x5\r\nhello\r\n0\r\n\r\n"],
      ["size with a space", "5 \r\nhello\r\n0\r\n\r\n"],
      ["size beyond 64 bits", "10000000000000005\r\nhello\r\n0\r\n\r\n"],
      ["size ended by a bare LF", "5\nhello\r\n0\r\n\r\n"],
      ["data not ended", "5\r\nhello0\r\n\r\n"],
      ["data ended by other bytes", "5\r\nhelloXX0\r\n\r\n"],
      ["data ended by a byte and LF", "5\r\nhelloX\n0\r\n\r\n"],
      ["extension with a bare LF", "5;a\nhello\r\n0\r\n\r\n"],
      ["extension of many bytes", `5;${"a".repeat(100_000)}\r\nhello\r\n0\r\n\r\n`],
      ["bad trailer", "5\r\nhello\r\n0\r\nX : y\r\n\r\n"],
      ["trailer with NUL", "5\r\nhello\r\n0\r\nX: \0\r\n\r\n"],
      ["trailers of many bytes", `5\r\nhello\r\n0\r\nX: ${"y".repeat(200_000)}\r\n\r\n`],
      ["another response for the final line", `5\r\nhello\r\n0\r\n${evil}`],
    ] as const
  ).map(([name, body]) =>
    answer(`chunks: ${name}`, "What follows cannot be told apart.", chunked(body), broken),
  ),
];

const bodiless: ResponseCase[] = [
  answer(
    "no body: HEAD with a length",
    "The length is that of the GET.",
    withFields("Content-Length: 5\r\n", ""),
    whole(""),
    { method: "HEAD" },
  ),
  answer(
    "no body: HEAD with chunked",
    "The coding is that of the GET.",
    withFields("Transfer-Encoding: chunked\r\n", ""),
    whole(""),
    { method: "HEAD" },
  ),
  answer(
    "no body: HEAD, and a body all the same",
    "It would be the answer to the next request.",
    withFields("Content-Length: 4\r\n", evil),
    whole(""),
    { method: "HEAD", surplus: true },
  ),
  answer(
    "no body: 204 with a length",
    "The status decides.",
    "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
    whole("", 204),
  ),
  answer(
    "no body: 204, and a body all the same",
    "It would be the answer to the next request.",
    `HTTP/1.1 204 No Content\r\nContent-Length: ${evil.length}\r\n\r\n${evil}`,
    whole("", 204),
    { surplus: true },
  ),
  answer(
    "no body: 204 in chunks",
    "The same.",
    `HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n${chunkedBody}`,
    whole("", 204),
    { surplus: true },
  ),
  answer(
    "no body: 304 with a length",
    "The status decides; the length is that of what has not changed.",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n",
    whole("", 304),
  ),
  answer(
    "no body: 304, and a body all the same",
    "It would be the answer to the next request.",
    `HTTP/1.1 304 Not Modified\r\nContent-Length: ${evil.length}\r\n\r\n${evil}`,
    whole("", 304),
    { surplus: true },
  ),
];

const surplus = "Bytes nobody asked for must never answer the next request.";

const twice: ResponseCase[] = [
  answer(
    "twice: two responses",
    surplus,
    withFields("Content-Length: 5\r\n") + evil,
    whole("hello"),
    {
      surplus: true,
    },
  ),
  answer("twice: behind chunks", surplus, chunked(chunkedBody) + evil, whole("hello"), {
    surplus: true,
  }),
  answer(
    "twice: more than the length",
    surplus,
    withFields("Content-Length: 4\r\n"),
    whole("hell"),
    {
      surplus: true,
    },
  ),
  answer(
    "twice: a line end too many",
    surplus,
    `${withFields("Content-Length: 5\r\n")}\r\n`,
    whole("hello"),
    {
      surplus: true,
    },
  ),
  answer(
    "twice: an interim response behind it",
    surplus,
    `${withFields("Content-Length: 5\r\n")}HTTP/1.1 100 Continue\r\n\r\n`,
    whole("hello"),
    {
      surplus: true,
    },
  ),
  answer(
    "twice: behind an empty body",
    surplus,
    withFields("Content-Length: 0\r\n", evil),
    whole(""),
    {
      surplus: true,
    },
  ),
  answer(
    "twice: behind Connection: close",
    surplus,
    withFields("Content-Length: 5\r\nConnection: close\r\n") + evil,
    whole("hello"),
    {
      surplus: true,
    },
  ),
];

const interim: ResponseCase[] = [
  answer(
    "interim: 100",
    "Passed on, asked for or not, or read past.",
    `HTTP/1.1 100 Continue\r\n\r\n${withFields("Content-Length: 5\r\n")}`,
    whole("hello"),
    { informational: [100] },
  ),
  answer(
    "interim: 103 twice",
    "Passed on.",
    `${"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n".repeat(2)}${withFields("Content-Length: 5\r\n")}`,
    whole("hello"),
    { informational: [103, 103] },
  ),
  answer(
    "interim: with a length",
    "An interim response has no body, whatever it says.",
    `HTTP/1.1 102 Processing\r\nContent-Length: 5\r\n\r\n${withFields("Content-Length: 5\r\n")}`,
    whole("hello"),
    { informational: [102], orRefused: true },
  ),
  answer(
    "interim: without number",
    "Limited.",
    "HTTP/1.1 102 Processing\r\n\r\n".repeat(500),
    broken,
  ),
  answer(
    "interim: and the end",
    "No final response came.",
    "HTTP/1.1 100 Continue\r\n\r\n",
    broken,
    {
      then: "ends",
    },
  ),
  answer(
    "interim: and a bad one",
    "No final response came.",
    `HTTP/1.1 100 Continue\r\n\r\n${withStatusLine("HTTP/1.1 20 OK")}`,
    broken,
  ),
  answer(
    "interim: 101 that nobody asked for",
    "The connection would become a tunnel past routes and policies.",
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${evil}`,
    refused,
  ),
];

export const responseCorpus: readonly ResponseCase[] = [
  ...statusLines,
  ...fields,
  ...framings,
  ...bodies,
  ...bodiless,
  ...twice,
  ...interim,
];
