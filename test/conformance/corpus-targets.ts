/** corpus-targets: request line and Host (RFC 9112, section 3; RFC 9110, section 7.2). */
import {
  entry,
  get,
  orRefused,
  passed,
  passedThenClosed,
  refused,
  smuggled,
  turnedAway,
} from "./request-case.ts";
import type { RequestCase, Verdict } from "./request-case.ts";

/** A request with this request line. */
function line(requestLine: string, host = "Host: a.test\r\n"): string {
  return `${requestLine}\r\n${host}\r\n`;
}

function bad(name: string, requestLine: string, verdict: Verdict = refused()): RequestCase {
  const why = "The request line is method, SP, target, SP, version and nothing else.";
  return entry(`request line: ${name}`, why, line(requestLine), verdict);
}

function good(name: string, why: string, requestLine: string, verdict: Verdict): RequestCase {
  return entry(`request line: ${name}`, why, line(requestLine), verdict);
}

const requestLines: RequestCase[] = [
  bad("two spaces before the target", "GET  / HTTP/1.1"),
  bad("two spaces before the version", "GET /  HTTP/1.1"),
  bad("tab before the target", "GET\t/ HTTP/1.1"),
  bad("tab before the version", "GET /\tHTTP/1.1"),
  bad("vertical tab before the version", "GET /\x0bHTTP/1.1"),
  bad("form feed before the version", "GET /\x0cHTTP/1.1"),
  bad("no-break space before the version", "GET /\xa0HTTP/1.1"),
  bad("space at the end", "GET / HTTP/1.1 "),
  bad("tab at the end", "GET / HTTP/1.1\t"),
  bad("space at the beginning", " GET / HTTP/1.1"),
  bad("two targets", "GET / /smuggled HTTP/1.1"),
  bad("a request line within", "GET / HTTP/1.1 GET /smuggled HTTP/1.1"),
  bad("no target", "GET HTTP/1.1"),
  bad("empty target", "GET  HTTP/1.1"),
  bad("no method", "/ HTTP/1.1"),
  bad("empty method", " / HTTP/1.1"),
  bad("bare CR within", "GET /\r HTTP/1.1"),
  bad("bare LF within", "GET /\n HTTP/1.1"),
  bad("NUL in the target", "GET /\0 HTTP/1.1"),
  bad("control character in the target", "GET /\x01 HTTP/1.1"),
  bad("DEL in the target", "GET /\x7f HTTP/1.1"),
  bad("fragment in the target", "GET /a#b HTTP/1.1"),
  bad("parenthesis in the method", "GE(T / HTTP/1.1"),
  bad("NUL in the method", "GE\0T / HTTP/1.1"),
  bad("byte above 127 in the method", "G\xe9T / HTTP/1.1"),
  bad("colon in the method", "GET: / HTTP/1.1"),
  bad("quotes around the method", '"GET" / HTTP/1.1'),
  bad("method of many bytes", `${"G".repeat(10_000)} / HTTP/1.1`, refused(400, 501, 414, 431)),
  bad("target of many bytes", `GET /${"a".repeat(10_000)} HTTP/1.1`, refused(414)),
  entry(
    "request line: target without an end",
    "Limited, before its end has come.",
    `GET /${"a".repeat(100_000)}`,
    refused(414, 431),
  ),
  good(
    "method in small letters",
    "Methods are case-sensitive: `get` is a method of its own, to be passed on as it is.",
    "get / HTTP/1.1",
    orRefused(passed({ method: "get", target: "/" }), 400, 405, 501),
  ),
  good(
    "method that nobody knows",
    "Methods are open to extension.",
    "FOO / HTTP/1.1",
    passed({ method: "FOO", target: "/" }),
  ),
  good("query", "Ordinary.", "GET /?a=b&c=/d HTTP/1.1", passed(get("/?a=b&c=/d"))),
  good(
    "two question marks",
    "The second is part of the query.",
    "GET /?a?b HTTP/1.1",
    passed(get("/?a?b")),
  ),
  good(
    "characters that no URI has",
    "Browsers send some of them; they change no boundary.",
    'GET /?"<>^`{|} HTTP/1.1',
    orRefused(passed(get('/?"<>^`{|}'))),
  ),
  good(
    "bytes above 127 in the query",
    "Not allowed, often sent.",
    "GET /?\xc3\xa9 HTTP/1.1",
    orRefused(passed(get("/?\xc3\xa9"))),
  ),
  good("encoded NUL", "No path has it.", "GET /%00 HTTP/1.1", turnedAway()),
  good(
    "encoded line break",
    "A service that decodes it into a line must not be fed.",
    "GET /a%0d%0aX:y HTTP/1.1",
    turnedAway(),
  ),
  good(
    "broken percent sign",
    "Servers differ on what it means.",
    "GET /%zz HTTP/1.1",
    turnedAway(),
  ),
  good(
    "dot segments that leave the root",
    "A path below the root.",
    "GET /../../etc HTTP/1.1",
    turnedAway(),
  ),
  good(
    "backslash in the path",
    "Some servers take it for a slash.",
    "GET /a\\..\\b HTTP/1.1",
    turnedAway(),
  ),
];

