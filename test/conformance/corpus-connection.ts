/** corpus-connection: hop-by-hop fields, Upgrade, Expect, pipelining (RFC 9110, 7.6, 7.8 and 10.1.1). */
import {
  entry,
  get,
  getHead,
  orRefused,
  passed,
  passedThenClosed,
  passedThenRefused,
  post,
  postHead,
  refused,
  smuggled,
} from "./request-case.ts";
import type { RequestCase } from "./request-case.ts";

/** Naming an end-to-end field must not make it vanish between the gateway's checks and the service. */
function nominated(name: string, value: string, why: string): RequestCase {
  return entry(
    `connection: names ${name}`,
    why,
    getHead(`${name}: ${value}\r\nConnection: ${name}\r\n`),
    orRefused(passed(get("/", { [name.toLowerCase()]: value }))),
  );
}

const abuse: RequestCase[] = [
  nominated("Cookie", "a=b", "A service would take the client for a stranger, or a cache share."),
  nominated(
    "Authorization",
    "Basic Zm9vOmJhcg==",
    "The gateway checks it, the service never sees it.",
  ),
  entry(
    "connection: names Host",
    "The service would get a request without a Host.",
    getHead("Connection: Host\r\n"),
    orRefused(passed(get("/", { host: "a.test" }))),
  ),
  entry(
    "connection: names Content-Length",
    "The service would see a body without a length: the next request.",
    postHead("Content-Length: 5\r\nConnection: Content-Length\r\n", "hello"),
    orRefused(passed(post("hello"))),
  ),
  entry(
    "connection: names Transfer-Encoding",
    "The service would read the chunks as a request.",
    postHead(
      "Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding\r\n",
      "5\r\nhello\r\n0\r\n\r\n",
    ),
    orRefused(passed(post("hello"))),
  ),
  entry(
    "connection: names Content-Length among others",
    "The same, hidden in a list.",
    postHead("Content-Length: 5\r\nConnection: close, x, CONTENT-LENGTH\r\n", "hello"),
    orRefused(passedThenClosed(post("hello"))),
  ),
  entry(
    "connection: names Host in a second field",
    "The same, hidden in a second one.",
    getHead("Connection: keep-alive\r\nConnection: host\r\n"),
    orRefused(passed(get("/", { host: "a.test" }))),
  ),
  entry(
    "connection: names X-Forwarded-For",
    "What the gateway tells the service is not for the client to remove.",
    getHead("Connection: close, X-Forwarded-For, X-Forwarded-Host\r\n"),
    orRefused(
      passedThenClosed(get("/", { "x-forwarded-for": "127.0.0.1", "x-forwarded-host": "a.test" })),
    ),
  ),
  entry(
    "connection: names Via",
    "Nor that.",
    getHead("Connection: Via\r\n"),
    orRefused(passed(get("/", { via: "1.1 gateward" }))),
  ),
];

const hopByHop: RequestCase[] = [
  entry(
    "connection: names a field",
    "It is for this hop, and is removed with Connection itself.",
    getHead("X-Hop: 1\r\nX-Stays: 2\r\nConnection: X-Hop\r\n"),
    passed({ ...get("/", { "x-stays": "2" }), absent: ["x-hop", "connection"] }),
  ),
  entry(
    "connection: names a field that stands behind it",
    "The order makes no difference.",
    getHead("Connection: , x-hop ,,\r\nX-Hop: 1\r\nX-HOP: 2\r\n"),
    passed({ ...get(), absent: ["x-hop"] }),
  ),
  entry(
    "connection: Keep-Alive and Proxy-Connection",
    "Hop by hop, named or not.",
    getHead("Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\n"),
    passed({ ...get(), absent: ["keep-alive", "proxy-connection"] }),
  ),
  entry(
    "connection: TE",
    "Hop by hop; only `trailers` may be told on.",
    getHead("TE: gzip, trailers\r\nConnection: TE\r\n"),
    passed({ ...get() }),
  ),
  entry(
    "connection: close",
    "Nothing behind it is read (RFC 9112, 9.6).",
    getHead("Connection: close\r\n", smuggled),
    passedThenClosed(get()),
  ),
  entry(
    "connection: keep-alive and close",
    "close wins.",
    getHead("Connection: keep-alive, close\r\n", smuggled),
    passedThenClosed(get()),
  ),
  entry(
    "connection: close in a second field, in capitals",
    "Lists go over several fields.",
    getHead("Connection: keep-alive\r\nConnection: CLOSE\r\n", smuggled),
    passedThenClosed(get()),
  ),
  entry(
    "connection: control character in it",
    "No field value.",
    getHead("Connection: close\x0b\r\n"),
    refused(),
  ),
];

