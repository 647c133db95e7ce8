/** What the gateway asks services itself, over real connections. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Fault } from "../../src/base/faults.ts";
import { upstreamResult } from "../../src/base/metrics/families.ts";
import type { ServiceAnswer } from "../../src/policy/service-call.ts";
import { parseRequestHead } from "../../src/wire/http1/parse-request-head.ts";
import { startHttpService } from "../support/http-service.ts";
import type { SeenRequest } from "../support/http-service.ts";
import { startRawServer } from "../support/raw-server.ts";
import { startCallingProxy } from "../support/service-calls.ts";
import type { CallingProxy } from "../support/service-calls.ts";
import { until } from "../support/until.ts";

const get = { method: "GET", target: "/" };

function seenBy(answer: ServiceAnswer): SeenRequest {
  return JSON.parse(answer.body.toString()) as SeenRequest;
}

async function faultOf(call: Promise<ServiceAnswer>): Promise<string> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof Fault, String(error));
    return error.name;
  }
  throw new Error("was answered");
}

/** Nothing is under way, and nothing is held. */
function assertQuiet({ proxy, snapshot }: CallingProxy): void {
  assert.equal(proxy.exchangeCount, 0);
  assert.equal(snapshot.exchangeCount, 0);
  for (const { balancer } of snapshot.services.values()) {
    for (const target of balancer.targets) assert.equal(target.inFlight(), 0);
  }
}

test("service call: the service sees path, fields and body behind its prefix, and the answer comes whole", async (t) => {
  const service = await startHttpService(t);
  const target = { targets: [service.url], path: "/inner" };
  const proxy = startCallingProxy(t, { users: target });
  const answer = await proxy.calls.call("users", {
    method: "POST",
    target: "/check?a=1",
    headers: [
      ["x-one", "1"],
      ["x-one", "2"],
    ],
    body: Buffer.from("hello"),
  });
  assert.equal(answer.status, 200);
  assert.equal(answer.header("content-type"), "application/json");
  assert.equal(answer.header("x-none"), undefined);
  const seen = seenBy(answer);
  assert.equal(seen.method, "POST");
  assert.equal(seen.url, "/inner/check?a=1");
  assert.equal(seen.bodyBytes, 5);
  const headers = seen.headers.map((pair) => pair.join(": "));
  assert.deepEqual(headers.toSorted(), [
    "content-length: 5",
    `host: 127.0.0.1:${service.port}`,
    "via: 1.1 gateward",
    "x-one: 1",
    "x-one: 2",
  ]);
  assert.deepEqual(proxy.results, [upstreamResult.ok]);
  assertQuiet(proxy);
});

test("service call: one connection carries one call after the other", async (t) => {
  const service = await startHttpService(t);
  const { calls } = startCallingProxy(t, { users: service.url });
  for (let count = 0; count < 3; count++) {
    assert.equal(seenBy(await calls.call("users", get)).connection, 0);
  }
});

test("service call: Host is what the service's `host` says, unless the call names one", async (t) => {
  const service = await startHttpService(t);
  const own = { targets: [service.url], host: "own.example" };
  const { calls } = startCallingProxy(t, { users: own });
  const hostOf = (seen: SeenRequest) => seen.headers.find(([name]) => name === "host")![1];
  assert.equal(hostOf(seenBy(await calls.call("users", get))), "own.example");
  const named = await calls.call("users", { ...get, host: "other.example" });
  assert.equal(hostOf(seenBy(named)), "other.example");
});

test("service call: HTTP/2 and Unix sockets do as well", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "gateward-calls-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const modern = await startHttpService(t, { http2: true });
  const local = await startHttpService(t, { path: join(folder, "service.sock") });
  const { calls } = startCallingProxy(t, {
    modern: { targets: [modern.url], http2: true },
    local: local.url,
  });
  const body = Buffer.from("x".repeat(100_000));
  const sent = { method: "PUT", target: "/", body };
  const first = seenBy(await calls.call("modern", sent));
  assert.equal(first.httpVersion, "2.0");
  assert.equal(first.bodyBytes, body.length);
  const second = seenBy(await calls.call("local", sent));
  assert.equal(second.bodyBytes, body.length);
});

test("service call: HEAD, 204 and 304 have no body; interim answers and trailers are not shown", async (t) => {
  const answers = [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
      "2\r\nab\r\n3\r\ncde\r\n0\r\nX-Trailer: 1\r\n\r\n",
  ];
  const server = await startRawServer(t, async (connection) => {
    for (const answer of answers) {
      await connection.readRequest();
      await connection.send(answer);
    }
  });
  const { calls } = startCallingProxy(t, { users: server.url });
  const head = await calls.call("users", { method: "HEAD", target: "/" });
  assert.equal(head.header("content-length"), "5");
  assert.equal(head.body.length, 0);
  assert.equal((await calls.call("users", get)).status, 204);
  assert.equal((await calls.call("users", get)).status, 304);
  const last = await calls.call("users", get);
  assert.equal(last.body.toString(), "abcde");
  const names: string[] = [];
  last.each((name) => names.push(name));
  assert.deepEqual(names, []);
});

