import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { testCertificates } from "./certificates.ts";
import { startHttpService } from "./http-service.ts";
import { rawConnect } from "./raw-client.ts";
import { headerValue, readRequest, readResponse } from "./raw-message.ts";
import { answering, plainResponse, startRawServer } from "./raw-server.ts";
import { requires } from "./requires.ts";

test("raw messages: a message is there once its last byte is", () => {
  const requests = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nT: 1\r\n\r\n",
  ];
  for (const text of requests) {
    const bytes = Buffer.from(text);
    for (let end = 0; end < bytes.length; end++) {
      assert.equal(readRequest(bytes.subarray(0, end)), undefined);
    }
    const followed = Buffer.concat([bytes, Buffer.from("next")]);
    assert.equal(readRequest(followed)?.raw.length, bytes.length);
  }
  const chunked = readRequest(Buffer.from(requests[2]!));
  assert.equal(String(chunked?.body), "abc");
  assert.deepEqual(chunked?.trailers, ["T: 1"]);
});

test("raw messages: how long a response is depends on status, method and the connection's end", () => {
  const bytes = (text: string) => Buffer.from(text);
  const untilClose = bytes("HTTP/1.1 200 OK\r\n\r\nabc");
  assert.equal(readResponse(untilClose), undefined);
  assert.equal(String(readResponse(untilClose, { ended: true })?.body), "abc");
  const counted = bytes("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
  assert.equal(readResponse(counted), undefined);
  assert.equal(readResponse(counted, { responseTo: "HEAD" })?.status, 200);
  assert.equal(readResponse(bytes("HTTP/1.1 100 Continue\r\n\r\n"))?.status, 100);
  assert.equal(readResponse(bytes("HTTP/1.1 304 Not\r\nContent-Length: 9\r\n\r\n"))?.status, 304);
});

test("raw server: answers by its script and records what came", async (t) => {
  const server = await startRawServer(t, answering(plainResponse("one"), plainResponse("two")));
  const client = await rawConnect(t, server.port);
  await client.sendCut("GET /a HTTP/1.1\r\nHost: a\r\n\r\n", 3, 9);
  assert.equal(String((await client.readResponse()).body), "one");
  await client.trickle("GET /b HTTP/1.1\r\n\r\n");
  assert.equal(String((await client.readResponse()).body), "two");
  assert.match(String(server.received), /^GET \/a .*GET \/b /s);
  assert.equal(server.connections.length, 1);
});

test("raw server: FIN and RST look different to the peer", async (t) => {
  const server = await startRawServer(t, async (connection, index) => {
    await connection.readUntil("\n");
    await connection.send("partial");
    if (index === 0) connection.end();
    else connection.reset();
  });
  for (const how of ["end", "reset"]) {
    const client = await rawConnect(t, server.port);
    await client.send("go\n");
    assert.equal(await client.readEnd(), how);
  }
});

test("raw client: half-closed, it still reads the answer", async (t) => {
  const server = await startRawServer(t, async (connection) => {
    await connection.readEnd();
    await connection.send(plainResponse(`got ${connection.received.length}`));
    connection.end();
  });
  const client = await rawConnect(t, server.port);
  await client.send("12345");
  client.end();
  assert.equal(String((await client.readResponse()).body), "got 5");
});

test("raw client: a wait that fails tells what had come", async (t) => {
  const server = await startRawServer(t, async (connection) => {
    await connection.send("HTTP/1.1 2");
    connection.end();
  });
  const client = await rawConnect(t, server.port);
  await assert.rejects(client.readResponse(), /ended \(end\) while waiting.*HTTP\/1\.1 2/);
});

test(
  "http service: tells what it saw, each kind alike",
  { skip: requires("openssl") },
  async (t) => {
    const { localhostEcdsa, ca } = testCertificates();
    const kinds = [{}, { tls: localhostEcdsa }];
    for (const kind of kinds) {
      const service = await startHttpService(t, { name: "users", ...kind });
      const target = { port: service.port, ...("tls" in kind ? { tls: { ca: ca.cert } } : {}) };
      const client = await rawConnect(t, target);
      const head = "POST /x?y HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 3\r\n\r\n";
      await client.send(`${head}abc`);
      const response = await client.readResponse();
      assert.equal(headerValue(response, "content-type"), "application/json");
      const seen = JSON.parse(String(response.body));
      assert.equal(seen.service, "users");
      assert.equal(seen.method, "POST");
      assert.equal(seen.url, "/x?y");
      assert.equal(seen.connection, 0);
      assert.equal(seen.bodyHash, createHash("sha256").update("abc").digest("hex"));
      const doubled = seen.headers.filter(([name]: [string]) => name === "x-a");
      assert.deepEqual(doubled, [
        ["x-a", "1"],
        ["x-a", "2"],
      ]);
    }
  },
);
