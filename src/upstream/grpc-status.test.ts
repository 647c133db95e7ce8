import assert from "node:assert/strict";
import { test } from "node:test";
import { nameOfGrpcStatus, NO_GRPC_STATUS, readGrpcStatus, toldStatusOf } from "./grpc-status.ts";

const nothing = { get: () => undefined };
const read = (text?: string): number => readGrpcStatus({ get: () => text });

test("gRPC status: what is none is unknown, and nothing is nothing", () => {
  assert.equal(read(), NO_GRPC_STATUS);
  for (const status of [0, 14, 16]) assert.equal(read(String(status)), status);
  for (const text of ["", "-1", "17", "1.5", "ok", "1e99"]) assert.equal(read(text), 2, text);
});

test("gRPC status: guards are told what Envoy tells, but for methods that a service does not know", () => {
  const failed: string[] = [];
  for (let status = 0; status <= 16; status++) {
    const told = toldStatusOf(200, status, nothing);
    if (told >= 500) failed.push(`${told} ${nameOfGrpcStatus(status)}`);
  }
  assert.deepEqual(failed, [
    "500 unknown",
    "504 deadline-exceeded",
    "500 internal",
    "503 unavailable",
    "500 data-loss",
  ]);
});

test("gRPC status: time that a client has set itself is not held against a target", () => {
  const hurried = { get: (name: string) => (name === "grpc-timeout" ? "1n" : undefined) };
  assert.equal(toldStatusOf(200, 4, hurried), 200);
  assert.equal(toldStatusOf(200, 14, hurried), 503);
  assert.equal(toldStatusOf(200, 4, nothing), 504);
});

test("gRPC status: of HTTP's own failures it says nothing, and without one HTTP's counts", () => {
  assert.equal(toldStatusOf(502, 0, nothing), 502);
  assert.equal(toldStatusOf(200, NO_GRPC_STATUS, nothing), 200);
});