const upgrades: RequestCase[] = [
  entry(
    "upgrade: h2c",
    "Passed on, it opens a tunnel to the service that no route and no policy sees (h2c smuggling).",
    getHead(
      "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
    ),
    orRefused(passed({ ...get(), absent: ["upgrade", "http2-settings"] }), 400, 403, 501),
  ),
  entry(
    "upgrade: h2c in capitals, in a list",
    "The same.",
    getHead("Connection: Upgrade\r\nUpgrade: foo, H2C\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"),
    orRefused(passed({ ...get(), absent: ["http2-settings"] }), 400, 403, 501),
  ),
  entry(
    "upgrade: HTTP/2.0",
    "Another name that some servers take.",
    getHead("Connection: Upgrade\r\nUpgrade: HTTP/2.0\r\n"),
    orRefused(passed({ ...get(), absent: ["upgrade"] }), 400, 403, 501),
  ),
  entry(
    "upgrade: TLS",
    "The service must not begin TLS within the gateway's connection.",
    getHead("Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n"),
    orRefused(passed(get()), 400, 403, 501),
  ),
  entry(
    "upgrade: not named by Connection",
    "Then it is not for this hop, and means nothing.",
    getHead("Upgrade: websocket\r\n"),
    passed({ ...get(), absent: ["upgrade"] }),
  ),
  entry(
    "upgrade: named by Connection, but not there",
    "Means nothing.",
    getHead("Connection: Upgrade\r\n"),
    passed({ ...get(), absent: ["upgrade"] }),
  ),
  entry(
    "upgrade: the service does not switch",
    "Then it is an ordinary response, and the connection goes on as it was.",
    getHead("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 777\r\n"),
    orRefused(passed(get("/", { upgrade: "websocket" })), 400, 403, 501),
  ),
];

const expects: RequestCase[] = [
  entry(
    "expect: 100-continue",
    "The body comes anyway.",
    postHead("Content-Length: 5\r\nExpect: 100-continue\r\n", "hello"),
    passed(post("hello")),
  ),
  entry(
    "expect: 100-continue in capitals",
    "Not case-sensitive.",
    postHead("Content-Length: 5\r\nExpect: 100-CONTINUE\r\n", "hello"),
    passed(post("hello")),
  ),
  entry(
    "expect: 100-continue without a body",
    "Nothing to wait for.",
    getHead("Expect: 100-continue\r\n"),
    passed(get()),
  ),
  entry(
    "expect: in HTTP/1.0",
    "To be ignored (RFC 9110, 10.1.1).",
    `POST / HTTP/1.0\r\nHost: a.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello`,
    passedThenClosed(post("hello")),
  ),
  entry(
    "expect: something else",
    "417, and the body must not be read as a request.",
    postHead(`Content-Length: ${smuggled.length}\r\nExpect: foo\r\n`, smuggled),
    refused(400, 417),
  ),
  entry(
    "expect: a list",
    "One member that is not understood is enough.",
    postHead(`Content-Length: ${smuggled.length}\r\nExpect: 100-continue, foo\r\n`, smuggled),
    refused(400, 417),
  ),
  entry(
    "expect: two of them",
    "As a list.",
    postHead(
      `Content-Length: ${smuggled.length}\r\nExpect: 100-continue\r\nExpect: foo\r\n`,
      smuggled,
    ),
    refused(400, 417),
  ),
  entry(
    "expect: 100-continue with a byte too many",
    "Servers that trim or compare prefixes differ from those that do not.",
    postHead(`Content-Length: ${smuggled.length}\r\nExpect: 100-continuex\r\n`, smuggled),
    refused(400, 417),
  ),
];

const second = getHead("X-Second: 1\r\n");
const seenSecond = get("/", { "x-second": "1" });

const pipelines: RequestCase[] = [
  entry("pipeline: two requests", "In order.", getHead("") + second, passed(get(), seenSecond)),
  entry(
    "pipeline: a counted body between",
    "The body ends where its length says.",
    postHead("Content-Length: 5\r\n", "hello") + second,
    passed(post("hello"), seenSecond),
  ),
  entry(
    "pipeline: a request for a body",
    "A body may look like anything.",
    postHead(`Content-Length: ${smuggled.length}\r\n`, smuggled) + second,
    passed(post(smuggled), seenSecond),
  ),
  entry(
    "pipeline: garbage behind a request",
    "Answered once, refused once.",
    `${getHead("")}\x01\x02\x03\r\n\r\n`,
    passedThenRefused(get()),
  ),
  entry(
    "pipeline: a smuggling attempt behind a request",
    "Every request of a connection is read alike.",
    getHead("") + postHead("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nG"),
    passedThenRefused(get()),
  ),
  entry(
    "pipeline: nothing behind a refusal",
    "After an answer of 400 no byte is read as a request.",
    `GET / HTTP/1.1\r\nHost: a.test\r\nX : y\r\n\r\n${smuggled}`,
    refused(),
  ),
  entry(
    "pipeline: an empty line between requests",
    "Read past, as sent by old clients behind a body.",
    `${postHead("Content-Length: 5\r\n", "hello")}\r\n${second}`,
    passed(post("hello"), seenSecond),
  ),
];

export const connectionCases: readonly RequestCase[] = [
  ...abuse,
  ...hopByHop,
  ...upgrades,
  ...expects,
  ...pipelines,
];
