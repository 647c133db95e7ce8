import assert from "node:assert/strict";
import { test } from "node:test";
import { httpStatusOf, nameOfGrpcStatus, NO_GRPC_STATUS, readGrpcStatus } from "./grpc-status.ts";

const read = (text?: string): number => readGrpcStatus({ get: () => text });

test("gRPC status: what is none is unknown, and nothing is nothing", () => {
  assert.equal(read(), NO_GRPC_STATUS);
  for (const status of [0, 14, 16]) assert.equal(read(String(status)), status);
  for (const text of ["", "-1", "17", "1.5", "ok", "1e99"]) assert.equal(read(text), 2, text);
});

test("gRPC status: guards are told what Envoy tells, but for methods that a service does not know", () => {
  const failed: string[] = [];
  for (let status = 0; status <= 16; status++) {
    if (httpStatusOf(status) >= 500)
      failed.push(`${httpStatusOf(status)} ${nameOfGrpcStatus(status)}`);
  }
  assert.deepEqual(failed, [
    "500 unknown",
    "504 deadline-exceeded",
    "500 internal",
    "503 unavailable",
    "500 data-loss",
  ]);
});
