/** The server under clients that are not ours. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { FakeExchange } from "../../../test/support/fake-exchange.ts";
import { listenHttp2 } from "../../../test/support/http2-listener.ts";
import { requires } from "../../../test/support/requires.ts";
import { runCommand } from "../../../test/support/run-command.ts";

/** Says how much of a body it got. */
const counting = {
  request(exchange: FakeExchange): void {
    if (!exchange.hasBody) exchange.answer(200, "hello", { "x-one": "1" });
  },
  end: (exchange: FakeExchange): void => exchange.answer(200, `got ${exchange.bodyBytes}`),
};

for (const by of ["handle", "tls"] as const) {
  const scheme = by === "tls" ? "https" : "http";
  const skip = requires("curl", ...(by === "tls" ? ["openssl"] : []));
  test(`http2 server: curl speaks ${scheme} to it`, { skip }, async (t) => {
    const { port } = await listenHttp2(t, { script: counting, by });
    const how = by === "tls" ? ["--http2", "--insecure"] : ["--http2-prior-knowledge"];
    const args = [...how, "--silent", "--write-out", " over HTTP/%{http_version}"];
    const url = `${scheme}://127.0.0.1:${port}/`;
    assert.equal((await runCommand("curl", [...args, url])).stdout, "hello over HTTP/2");
    const body = Buffer.alloc(3_000_000, "x");
    const sent = await runCommand("curl", [...args, "--data-binary", "@-", url], body);
    assert.equal(sent.stdout, "got 3000000 over HTTP/2");
  });
}

test(
  "http2 server: nghttp sees a head, data and a clean end",
  { skip: requires("nghttp") },
  async (t) => {
    const { port } = await listenHttp2(t, { script: counting, by: "handle" });
    const { stdout } = await runCommand("nghttp", ["-v", `http://127.0.0.1:${port}/`]);
    assert.match(stdout, /:status: 200/);
    assert.match(stdout, /x-one: 1/);
    assert.match(stdout, /recv DATA frame <length=5, flags=0x01/);
    assert.doesNotMatch(stdout, /recv RST_STREAM/);
  },
);

for (const [clients, streams] of [
  [1, 100],
  [10, 10],
] as const) {
  test(
    `http2 server: h2load gets all answers over ${clients} connections of ${streams} streams`,
    { skip: requires("h2load") },
    async (t) => {
      const { port, server } = await listenHttp2(t, { script: counting, by: "handle" });
      const args = ["-n", "3000", "-c", String(clients), "-m", String(streams)];
      const { stdout } = await runCommand("h2load", [...args, `http://127.0.0.1:${port}/`]);
      assert.match(stdout, /3000 succeeded, 0 failed, 0 errored, 0 timeout/);
      while (server.sessionCount > 0) await new Promise((resolve) => void setImmediate(resolve));
    },
  );
}

test(
  "http2 server: a client may open the next stream as soon as it has seen the end of one",
  { skip: requires("h2load") },
  async (t) => {
    // Large enough for the socket to be full: responses end while writes are still under way.
    const body = "x".repeat(200_000);
    const { port } = await listenHttp2(t, {
      script: { request: (exchange) => setImmediate(() => exchange.answer(200, body)) },
      by: "handle",
    });
    const args = ["-n", "1500", "-c", "3", "-m", "100", "-w", "24", "-W", "26"];
    const { stdout } = await runCommand("h2load", [...args, `http://127.0.0.1:${port}/`]);
    assert.match(stdout, /1500 succeeded, 0 failed, 0 errored, 0 timeout/);
  },
);
