/** corpus-lines: line ends, field names, field values (RFC 9112, sections 2.2 and 5). */
import { entry, get, getHead, orRefused, passed, refused, smuggled } from "./request-case.ts";
import type { RequestCase, Verdict } from "./request-case.ts";

const plain = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";

function bad(name: string, why: string, bytes: string, verdict: Verdict = refused()): RequestCase {
  return entry(`lines: ${name}`, why, bytes, verdict);
}

const lineEnds: RequestCase[] = [
  bad(
    "all of them bare LF",
    "A recipient may accept bare LF, so two in a row may differ on where the head ends.",
    plain.replaceAll("\r\n", "\n"),
  ),
  bad("bare LF after the request line", "See above.", "GET / HTTP/1.1\nHost: a.test\r\n\r\n"),
  bad("bare LF after a field", "See above.", "GET / HTTP/1.1\r\nHost: a.test\nX: y\r\n\r\n"),
  bad("head ended by LF LF", "See above.", `GET / HTTP/1.1\r\nHost: a.test\n\n${smuggled}`),
  bad("head ended by CRLF LF", "See above.", `GET / HTTP/1.1\r\nHost: a.test\r\n\n${smuggled}`),
  bad("head ended by LF CRLF", "See above.", `GET / HTTP/1.1\r\nHost: a.test\n\r\n${smuggled}`),
  bad("head ended by CR CR", "Nor does CR end anything.", "GET / HTTP/1.1\r\nHost: a.test\r\r"),
  bad("head ended by CRLF CR and a byte", "Half an end.", "GET / HTTP/1.1\r\nHost: a.test\r\n\rX"),
  bad("all of them bare CR", "Old, and no line end.", plain.replaceAll("\r\n", "\r")),
  bad(
    "CR CR LF after the request line",
    "A CR too many.",
    "GET / HTTP/1.1\r\r\nHost: a.test\r\n\r\n",
  ),
  bad("CR CR LF after a field", "A CR too many.", getHead("X: y\r\r\n")),
  bad("LF CR after a field", "Turned round.", getHead("X: y\n\rZ: a\r\n")),
  bad("bare CR in a value", "Some end the line there.", getHead("X: y\rContent-Length: 5\r\n")),
  bad("bare LF in a value", "Most end the line there.", getHead("X: y\nContent-Length: 5\r\n")),
  bad(
    "line separator of Unicode in a value",
    "Bytes above 127 are opaque.",
    getHead("X: y\xe2\x80\xa8Z: a\r\n"),
    passed(get()),
  ),
];

const folds: RequestCase[] = [
  bad(
    "folded value",
    "A proxy must refuse or repair obsolete folding (RFC 9112, 5.2).",
    getHead("X: y\r\n z\r\n"),
  ),
  bad("folded value with a tab", "The same.", getHead("X: y\r\n\tz\r\n")),
  bad("folded value, empty first line", "The same.", getHead("X:\r\n y\r\n")),
  bad("fold of white space only", "To some this ends the head.", getHead("X: y\r\n \r\nZ: a\r\n")),
  bad(
    "first field after white space",
    "Some skip such lines, some take them for a continuation of the request line.",
    "GET / HTTP/1.1\r\n Host: a.test\r\n\r\n",
  ),
  bad(
    "white space line before the first field",
    "The same.",
    "GET / HTTP/1.1\r\n \r\nHost: a.test\r\n\r\n",
  ),
  bad(
    "a field with a folded Host behind it",
    "The Host is part of X's value here.",
    "GET / HTTP/1.1\r\nX: y\r\n Host: a.test\r\n\r\n",
  ),
];

function badName(name: string, line: string): RequestCase {
  const why = "A field name is a token; what else is skipped or trimmed differs between servers.";
  return bad(`name ${name}`, why, getHead(`${line}\r\n`));
}

const names: RequestCase[] = [
  badName("empty", ": y"),
  badName("of a space", " : y"),
  badName("with a space before the colon", "X : y"),
  badName("with a tab before the colon", "X\t: y"),
  badName("with a space within", "X Y: z"),
  badName("with NUL", "X\0: y"),
  badName("with a control character", "X\x01: y"),
  badName("with a vertical tab", "X\x0b: y"),
  badName("with a byte above 127", "X\xe9: y"),
  badName("with UTF-8", "\xc3\xa9: y"),
  badName("with a slash", "X/Y: z"),
  badName("with a parenthesis", "X(: y"),
  badName("with a comma", "X,Y: z"),
  badName("with a semicolon", "X;Y: z"),
  badName("with an at sign", "X@Y: z"),
  badName("in brackets", "[X]: y"),
  badName("in quotes", '"X": y'),
  badName("with a backslash", "X\\Y: z"),
  badName("with an equals sign", "X=Y: z"),
  badName("with DEL", "X\x7f: y"),
  badName("and no colon", "X"),
  badName("and no colon, but a value", "X y"),
  bad(
    "name of many bytes",
    "It counts towards the head's limit.",
    getHead(`${"X".repeat(70_000)}: y\r\n`),
    refused(400, 431),
  ),
  entry(
    "lines: name with every character of a token",
    "All of these are allowed.",
    getHead("!#$%&'*+-.^`|~09azAZ: y\r\n"),
    passed(get("/", { "!#$%&'*+-.^`|~09azaz": "y" })),
  ),
  entry(
    "lines: name with an underscore",
    "A token. Services behind CGI cannot tell it from a hyphen, so it may be dropped.",
    getHead("X_Y: z\r\n"),
    orRefused(passed(get())),
  ),
  entry(
    "lines: underscores for hyphens in what the gateway itself tells services",
    "X_Forwarded_For reaches a CGI service as HTTP_X_FORWARDED_FOR: the client's word for the gateway's.",
    getHead("X_Forwarded_For: 127.0.0.1\r\nX_Real_IP: 127.0.0.1\r\nX-Forwarded_Proto: https\r\n"),
    orRefused(passed({ ...get(), absent: ["x_forwarded_for", "x_real_ip", "x-forwarded_proto"] })),
  ),
  entry(
    "lines: name Host with underscores around it",
    "No known field, whatever it looks like.",
    getHead("_Host_: b.test\r\n"),
    orRefused(passed(get("/", { host: "a.test" }))),
  ),
];