test("service call: lines of one name stay apart, and are joined where one value is asked for", async (t) => {
  const server = await startRawServer(t, async (connection) => {
    await connection.readRequest();
    await connection.send(
      "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSET-COOKIE: b=2\r\nContent-Length: 0\r\n\r\n",
    );
  });
  const { calls } = startCallingProxy(t, { users: server.url });
  const answer = await calls.call("users", get);
  const lines: string[] = [];
  answer.each((name, value) => lines.push(`${name}=${value}`));
  assert.deepEqual(lines, ["set-cookie=a=1", "set-cookie=b=2", "content-length=0"]);
  assert.equal(answer.header("set-cookie"), "a=1, b=2");
});

test("service call: a target that cannot be reached costs a retry, and no answer where it is the only one", async (t) => {
  const service = await startHttpService(t);
  const dead = "http://127.0.0.1:1";
  const proxy = startCallingProxy(t, {
    both: { targets: [dead, service.url], balance: "round-robin" },
    dead,
  });
  for (let count = 0; count < 2; count++) {
    assert.equal((await proxy.calls.call("both", get)).status, 200);
  }
  assert.deepEqual(proxy.results.includes(upstreamResult.connect), true);
  assert.equal(await faultOf(proxy.calls.call("dead", get)), "connect-failed");
  assertQuiet(proxy);
});

test("service call: what is not idempotent is not sent twice", async (t) => {
  const server = await startRawServer(t, async (connection) => {
    await connection.readRequest();
    connection.destroy();
  });
  const { calls } = startCallingProxy(t, {
    users: { targets: [server.url], retry: { attempts: 2 } },
  });
  assert.equal(
    await faultOf(calls.call("users", { method: "POST", target: "/" })),
    "upstream-reset",
  );
  assert.equal(server.connections.length, 1);
});

