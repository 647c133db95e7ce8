/** corpus-length: Content-Length, and Content-Length beside Transfer-Encoding (RFC 9112, 6.2 and 6.3). */
import {
  entry,
  get,
  getHead,
  orRefused,
  passed,
  passedThenRefused,
  post,
  postHead,
  refused,
  smuggled,
} from "./request-case.ts";
import type { RequestCase } from "./request-case.ts";

const chunkedLine = "Transfer-Encoding: chunked\r\n";

function length(value: string, after = "hello"): string {
  return postHead(`Content-Length: ${value}\r\n`, after);
}

/** The value is not `1*DIGIT`; a server that reads a number out of it reads another than the next one. */
function badValue(name: string, value: string, after = "hello"): RequestCase {
  const why = "Content-Length is 1*DIGIT and nothing else (RFC 9110, 8.6).";
  return entry(`content-length: ${name}`, why, length(value, after), refused());
}

const both: RequestCase[] = [
  entry(
    "CL.TE: the service reads to the zero chunk",
    "The classic: a front that goes by the length passes on the prefix of the next request.",
    postHead(`Content-Length: 6\r\n${chunkedLine}`, "0\r\n\r\nG"),
    refused(),
  ),
  entry(
    "CL.TE: a whole request behind the zero chunk",
    "The same, with the second request complete.",
    postHead(`Content-Length: ${5 + smuggled.length}\r\n${chunkedLine}`, `0\r\n\r\n${smuggled}`),
    refused(),
  ),
  entry(
    "TE.CL: a whole request within a chunk",
    "A service that goes by the length takes the chunk's data for the next request.",
    postHead(
      `Content-Length: 4\r\n${chunkedLine}`,
      `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
    ),
    refused(),
  ),
  entry(
    "both, Transfer-Encoding first",
    "The order of the fields makes no difference to which server is confused.",
    postHead(`${chunkedLine}Content-Length: 6\r\n`, "0\r\n\r\nG"),
    refused(),
  ),
  entry(
    "both, and they agree",
    "They agree here, but whether they do cannot be seen from the head.",
    postHead(`Content-Length: 15\r\n${chunkedLine}`, "5\r\nhello\r\n0\r\n\r\n"),
    refused(),
  ),
  entry(
    "both, with a length of 0",
    "CL.0: a service that ignores bodies of length 0 reads the chunks as a request.",
    postHead(`Content-Length: 0\r\n${chunkedLine}`, "0\r\n\r\n"),
    refused(),
  ),
  entry(
    "both, in other case",
    "Field names are not case-sensitive.",
    postHead(`CONTENT-LENGTH: 6\r\ntransfer-encoding: chunked\r\n`, "0\r\n\r\nG"),
    refused(),
  ),
  entry(
    "both, far apart",
    "A server that stops looking after one of them must not be copied.",
    postHead(`Content-Length: 6\r\n${"X-A: b\r\n".repeat(40)}${chunkedLine}`, "0\r\n\r\nG"),
    refused(),
  ),
  entry(
    "both, on a GET",
    "A method that usually has no body changes nothing.",
    getHead(`Content-Length: 6\r\n${chunkedLine}`, "0\r\n\r\nG"),
    refused(),
  ),
];

const doubled: RequestCase[] = [
  entry(
    "content-length: two that differ",
    "The first and the last server in a chain pick different ones.",
    postHead("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"),
    refused(),
  ),
  entry(
    "content-length: two that differ, the larger first",
    "The same the other way round.",
    postHead("Content-Length: 60\r\nContent-Length: 5\r\n", "hello"),
    refused(),
  ),
  entry(
    "content-length: two alike",
    "May be repaired by the standard, but honest clients do not send it.",
    postHead("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"),
    refused(),
  ),
  entry(
    "content-length: a second, empty one",
    "Some read the empty one as 0.",
    postHead("Content-Length: 5\r\nContent-Length:\r\n", "hello"),
    refused(),
  ),
  entry(
    "content-length: a second one of 0",
    "0 and 5 differ.",
    postHead("Content-Length: 5\r\nContent-Length: 0\r\n", "hello"),
    refused(),
  ),
  badValue("a list of two alike", "5, 5"),
  badValue("a list of two that differ", "5, 6", "hello!"),
  badValue("a list with an empty element", "5,"),
  badValue("a list that begins with an empty element", ",5"),
];

const values: RequestCase[] = [
  badValue("empty", "", ""),
  badValue("white space only", " \t ", ""),
  badValue("a plus sign", "+5"),
  badValue("a minus sign", "-5"),
  badValue("minus zero", "-0", ""),
  badValue("hexadecimal", "0x5"),
  badValue("hexadecimal without a prefix", "a", "0123456789"),
  badValue("octal with a prefix", "0o5"),
  badValue("two numbers", "5 5"),
  badValue("a number and a letter", "5b"),
  badValue("a fraction", "5.0"),
  badValue("an exponent", "5e0"),
  badValue("a parameter", "5;a=b"),
  badValue("an underscore, as some languages allow", "1_0", "0123456789"),
  badValue("quotes", '"5"'),
  badValue("words", "five"),
  badValue("NUL after it", "5\0"),
  badValue("vertical tab before it", "\x0b5"),
  badValue("form feed after it", "5\x0c"),
  badValue("no-break space before it", "\xa05"),
  badValue("full-width digit in UTF-8", "\xef\xbc\x95"),
  badValue("superscript in latin1", "\xb2", "he"),
  entry(
    "content-length: more than 64 bits",
    "2^64 + 5 is 5 to a server whose numbers wrap around.",
    length("18446744073709551621"),
    refused(400, 413),
  ),
  entry(
    "content-length: more than 32 bits, were they all",
    "2^32 + 5 must not be 5; a length that large is honest, but then five bytes are not all.",
    length("4294967301"),
    refused(400, 408, 413),
    { ends: true },
  ),
  entry(
    "content-length: thirty digits",
    "No body is that long; the digits only serve to overflow somebody.",
    length("9".repeat(30)),
    refused(400, 413),
  ),
  entry(
    "content-length: leading zeros",
    "1*DIGIT allows them, but some read octal: the value sent on must be read alike by all.",
    length("0000000005"),
    orRefused(passed(post("hello"))),
  ),
  entry(
    "content-length: forty leading zeros",
    "As before, beyond any buffer for digits.",
    length("0".repeat(40) + "5"),
    orRefused(passed(post("hello"))),
  ),
  entry(
    "content-length: spaces and tabs around it",
    "Optional white space is no part of the value (RFC 9110, 5.5).",
    postHead("Content-Length: \t 5 \t\r\n", "hello"),
    passed(post("hello", { "content-length": "5" })),
  ),
  entry(
    "content-length: no space after the colon",
    "Ordinary.",
    postHead("Content-Length:5\r\n", "hello"),
    passed(post("hello", { "content-length": "5" })),
  ),
];

const bodies: RequestCase[] = [
  entry(
    "content-length: a body on GET",
    "Unusual, but it is a body: left unread, it would be the next request.",
    getHead(`Content-Length: ${smuggled.length}\r\n`, smuggled),
    passed({ ...get(), body: smuggled }),
  ),
  entry(
    "content-length: a body on HEAD",
    "The same for a method whose responses have no body.",
    `HEAD / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello`,
    passed({ method: "HEAD", target: "/", body: "hello" }),
  ),
  entry(
    "content-length: a body on OPTIONS",
    "And for one that is often answered early.",
    `OPTIONS / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello`,
    passed({ method: "OPTIONS", target: "/", body: "hello" }),
  ),
  entry(
    "content-length: 0 on GET",
    "Ordinary.",
    getHead("Content-Length: 0\r\n"),
    passed({ ...get(), body: "" }),
  ),
  entry(
    "content-length: a POST without any framing",
    "It has no body (RFC 9112, 6.3): what follows is the next request.",
    `POST / HTTP/1.1\r\nHost: a.test\r\n\r\n${getHead("X-Second: 1\r\n")}`,
    passed(post(""), get("/", { "x-second": "1" })),
  ),
  entry(
    "content-length: garbage behind the body",
    "The bytes past the length are the beginning of another request, and a bad one.",
    length("5", "hello\x01\x02\r\n\r\n"),
    passedThenRefused(post("hello")),
  ),
  entry(
    "content-length: a body that is cut",
    "Less than announced is no request; the service must not take it for one.",
    length("50", "hello"),
    refused(400, 408),
    { ends: true },
  ),
  entry(
    "content-length: written with an underscore",
    "Services behind CGI or WSGI take Content_Length for Content-Length: it must not reach them.",
    getHead("Content_Length: 5\r\n"),
    orRefused(passed({ ...get(), absent: ["content_length", "content-length"] })),
  ),
  entry(
    "content-length: an underscore one beside the real one",
    "The same, with two lengths to choose from.",
    postHead("Content-Length: 5\r\nContent_Length: 50\r\n", "hello"),
    orRefused(passed({ ...post("hello"), absent: ["content_length"] })),
  ),
];

export const lengthCases: readonly RequestCase[] = [...both, ...doubled, ...values, ...bodies];
