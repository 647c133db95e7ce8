import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { FakeExchange } from "../../../test/support/fake-exchange.ts";
import { FakePoolClient } from "../../../test/support/fake-pool-client.ts";
import { answerOf, connectHttp2, listenHttp2 } from "../../../test/support/http2-listener.ts";
import { poolFor, serveHttp2 } from "../../../test/support/http2-service.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const STREAMS = 10_000;
const AT_ONCE = 50;

/** How many of the objects are still there once everything that can go has gone. */
async function survivors(objects: readonly WeakRef<object>[]): Promise<number> {
  let count = objects.length;
  for (let round = 0; round < 10 && count > 0; round++) {
    await new Promise((resolve) => void setImmediate(resolve));
    collect();
    count = objects.filter((object) => object.deref() !== undefined).length;
  }
  return count;
}

/** What a request does: is answered, breaks off on either side, or is answered early. */
const ways = ["/plain", "/body", "/early", "/abort", "/leave"] as const;

test(`http2 server: ${STREAMS} streams that end in all kinds of ways leave nothing behind`, async (t) => {
  const streams: WeakRef<object>[] = [];
  const { port, exchanges, server, sockets } = await listenHttp2(t, {
    settings: { resetStreamsMax: STREAMS },
    script: {
      request(exchange) {
        streams.push(new WeakRef(exchange.stream));
        const path = exchange.request.target;
        if (path === "/plain") exchange.answer(200, "hello");
        else if (path === "/early") exchange.answer(413, "x".repeat(20_000));
        else if (path === "/abort") {
          exchange.sendHead(200, {});
          exchange.stream.abort();
        }
      },
      end: (exchange: FakeExchange) => {
        if (exchange.request.target === "/body") exchange.answer(200, "hello");
      },
    },
  });
  const session = connectHttp2(t, port);
  const resources = process.getActiveResourcesInfo().length;
  for (let sent = 0; sent < STREAMS; sent += AT_ONCE) {
    await Promise.all(
      Array.from({ length: AT_ONCE }, async (_, at) => {
        const path = ways[at % ways.length]!;
        const endStream = path === "/plain" || path === "/abort";
        const stream = session.request({ ":method": "POST", ":path": path }, { endStream });
        const answered = answerOf(stream);
        if (path === "/body") stream.end("some body");
        if (path === "/early") stream.write("some");
        if (path === "/leave") setImmediate(() => stream.close(8));
        await answered;
      }),
    );
    exchanges.all.length = 0;
  }
  assert.ok(streams.length > STREAMS * 0.8);
  assert.ok((await survivors(streams)) < 100, "streams are kept");
  assert.ok(process.getActiveResourcesInfo().length <= resources + 2);
  const closed = once(sockets[0]!, "close");
  session.close();
  await closed;
  assert.equal(server.sessionCount, 0);
});

test(`http2 pool: ${STREAMS} streams that end in all kinds of ways leave nothing behind`, async (t) => {
  const { port } = await serveHttp2(
    t,
    (stream, raw) => {
      const path = raw[raw.indexOf(":path") + 1];
      if (path === "/abort") stream.close(2);
      else if (path !== "/leave") {
        stream.respond();
        stream.end("hello");
        stream.resume();
      }
    },
    { streamResetBurst: STREAMS, streamResetRate: STREAMS },
  );
  const pool = poolFor(t, port);
  const streams: WeakRef<object>[] = [];
  for (let sent = 0; sent < STREAMS; sent += AT_ONCE) {
    await Promise.all(
      Array.from({ length: AT_ONCE }, async (_, at) => {
        const path = ways[at % ways.length]!;
        const client = new FakePoolClient({ head: `GET ${path} HTTP/1.1\r\nHost: a` }).start(pool);
        await client.when("stream");
        streams.push(new WeakRef(client.stream!));
        if (path === "/leave") setImmediate(() => client.stream!.abort(client));
        else await client.when("over");
      }),
    );
  }
  assert.ok((await survivors(streams)) < 100, "streams are kept");
  while (pool.idleCount === 0) await new Promise((resolve) => void setImmediate(resolve));
  assert.equal(pool.openCount, 1);
  pool.dispose();
  while (pool.openCount > 0) await new Promise((resolve) => void setImmediate(resolve));
});
