/** Retries towards services that speak HTTP/2, which says more of what has become of a request. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:http2";
import { before, describe, test } from "node:test";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway, type Gateway } from "../support/gateway.ts";
import {
  DATA,
  END_STREAM,
  GOAWAY,
  HEADERS,
  uint32,
  type FramePeer,
} from "../support/http2-frames.ts";
import { serveFrames } from "../support/http2-service.ts";
import { metricValue } from "../support/metric-value.ts";
import { until } from "../support/until.ts";

const INTERNAL_ERROR = 2;
const REFUSED_STREAM = 7;
const CANCEL = 8;

type Script = (peer: FramePeer, id: number) => void;

const shared = fileCleanup();
const answer =
  (status: string): Script =>
  (peer, id) => {
    peer.sendHead(id, [[":status", status]], 0);
    peer.sendData(id, status === "200" ? "again" : "busy", END_STREAM);
  };

const failures: Record<string, Script> = {
  REFUSED_STREAM: (peer, id) => peer.sendReset(id, REFUSED_STREAM),
  "GOAWAY before it": (peer, id) =>
    peer.send(GOAWAY, 0, 0, Buffer.concat([uint32(id - 1), uint32(0)])),
  "a reset stream": (peer, id) => peer.sendReset(id, INTERNAL_ERROR),
  "a lost connection": (peer) => void peer.socket.destroy(),
  "503": answer("503"),
};
const NOT_BEGUN = ["REFUSED_STREAM", "GOAWAY before it"];

describe("retries over HTTP/2", () => {
  let gateway: Gateway;
  /** What the next request meets; those after it are answered. */
  let next: Script | null = null;
  let requests = 0;

  const serve = async (peer: FramePeer): Promise<void> => {
    for (let id = 1; ; id += 2) {
      const head = await peer.frame(HEADERS, id);
      // The whole request, so that there is something to be sent again.
      if ((head.flags & END_STREAM) === 0) await peer.frame(DATA, id);
      requests++;
      const script = next ?? answer("200");
      next = null;
      script(peer, id);
    }
  };

  before(async () => {
    const listen = () => serveFrames(shared, (peer) => void serve(peer).catch(() => {}));
    const targets = [await listen(), await listen()].map((port) => `http://127.0.0.1:${port}`);
    gateway = await startGateway(shared, {
      listen: { http2: true },
      services: { s: { targets, http2: true, retry: true } },
      routes: [{ match: "/*", service: "s" }],
    });
  });

  /** The client speaks HTTP/2 as well. */
  const ask = async (method: string, body: string): Promise<[number, string]> => {
    const session = connect(gateway.url);
    try {
      const stream = session.request({ ":method": method, ":path": "/a" });
      stream.setEncoding("utf8").end(body);
      const [head] = (await once(stream, "response")) as [{ ":status": number }];
      let text = "";
      for await (const piece of stream) text += piece;
      return [head[":status"], text];
    } finally {
      session.destroy();
    }
  };

  for (const [name, failure] of Object.entries(failures)) {
    const isBegun = !NOT_BEGUN.includes(name);
    test(`retry: after ${name} a PUT is sent again, a POST ${isBegun ? "is not" : "as well"}`, async () => {
      for (const method of ["PUT", "POST"]) {
        requests = 0;
        next = failure;
        const [status, body] = await ask(method, "order");
        const isRepeated = method === "PUT" || !isBegun;
        assert.equal(requests, isRepeated ? 2 : 1, method);
        if (isRepeated) assert.deepEqual([status, body], [200, "again"]);
        else assert.equal(status, name === "503" ? 503 : 502);
      }
    });
  }

  test("retry: the metrics tell why", async () => {
    // A kept connection that was lost counts as one that refused the request.
    const count = (reason: string) =>
      metricValue(gateway, "gateward_retries_total", { service: "s", reason });
    assert.deepEqual(
      [await count("refused"), await count("reset"), await count("status")],
      [5, 1, 1],
    );
    assert.equal(await metricValue(gateway, "gateward_in_flight_requests"), 0);
  });

  test("retry: a client that resets its stream during the wait before a retry ends it at once", async () => {
    next = (peer, id) => {
      const fields: [string, string][] = [
        [":status", "503"],
        ["retry-after", "2"],
      ];
      peer.sendHead(id, fields, 0);
      peer.sendData(id, "busy", END_STREAM);
    };
    const requestsBefore = requests;
    const labels = { service: "s", result: "server_error" };
    const failed = async (): Promise<number> =>
      await metricValue(gateway, "gateward_upstream_requests_total", labels);
    const failedBefore = await failed();
    const session = connect(gateway.url);
    try {
      const stream = session.request({ ":path": "/a" });
      await until(async () => (await failed()) > failedBefore);
      stream.close(CANCEL);
      await until(async () => (await metricValue(gateway, "gateward_in_flight_requests")) === 0);
      // Were it not over, it would be under way until it has been sent again.
      assert.equal(requests, requestsBefore + 1);
    } finally {
      session.destroy();
    }
  });
});