const versions: RequestCase[] = [
  entry(
    "version: none (HTTP/0.9)",
    "No server sends such answers any more.",
    "GET /\r\n\r\n",
    refused(400, 505),
  ),
  entry("version: none, with fields", "The same.", line("GET /"), refused(400, 505)),
  bad("version 0.9", "GET / HTTP/0.9", refused(400, 505)),
  bad("version 2.0", "GET / HTTP/2.0", refused(400, 505)),
  bad("version 3.0", "GET / HTTP/3.0", refused(400, 505)),
  bad("version 9.9", "GET / HTTP/9.9", refused(400, 505)),
  bad("version without a minor part", "GET / HTTP/1"),
  bad("version without a minor digit", "GET / HTTP/1."),
  bad("version with a leading zero", "GET / HTTP/01.1"),
  bad("version with a leading zero behind the dot", "GET / HTTP/1.01"),
  bad("version of two digits", "GET / HTTP/1.10"),
  bad("version with a comma", "GET / HTTP/1,1"),
  bad("version with a plus sign", "GET / HTTP/+1.1"),
  bad("version with a space", "GET / HTTP/ 1.1"),
  bad("version in small letters", "GET / http/1.1"),
  bad("version of another protocol", "GET / HTTPS/1.1"),
  bad("version with a letter before", "GET / XHTTP/1.1"),
  bad("version with a letter behind", "GET / HTTP/1.1x"),
  bad("version with NUL", "GET / HTTP/1.1\0"),
  bad("version with full-width digits", "GET / HTTP/\xef\xbc\x91.1"),
  good(
    "version 1.2",
    "A higher minor version is to be read as the highest known (RFC 9110, 2.5), or refused.",
    "GET / HTTP/1.2",
    orRefused(passed(get()), 400, 505),
  ),
  entry(
    "version: 1.0",
    "One request a connection, unless it asks to keep it.",
    "GET / HTTP/1.0\r\nHost: a.test\r\n\r\n",
    passedThenClosed(get()),
  ),
  entry(
    "version: 1.0 without a Host",
    "HTTP/1.0 does not ask for one.",
    "GET / HTTP/1.0\r\n\r\n",
    passedThenClosed({ method: "GET", target: "/" }),
  ),
  entry(
    "version: 1.0 with keep-alive",
    "The connection stays if the client says so.",
    "GET / HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n",
    passed(get()),
  ),
  entry(
    "version: 1.0, a request behind it",
    "Without keep-alive the connection ends with the first response.",
    `GET / HTTP/1.0\r\nHost: a.test\r\n\r\n${smuggled}`,
    passedThenClosed(get()),
  ),
];

function hostLines(
  name: string,
  why: string,
  hosts: string,
  verdict: Verdict = refused(),
): RequestCase {
  return entry(`host: ${name}`, why, line("GET / HTTP/1.1", hosts), verdict);
}

function badHost(name: string, value: string): RequestCase {
  const why = "Host is uri-host and an optional port (RFC 9110, 7.2); routing and caches go by it.";
  return hostLines(name, why, `Host: ${value}\r\n`);
}