function badValue(name: string, value: string): RequestCase {
  const why = "A field value is visible characters, spaces and tabs (RFC 9110, 5.5).";
  return bad(`value with ${name}`, why, getHead(`X: ${value}\r\n`));
}

const values: RequestCase[] = [
  badValue("NUL", "y\0z"),
  badValue("NUL alone", "\0"),
  badValue("a control character", "y\x01z"),
  badValue("a vertical tab", "y\x0bz"),
  badValue("a form feed", "y\x0cz"),
  badValue("a backspace", "y\x08z"),
  badValue("an escape", "y\x1b[31mz"),
  badValue("DEL", "y\x7fz"),
  entry("lines: value empty", "Allowed.", getHead("X:\r\n"), passed(get("/", { x: "" }))),
  entry("lines: value of spaces", "Empty.", getHead("X: \t \r\n"), passed(get("/", { x: "" }))),
  entry(
    "lines: value with a tab",
    "Allowed.",
    getHead("X: y\tz\r\n"),
    passed(get("/", { x: "y\tz" })),
  ),
  entry(
    "lines: value of a colon",
    "Allowed.",
    getHead("X:: y\r\n"),
    passed(get("/", { x: ": y" })),
  ),
  entry(
    "lines: value with bytes above 127",
    "obs-text is passed on as it is.",
    getHead("X: \xe9\xff\x80\r\n"),
    passed(get("/", { x: "\xe9\xff\x80" })),
  ),
  entry(
    "lines: value without a space before it",
    "Allowed.",
    getHead("X:y\r\n"),
    passed(get("/", { x: "y" })),
  ),
  entry(
    "lines: value with white space around it",
    "It is no part of the value.",
    getHead("X: \t y z\t \r\n"),
    passed(get("/", { x: "y z" })),
  ),
];

const starts: RequestCase[] = [
  bad("LF before the request line", "Only CRLF is to be read past.", `\n${plain}`),
  bad("CR before the request line", "Only CRLF is.", `\r${plain}`),
  bad("space before the request line", "Only CRLF is.", ` ${plain}`),
  bad("NUL before the request line", "Only CRLF is.", `\0${plain}`),
  bad("byte order mark before the request line", "Only CRLF is.", `\xef\xbb\xbf${plain}`),
  bad("field before the request line", "Only CRLF is.", `X: y\r\n${plain}`),
  entry(
    "lines: empty line before the request line",
    "At least one is to be read past (RFC 9112, 2.2).",
    `\r\n${plain}`,
    passed(get()),
  ),
  entry(
    "lines: several empty lines before the request line",
    "Beyond one they may be refused.",
    `\r\n\r\n\r\n${plain}`,
    orRefused(passed(get())),
  ),
  bad(
    "TLS handshake",
    "A client that mistook the port.",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  ),
  bad(
    "SSH greeting",
    "A client that mistook the port.",
    "SSH-2.0-OpenSSH_9.6\r\n",
    refused(400, 408),
  ),
  bad(
    "PROXY protocol where none is expected",
    "It is not for clients to say.",
    `PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n${plain}`,
  ),
];

const limits: RequestCase[] = [
  bad("value of many bytes", "Limited.", getHead(`X: ${"y".repeat(70_000)}\r\n`), refused(431)),
  bad(
    "field without an end",
    "Limited, before its end has come.",
    `GET / HTTP/1.1\r\nHost: a.test\r\nX: ${"y".repeat(100_000)}`,
    refused(431),
  ),
  bad("fields without number", "Limited.", getHead("X: y\r\n".repeat(500)), refused(431)),
  bad(
    "fields without number nor end",
    "Limited, before their end has come.",
    `GET / HTTP/1.1\r\nHost: a.test\r\n${"X: y\r\n".repeat(20_000)}`,
    refused(431),
  ),
];

export const lineCases: readonly RequestCase[] = [
  ...lineEnds,
  ...folds,
  ...names,
  ...values,
  ...starts,
  ...limits,
];
