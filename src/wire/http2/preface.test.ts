import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeExchanges } from "../../../test/support/fake-exchange.ts";
import { serverContext } from "../../../test/support/server-context.ts";
import { Http1ServerConnection } from "../http1/server-connection.ts";
import type { Transport } from "../transport.ts";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** What is handed over of bytes that are read in these pieces. */
function handedOver(pieces: readonly Buffer[]): string {
  const exchanges = new FakeExchanges();
  const transport = { listener: null, resume() {}, pause() {}, congested: false };
  let given = "";
  const owner = {
    onHttp2Preface(_connection: unknown, _transport: Transport, bytes: Buffer): void {
      given += bytes.toString("latin1");
    },
    onConnectionClosed() {},
  };
  const connection = new Http1ServerConnection(
    transport as unknown as Transport,
    serverContext(exchanges),
    owner,
    "192.0.2.1",
    1,
    null,
  );
  for (const piece of pieces) {
    // Once it is handed over the connection hears no more.
    if (given === "") connection.onData(piece, 0, piece.length);
    else given += piece.toString("latin1");
  }
  assert.equal(exchanges.all.length, 0);
  return given;
}

test("http2 preface: is handed over with all that came after it, wherever the reads are split", () => {
  const bytes = Buffer.from(`${PREFACE}frames`, "latin1");
  for (let first = 1; first < bytes.length; first++) {
    for (let second = first + 1; second <= bytes.length; second++) {
      const pieces = [
        bytes.subarray(0, first),
        bytes.subarray(first, second),
        bytes.subarray(second),
      ].filter(({ length }) => length > 0);
      assert.equal(handedOver(pieces), bytes.toString("latin1"), `split at ${first} and ${second}`);
    }
  }
});