const hosts: RequestCase[] = [
  hostLines("missing", "An HTTP/1.1 request has one (RFC 9112, 3.2).", ""),
  hostLines(
    "two that differ",
    "The gateway and the service pick different ones.",
    "Host: a.test\r\nHost: b.test\r\n",
  ),
  hostLines("two alike", "Still malformed.", "Host: a.test\r\nHost: a.test\r\n"),
  hostLines(
    "two, in other case",
    "Names are not case-sensitive.",
    "Host: a.test\r\nhOST: b.test\r\n",
  ),
  hostLines("two, one empty", "Still two.", "Host:\r\nHost: a.test\r\n"),
  hostLines("second one folded", "Folding hides it.", "Host: a.test\r\n Host: b.test\r\n"),
  hostLines("space before the colon", "Some servers skip it, some do not.", "Host : a.test\r\n"),
  hostLines(
    "second one with a space before the colon",
    "The same.",
    "Host: a.test\r\nHost : b.test\r\n",
  ),
  hostLines("empty", "It names nothing that could be routed.", "Host:\r\n", refused(400, 404)),
  badHost("list", "a.test, b.test"),
  badHost("two names", "a.test b.test"),
  badHost("user information", "user@a.test"),
  badHost("path", "a.test/b"),
  badHost("query", "a.test?b"),
  badHost("fragment", "a.test#b"),
  badHost("backslash", "a.test\\b"),
  badHost("scheme", "http://a.test"),
  badHost("port of letters", "a.test:http"),
  badHost("port with a sign", "a.test:-80"),
  badHost("port too large", "a.test:99999"),
  badHost("two ports", "a.test:80:90"),
  badHost("port alone", ":80"),
  badHost("bracket not closed", "[::1"),
  badHost("bracket not opened", "::1]"),
  badHost("IPv6 without brackets", "2001:db8::1"),
  badHost("IPv6 with a zone", "[fe80::1%25eth0]"),
  badHost("NUL", "a.test\0"),
  badHost("NUL and another name", "a.test\0.b.test"),
  badHost("control character", "a.test\x01"),
  badHost("byte above 127", "\xe9.test"),
  badHost("quotes", '"a.test"'),
  badHost("angle brackets", "<a.test>"),
  badHost("broken percent sign", "a%.test"),
  hostLines(
    "with a port",
    "Ordinary.",
    "Host: a.test:8080\r\n",
    passed(get("/", { host: "a.test:8080" })),
  ),
  hostLines(
    "IPv6",
    "Ordinary.",
    "Host: [2001:db8::1]:80\r\n",
    passed(get("/", { host: "[2001:db8::1]:80" })),
  ),
  hostLines("in capitals", "Ordinary.", "Host: A.Test\r\n", passed(get())),
  hostLines(
    "with a final dot",
    "The root of the DNS; ordinary.",
    "Host: a.test.\r\n",
    passed(get()),
  ),
];

function absolute(
  name: string,
  why: string,
  target: string,
  verdict: Verdict,
  host = "a.test",
): RequestCase {
  return entry(
    `target: ${name}`,
    why,
    line(`GET ${target} HTTP/1.1`, `Host: ${host}\r\n`),
    verdict,
  );
}

const forms: RequestCase[] = [
  absolute(
    "absolute",
    "The authority of the target is the host.",
    "http://a.test/x",
    passed(get("/x", { host: "a.test" })),
  ),
  absolute(
    "absolute, and Host differs",
    "Host is to be ignored and replaced (RFC 9112, 3.2.2): both servers must go by one of them.",
    "http://b.test/x",
    orRefused(passed(get("/x", { host: "b.test" }))),
  ),
  entry(
    "target: absolute, without a Host",
    "HTTP/1.1 asks for a Host all the same.",
    line("GET http://a.test/ HTTP/1.1", ""),
    refused(),
  ),
  absolute("absolute, empty path", "It is `/`.", "http://a.test", passed(get("/"))),
  absolute("absolute, query without a path", "It is `/?q`.", "http://a.test?q", passed(get("/?q"))),
  absolute(
    "absolute, scheme in capitals",
    "Schemes are not case-sensitive.",
    "HTTP://a.test/",
    passed(get("/")),
  ),
  absolute(
    "absolute, https over plain TCP",
    "May be misdirected (RFC 9110, 7.4); it must not change what is sent on.",
    "https://a.test/x",
    orRefused(passed(get("/x")), 400, 421),
  ),
  absolute(
    "absolute, user information",
    "A trick to show another host.",
    "http://a.test@b.test/",
    refused(),
  ),
  absolute("absolute, no host", "Nothing to route by.", "http:///x", refused()),
  absolute("absolute, one slash", "Not the syntax.", "http:/a.test/", refused()),
  absolute("absolute, no slashes", "Not the syntax.", "http:a.test", refused()),
  absolute("absolute, other scheme", "Not for a gateway.", "ftp://a.test/", refused(400, 421)),
  absolute("absolute, script scheme", "Nor that.", "javascript:alert(1)", refused()),
  absolute("absolute, bad port", "Not a port.", "http://a.test:99999/", refused()),
  absolute(
    "absolute, backslash in the authority",
    "Some read b.test.",
    "http://a.test\\@b.test/",
    refused(),
  ),
  absolute("authority", "For CONNECT only.", "a.test:80", refused()),
  absolute("name", "No form of a target.", "smuggled", refused()),
  absolute("asterisk", "For OPTIONS only.", "*", refused()),
  absolute("question mark", "No path.", "?a", refused()),
  entry(
    "target: CONNECT",
    "A gateway opens no tunnels.",
    "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n",
    refused(400, 403, 405, 501),
  ),
  entry(
    "target: CONNECT with a path",
    "Nor that.",
    "CONNECT / HTTP/1.1\r\nHost: a.test\r\n\r\n",
    refused(400, 403, 405, 501),
  ),
  entry(
    "target: CONNECT with a length",
    "Nor that, and what follows is not a request.",
    `CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\nContent-Length: 5\r\n\r\nhello${smuggled}`,
    refused(400, 403, 405, 501),
  ),
];

export const targetCases: readonly RequestCase[] = [
  ...requestLines,
  ...versions,
  ...hosts,
  ...forms,
];
