/** HTTP/2 connections when the gateway changes or ends: what is under way is finished, nothing is lost. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import http2, { constants } from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { beforeEach, describe, test } from "node:test";
import type { TestContext } from "node:test";
import { testCertificates } from "../support/certificates.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { DATA, END_STREAM, GOAWAY, requestHead } from "../support/http2-frames.ts";
import { answerOf, connectFrames, connectHttp2 } from "../support/http2-listener.ts";
import { metricValue } from "../support/metric-value.ts";
import { requires } from "../support/requires.ts";

const shared = fileCleanup();
/** A little more than a client of node:http2 takes at first, 64 kB. */
const largeBytes = 75_000;
const NO_ERROR = constants.NGHTTP2_NO_ERROR;

describe("HTTP/2 draining", { skip: requires("openssl") }, () => {
  /** Responses that wait until the test finishes them. */
  let waiting: ServerResponse[] = [];
  let arrived: () => void = () => {};
  let url = "";

  beforeEach(async () => {
    waiting = [];
    if (url !== "") return;
    const server = createServer((request, response) => {
      if (request.url !== "/wait") {
        response.end("x".repeat(largeBytes));
        return;
      }
      response.write("begun ");
      waiting.push(response);
      arrived();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    shared.after(() => {
      server.closeAllConnections();
      server.close();
    });
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  /** With a plain listener, one with TLS, and one that no test removes. */
  async function start(t: TestContext, workers = 1): Promise<Gateway> {
    const { certFile: cert, keyFile: key } = testCertificates().localhostEcdsa;
    return await startGateway(t, {
      workers,
      listen: [{}, { tls: { cert, key } }, {}],
      services: { service: url },
      routes: [
        { match: "/*", service: "service" },
        { match: "GET /hello", respond: { body: "hello" } },
      ],
      timeouts: { shutdown: "5s" },
    });
  }

  async function open(
    t: TestContext,
    gateway: Gateway,
    secure: boolean,
  ): Promise<ClientHttp2Session> {
    const session = secure
      ? http2.connect(`https://localhost:${gateway.ports[1]}`, { ca: testCertificates().ca.cert })
      : http2.connect(gateway.url);
    session.on("error", () => {});
    t.after(() => session.destroy());
    await once(session, "remoteSettings");
    return session;
  }

  type Answer = Awaited<ReturnType<typeof answerOf>>;

  /** Sends a request and waits until it has reached the service, where it waits. */
  async function begin(session: ClientHttp2Session): Promise<{ answer: Promise<Answer> }> {
    const reached = new Promise<void>((resolve) => (arrived = resolve));
    const answer = answerOf(session.request({ ":path": "/wait" }));
    await reached;
    return { answer };
  }

  function assertWhole({ status, body, code }: Answer): void {
    assert.deepEqual([status, body, code], [200, "begun done", NO_ERROR]);
  }

  for (const secure of [false, true]) {
    const how = secure ? "over TLS" : "in clear text";

    test(`reload, ${how}: a listener that goes lets its streams finish, and takes no more`, async (t) => {
      const gateway = await start(t);
      const session = await open(t, gateway, secure);
      const { answer } = await begin(session);
      const goaway = once(session, "goaway") as Promise<[number]>;
      const closed = once(session, "close");
      const rest = { host: "127.0.0.1", port: gateway.ports[2] };
      assert.equal(await gateway.reload({ listen: [rest] }), "applied");
      assert.equal((await goaway)[0], NO_ERROR);
      await assert.rejects(once(http2.connect(gateway.url), "connect"), { code: "ECONNREFUSED" });
      waiting[0]!.end("done");
      assertWhole(await answer);
      await closed;
      const other = connectHttp2(t, gateway.ports[2]!);
      assert.equal((await answerOf(other.request({ ":path": "/hello" }))).body, "hello");
    });

    test(`end, ${how}: SIGTERM lets streams finish and closes idle connections at once`, async (t) => {
      const gateway = await start(t, 2);
      const session = await open(t, gateway, secure);
      const idle = await open(t, gateway, secure);
      const { answer } = await begin(session);
      const idleClosed = once(idle, "close");
      gateway.child.kill("SIGTERM");
      await idleClosed;
      assert.equal(gateway.child.exitCode, null);
      waiting[0]!.end("done");
      assertWhole(await answer);
      assert.deepEqual(await gateway.exited, { code: 0, signal: null });
    });
  }

  test("end: SIGTERM waits until a slow client has taken what is left of a response", async (t) => {
    const gateway = await start(t);
    const session = await open(t, gateway, false);
    const stream = session.request({ ":path": "/larger-than-a-window" });
    await once(stream, "response");
    // For the gateway's exchange all is done by now: only the client's window holds the end back.
    await gateway.poll(5000, "idle", async () =>
      (await metricValue(gateway, "gateward_in_flight_requests")) === 0 ? true : undefined,
    );
    const goaway = once(session, "goaway");
    gateway.child.kill("SIGTERM");
    await goaway;
    assert.equal((await answerOf(stream)).body.length, largeBytes);
    assert.deepEqual(await gateway.exited, { code: 0, signal: null });
  });

  test("reload: a listener that stays keeps its connections, for new routes as well", async (t) => {
    const gateway = await start(t);
    const session = await open(t, gateway, false);
    let goaways = 0;
    session.on("goaway", () => goaways++);
    const { answer } = await begin(session);
    const routes = [{ match: "/*", respond: { body: "new" } }];
    assert.equal(await gateway.reload({ routes, limits: { streams: 7 } }), "applied");
    assert.equal((await answerOf(session.request({ ":path": "/hello" }))).body, "new");
    waiting[0]!.end("done");
    assertWhole(await answer);
    assert.equal(goaways, 0);
  });

  test("reload: what a client sends before it knows of the goodbye is told to be safe to repeat", async (t) => {
    const gateway = await start(t);
    const peer = await connectFrames(t, gateway.port);
    const reached = new Promise<void>((resolve) => (arrived = resolve));
    peer.sendHead(1, requestHead("GET", "/wait"), END_STREAM);
    await reached;
    const rest = { host: "127.0.0.1", port: gateway.ports[2] };
    assert.equal(await gateway.reload({ listen: [rest] }), "applied");
    peer.sendHead(3, requestHead("GET", "/wait"), END_STREAM);
    const { payload } = await peer.frame(GOAWAY);
    assert.deepEqual([payload.readUInt32BE(0), payload.readUInt32BE(4)], [1, NO_ERROR]);
    waiting[0]!.end("done");
    await peer.closed();
    const pieces = peer.frames.filter(({ type, id }) => type === DATA && id === 1);
    assert.equal(Buffer.concat(pieces.map((frame) => frame.payload)).toString(), "begun done");
    assert.equal(waiting.length, 1);
  });
});
