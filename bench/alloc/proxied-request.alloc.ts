/**
 * What a proxied request may cost: bytes on the heap, writes, promises. A number here is raised only
 * with its reason in the same change.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import v8 from "node:v8";
import type { TestDocument } from "../../src/testing/test-document.ts";
import { bytesPerRun } from "./measure.ts";
import { createMemoryGateway } from "./proxied-request.ts";

const document: TestDocument = {
  services: { users: "http://127.0.0.1:1" },
  routes: [
    { match: "GET /api/v1/users/:id", service: "users" },
    { match: "POST /api/v1/users", service: "users" },
  ],
};
const get = Buffer.from(
  "GET /api/v1/users/123 HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n",
);
const post = Buffer.from(
  "POST /api/v1/users HTTP/1.1\r\nHost: api.example.com\r\nContent-Type: application/json\r\n" +
    'Content-Length: 14\r\n\r\n{"name":"Ada"}',
);
const response = Buffer.from(
  "HTTP/1.1 200 OK\r\nServer: x\r\nDate: Sat, 21 Nov 2026 09:31:58 GMT\r\nContent-Type: application/json\r\n" +
    'Content-Length: 28\r\nConnection: keep-alive\r\n\r\n{"id":123,"name":"Lovelace"}',
);

test("a GET: allocates the text of its two heads and little else", async () => {
  const gateway = await createMemoryGateway(document);
  assert.match(gateway.exchange(get, response), /^HTTP\/1\.1 200 OK\r\n[^]*Lovelace/);
  const bytes = bytesPerRun(() => gateway.exchange(get, response));
  assert.match(gateway.exchange(get, response), /^HTTP\/1\.1 200 OK/);
  // Measured 690: the texts of both heads, what is written as ropes of their slices, boxed times.
  assert.ok(bytes < 800, `${bytes} bytes a request`);
});

test("a POST with its body: allocates as little", async () => {
  const gateway = await createMemoryGateway(document);
  assert.match(gateway.exchange(post, response), /^HTTP\/1\.1 200 OK/);
  const bytes = bytesPerRun(() => gateway.exchange(post, response));
  assert.ok(bytes < 900, `${bytes} bytes a request`);
});

test("a small request: is one write to the service and one to the client", async () => {
  const gateway = await createMemoryGateway(document);
  for (const request of [get, post]) {
    gateway.client.writeCount = 0;
    gateway.service.writeCount = 0;
    gateway.exchange(request, response);
    assert.deepEqual([gateway.service.writeCount, gateway.client.writeCount], [1, 1]);
  }
});

test("a chunked response that came whole: leaves in one write too", async () => {
  const gateway = await createMemoryGateway(document);
  const chunked = Buffer.from(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
  );
  gateway.client.writeCount = 0;
  assert.match(gateway.exchange(get, chunked), /5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n$/);
  assert.equal(gateway.client.writeCount, 1);
});

test("a plain request: makes no promise", async () => {
  const gateway = await createMemoryGateway(document);
  gateway.exchange(get, response);
  let promises = 0;
  const stop = v8.promiseHooks.onInit(() => promises++);
  for (let count = 0; count < 100; count++) gateway.exchange(get, response);
  stop();
  assert.equal(promises, 0);
});