test("service call: an answer beyond its bytes is a fault, told beforehand or as it comes", async (t) => {
  const told = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world";
  const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n";
  const answers = [told, chunked, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello worl"];
  let count = 0;
  const server = await startRawServer(t, async (connection) => {
    while (count < answers.length) {
      await connection.readRequest();
      await connection.send(answers[count++]!);
    }
  });
  const proxy = startCallingProxy(t, { users: server.url });
  const bounded = { ...get, bytesMax: 10 };
  assert.equal(await faultOf(proxy.calls.call("users", bounded)), "answer-too-large");
  assert.equal(await faultOf(proxy.calls.call("users", bounded)), "answer-too-large");
  assert.equal((await proxy.calls.call("users", bounded)).body.length, 10);
  assertQuiet(proxy);
});

test("service call: nobody waits for a body that is told to be too long, and HEAD has none", async (t) => {
  const server = await startRawServer(t, async (connection) => {
    await connection.readRequest();
    await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n");
  });
  const proxy = startCallingProxy(t, { users: server.url });
  const head = { method: "HEAD", target: "/", bytesMax: 10 };
  assert.equal((await proxy.calls.call("users", head)).header("content-length"), "11");
  server.connections[0]!.reset();
  assert.equal(
    await faultOf(proxy.calls.call("users", { ...get, bytesMax: 10 })),
    "answer-too-large",
  );
  assertQuiet(proxy);
});

test("service call: a service that does not answer, breaks off or talks nonsense is a fault", async (t) => {
  const scripts = ["", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", "nonsense\r\n\r\n"];
  let count = 0;
  const server = await startRawServer(t, async (connection) => {
    const text = scripts[count++]!;
    await connection.readRequest();
    await connection.send(text);
    if (text !== "") connection.end();
  });
  const proxy = startCallingProxy(t, { users: server.url });
  const { calls } = proxy;
  assert.equal(await faultOf(calls.call("users", { ...get, timeoutMs: 50 })), "total-timeout");
  assert.equal(await faultOf(calls.call("users", get)), "response-cut");
  assert.equal(await faultOf(calls.call("users", get)), "upstream-protocol-error");
  assertQuiet(proxy);
});

test("service call: what would change the message's frame is refused, and nothing is sent", async (t) => {
  const service = await startHttpService(t);
  const { calls } = startCallingProxy(t, { users: service.url });
  const wrong = [
    { method: "GET", target: "/ HTTP/1.1\r\nx: y\r\n\r\n" },
    { method: "GET", target: "http://elsewhere/" },
    { method: "GET", target: "/a#b" },
    { method: "G ET", target: "/" },
    { method: "CONNECT", target: "/" },
    { ...get, headers: [["content-length", "3"]] as const },
    { ...get, headers: [["host", "elsewhere"]] as const },
    { ...get, headers: [["transfer-encoding", "chunked"]] as const },
    { ...get, headers: [["x", "a\r\nb: c"]] as const },
    { ...get, headers: [["x y", "a"]] as const },
  ];
  for (const request of wrong) await assert.rejects(calls.call("users", request), TypeError);
  await assert.rejects(calls.call("nobody", get), /no service named "nobody"/);
  assert.equal(service.seen.length, 0);
  assert.equal((await calls.call("users", get)).status, 200);
});

const limits = { headBytesMax: 1000, uriBytesMax: 1000, fieldCountMax: 10 };

/** An exchange with a request's head, on whose behalf a policy may call. */
function beginExchange({ proxy }: CallingProxy, lines = "") {
  const exchange = proxy.acquire();
  const head = Buffer.from(`GET /none HTTP/1.1\r\nhost: a.example\r\n${lines}\r\n`);
  parseRequestHead(head, 0, head.length, exchange.request, limits);
  return exchange;
}

test("service call: it is broken off once the exchange that waits for it is over", async (t) => {
  const server = await startRawServer(t, async (connection) => {
    await connection.readRequest();
  });
  const proxy = startCallingProxy(t, { users: server.url });
  const exchange = beginExchange(proxy);
  const call = faultOf(proxy.calls.call("users", { ...get, within: exchange }));
  await until(() => server.received.length > 0);
  exchange.cancelCalls();
  assert.equal(await call, "client-gone");
  await server.connections[0]!.readEnd();
  assert.deepEqual(proxy.results, [upstreamResult.cancelled]);
  assertQuiet(proxy);
});

test("service call: the way a request has come goes on in Via, so that a circle is noticed", async (t) => {
  const service = await startHttpService(t);
  const proxy = startCallingProxy(t, { users: service.url });
  const exchange = beginExchange(proxy, "via: 1.1 gateward, 1.1 other\r\n");
  const seen = seenBy(await proxy.calls.call("users", { ...get, within: exchange }));
  const via = seen.headers.filter(([name]) => name === "via").map(([, value]) => value);
  assert.equal(via.join(", "), "1.1 gateward, 1.1 other, 1.1 gateward");
});

test("service call: a snapshot that is no longer current stays until its last call is over", async (t) => {
  const server = await startRawServer(t, async (connection) => {
    await connection.readRequest();
    await asked.promise;
    await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  const asked = Promise.withResolvers<void>();
  const proxy = startCallingProxy(t, { users: server.url });
  const next = startCallingProxy(t, { users: server.url });
  const call = proxy.calls.call("users", get);
  let isGone = false;
  proxy.snapshot.onUnused = () => (isGone = true);
  proxy.proxy.swap(next.snapshot);
  assert.equal(isGone, false);
  asked.resolve();
  assert.equal((await call).status, 200);
  assert.equal(isGone, true);
  proxy.calls.close();
  assert.equal(await faultOf(proxy.calls.call("users", get)), "no-target");
});

test("service call: it is tried again as a client's request is, and a POST is not", async (t) => {
  let count = 0;
  const answer = (_: unknown, response: ServerResponse): void => {
    response.statusCode = count++ === 0 ? 503 : 200;
    response.end("answered");
  };
  const services = [await startHttpService(t, { answer }), await startHttpService(t, { answer })];
  const users = { targets: services.map(({ url }) => url), retry: true };
  const proxy = startCallingProxy(t, { users });
  assert.equal((await proxy.calls.call("users", get)).status, 200);
  assert.deepEqual(
    services.map(({ seen }) => seen.length),
    [1, 1],
  );
  count = 0;
  const post = { method: "POST", target: "/", body: Buffer.from("order") };
  assert.equal((await proxy.calls.call("users", post)).status, 503);
  assert.equal(count, 1);
  assertQuiet(proxy);
});

test("service call: a second target is asked beside one that says nothing", async (t) => {
  let count = 0;
  const answer = (_: unknown, response: ServerResponse): void => {
    if (count++ > 0) response.end("second");
  };
  const services = [await startHttpService(t, { answer }), await startHttpService(t, { answer })];
  const users = { targets: services.map(({ url }) => url), hedge: "30ms" };
  const proxy = startCallingProxy(t, { users });
  const { body } = await proxy.calls.call("users", get);
  assert.deepEqual([body.toString(), count], ["second", 2]);
  assertQuiet(proxy);
});
