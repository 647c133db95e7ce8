/**
 * Calls as gRPC makes them (length-prefixed messages over HTTP/2, a status in the trailers), with node:http2
 * on both sides: nothing is buffered, and whatever either side does about a call the other learns.
 */
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import http2, { constants } from "node:http2";
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
  ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { before, describe, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { testCertificates } from "../support/certificates.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { rawConnect } from "../support/raw-client.ts";
import { requires } from "../support/requires.ts";

const shared = fileCleanup();
const MB = 1024 * 1024;
const bodyTimeoutMs = 600;
const NO_ERROR = constants.NGHTTP2_NO_ERROR;

/** A message as it goes over the wire: not compressed, its length, its bytes. */
function frame(message: string | Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, Buffer.from(message)]);
}

/** Takes messages out of a stream, one by one. */
class Messages {
  readonly #stream: ClientHttp2Stream | ServerHttp2Stream;
  #pending = Buffer.alloc(0);
  #ended = false;

  constructor(stream: ClientHttp2Stream | ServerHttp2Stream) {
    this.#stream = stream;
    stream.on("data", (bytes: Buffer) => {
      this.#pending = Buffer.concat([this.#pending, bytes]);
      stream.emit("some");
    });
    stream.on("end", () => {
      this.#ended = true;
      stream.emit("some");
    });
  }

  /** The next message, undefined when the other side has ended instead. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const length = this.#pending.length < 5 ? Infinity : 5 + this.#pending.readUInt32BE(1);
      if (this.#pending.length >= length) {
        const message = this.#pending.subarray(5, length);
        this.#pending = this.#pending.subarray(length);
        return message;
      }
      if (this.#ended) return undefined;
      await once(this.#stream, "some");
    }
  }

  async rest(): Promise<string[]> {
    const list: string[] = [];
    for (let message = await this.next(); message !== undefined; message = await this.next()) {
      list.push(message.toString());
    }
    return list;
  }
}

/** What the service tells the test: calls that were broken off, messages that have come. */
const service = new EventEmitter();

/** Ends a call with its status in the trailers. */
function finish(stream: ServerHttp2Stream, status: string, message = ""): void {
  stream.on("wantTrailers", () => {
    stream.sendTrailers({
      "grpc-status": status,
      ...(message === "" ? {} : { "grpc-message": message }),
    });
  });
  stream.end();
}

function begin(stream: ServerHttp2Stream): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
}

type Method = (
  stream: ServerHttp2Stream,
  messages: Messages,
  headers: IncomingHttpHeaders,
) => void | Promise<void>;

const methods: Record<string, Method> = {
  async Unary(stream, messages, headers) {
    const request = (await messages.next())!;
    begin(stream);
    const seen = { te: headers["te"], timeout: headers["grpc-timeout"], own: headers["x-own"] };
    stream.write(frame(request.length > 1000 ? request : JSON.stringify(seen)));
    finish(stream, "0");
  },
  async ServerStream(stream, messages) {
    await messages.next();
    begin(stream);
    for (let count = 0; count < 5; count++) {
      stream.write(frame(`part ${count}`));
      // The next follows only when the client has told that it has this one.
      await once(service, "received");
    }
    finish(stream, "0");
  },
  async ClientStream(stream, messages) {
    let count = 0;
    for (
      let message = await messages.next();
      message !== undefined;
      message = await messages.next()
    ) {
      service.emit("message", message.toString());
      count++;
    }
    begin(stream);
    stream.write(frame(`${count} messages`));
    finish(stream, "0");
  },
  async Talk(stream, messages) {
    begin(stream);
    for (
      let message = await messages.next();
      message !== undefined;
      message = await messages.next()
    ) {
      stream.write(frame(`re: ${message.toString()}`));
    }
    finish(stream, "0");
  },
  /** The status comes with the head, and no message. */
  NotFound(stream) {
    const headers = { ":status": 200, "content-type": "application/grpc", "grpc-status": "5" };
    stream.respond({ ...headers, "grpc-message": "no such thing" }, { endStream: true });
  },
  /** Gives up within the answer. */
  async Fails(stream, messages) {
    await messages.next();
    begin(stream);
    stream.write(frame("part"));
    finish(stream, "13", "something broke");
  },
  async Abrupt(stream, messages) {
    await messages.next();
    begin(stream);
    stream.write(frame("part"));
    setImmediate(() => stream.destroy(new Error("broken")));
  },
  /** Answers nothing. */
  Sleeps() {
    service.emit("asleep");
  },
};

interface Call {
  readonly stream: ClientHttp2Stream;
  readonly messages: Messages;
  readonly headers: Promise<IncomingHttpHeaders>;
  /** The trailers; an answer that is all head has none. */
  readonly status: Promise<IncomingHttpHeaders>;
  readonly trailers: readonly IncomingHttpHeaders[];
  /** Resolves with the code of the stream's reset, 0 when it ended well. */
  readonly closed: Promise<number>;
  /** Resets the stream at once; `close` of node:http2 would end the request first. */
  cancel(): void;
}

describe("gRPC", { skip: requires("openssl") }, () => {
  let gateway: Gateway;
  /** Where what does not come within `bodyTimeoutMs` ends a call, for the test of that. */
  let hurried: Gateway;

  before(async () => {
    const { localhostEcdsa, ca } = testCertificates();
    const { cert, key, certFile, keyFile } = localhostEcdsa;
    const servers = [http2.createServer(), http2.createSecureServer({ cert, key })];
    const ports: number[] = [];
    for (const server of servers) {
      const sessions = new Set<http2.ServerHttp2Session>();
      server.on("session", (session) => sessions.add(session));
      server.on("stream", (stream, headers) => {
        stream.on("error", () => {});
        stream.on("aborted", () => service.emit("broken off"));
        const method = methods[headers[":path"]!.split("/").at(-1)!]!;
        const call = stream as ServerHttp2Stream;
        // A method that fails has met a call that was broken off, which the event above tells.
        void Promise.resolve(method(call, new Messages(call), headers)).catch(() => {});
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      ports.push((server.address() as AddressInfo).port);
      shared.after(() => {
        server.close();
        for (const session of sessions) session.destroy();
      });
    }
    const config = {
      listen: [{}, { tls: { cert: certFile, key: keyFile } }],
      services: {
        clear: { targets: [`http://127.0.0.1:${ports[0]}`], http2: true },
        secure: {
          targets: [`https://127.0.0.1:${ports[1]}`],
          http2: true,
          tls: { ca: ca.certFile },
        },
        impatient: { targets: [`h2c://127.0.0.1:${ports[0]}`], timeout: { response: "300ms" } },
      },
      routes: ["clear", "secure", "impatient"].map((name) => ({
        match: {
          path: `/${name}.Things/:method`,
          methods: ["POST"],
          contentTypes: "application/grpc",
        },
        service: name,
      })),
    };
    gateway = await startGateway(shared, config);
    hurried = await startGateway(shared, { ...config, timeouts: { body: `${bodyTimeoutMs}ms` } });
  });

  function connect(t: TestContext, secure: boolean, to = gateway): ClientHttp2Session {
    const session = secure
      ? http2.connect(`https://localhost:${to.ports[1]}`, { ca: testCertificates().ca.cert })
      : http2.connect(to.url);
    session.on("error", () => {});
    t.after(() => session.destroy());
    return session;
  }

  function start(session: ClientHttp2Session, path: string, more: OutgoingHttpHeaders = {}): Call {
    const canceller = new AbortController();
    const call = { ":method": "POST", ":path": path, "content-type": "application/grpc" };
    const stream = session.request(
      { ...call, te: "trailers", ...more },
      { signal: canceller.signal },
    );
    stream.on("error", () => {});
    const closed = new Promise<number>((resolve) => {
      stream.on("close", () => resolve(stream.rstCode));
    });
    const first = async (event: string): Promise<IncomingHttpHeaders> =>
      ((await once(stream, event)) as [IncomingHttpHeaders])[0];
    const [headers, status] = [first("response"), first("trailers")];
    for (const promise of [headers, status]) promise.catch(() => {});
    const trailers: IncomingHttpHeaders[] = [];
    stream.on("trailers", (got) => trailers.push(got));
    const messages = new Messages(stream);
    const cancel = (): void => canceller.abort();
    return { stream, messages, headers, status, trailers, closed, cancel };
  }

  for (const secure of [false, true]) {
    const how = secure ? "over TLS" : "in clear text";
    const things = secure ? "/secure.Things" : "/clear.Things";

    test(`unary, ${how}: one message each way, then the status in the trailers`, async (t) => {
      const more = { "grpc-timeout": "5S", "x-own": "1" };
      const call = start(connect(t, secure), `${things}/Unary`, more);
      call.stream.end(frame("question"));
      const headers = await call.headers;
      assert.deepEqual([headers[":status"], headers["content-type"]], [200, "application/grpc"]);
      const [answer] = await call.messages.rest();
      assert.deepEqual(JSON.parse(answer!), { te: "trailers", timeout: "5S", own: "1" });
      assert.equal((await call.status)["grpc-status"], "0");
      assert.equal(await call.closed, NO_ERROR);
    });

    test(`unary, ${how}: messages of 4 MB pass unchanged`, async (t) => {
      const call = start(connect(t, secure), `${things}/Unary`);
      const large = Buffer.alloc(4 * MB, "0123456789abcdef-");
      call.stream.end(frame(large));
      assert.ok((await call.messages.next())!.equals(large));
      assert.equal((await call.status)["grpc-status"], "0");
    });

    test(`server streaming, ${how}: each message comes as it is sent`, async (t) => {
      const call = start(connect(t, secure), `${things}/ServerStream`);
      call.stream.end(frame("all"));
      for (let count = 0; count < 5; count++) {
        assert.equal(String(await call.messages.next()), `part ${count}`);
        service.emit("received");
      }
      assert.equal(await call.messages.next(), undefined);
      assert.equal((await call.status)["grpc-status"], "0");
    });

    test(`client streaming, ${how}: each message comes as it is sent`, async (t) => {
      const call = start(connect(t, secure), `${things}/ClientStream`);
      for (let count = 0; count < 5; count++) {
        const seen = once(service, "message");
        call.stream.write(frame(`part ${count}`));
        assert.deepEqual(await seen, [`part ${count}`]);
      }
      call.stream.end();
      assert.deepEqual(await call.messages.rest(), ["5 messages"]);
      assert.equal((await call.status)["grpc-status"], "0");
    });

    test(`both streaming, ${how}: messages alternate, in many calls at once`, async (t) => {
      const session = connect(t, secure);
      const talk = async (name: number): Promise<void> => {
        const call = start(session, `${things}/Talk`);
        await call.headers;
        for (let count = 0; count < 10; count++) {
          call.stream.write(frame(`${name}.${count}`));
          assert.equal(String(await call.messages.next()), `re: ${name}.${count}`);
        }
        call.stream.end();
        assert.deepEqual(await call.messages.rest(), []);
        assert.equal((await call.status)["grpc-status"], "0");
      };
      await Promise.all(Array.from({ length: 50 }, (_, name) => talk(name)));
    });

    test(`errors, ${how}: an answer of a head alone passes as such`, async (t) => {
      const call = start(connect(t, secure), `${things}/NotFound`);
      call.stream.end(frame("question"));
      const headers = await call.headers;
      assert.deepEqual([headers["grpc-status"], headers["grpc-message"]], ["5", "no such thing"]);
      assert.deepEqual(await call.messages.rest(), []);
      assert.equal(await call.closed, NO_ERROR);
      assert.deepEqual(call.trailers, []);
    });

    test(`errors, ${how}: a call that fails within its answer ends with that status`, async (t) => {
      const call = start(connect(t, secure), `${things}/Fails`);
      call.stream.end(frame("question"));
      assert.deepEqual(await call.messages.rest(), ["part"]);
      const status = await call.status;
      assert.deepEqual([status["grpc-status"], status["grpc-message"]], ["13", "something broke"]);
    });

    test(`errors, ${how}: a call that the service breaks off is broken off`, async (t) => {
      const call = start(connect(t, secure), `${things}/Abrupt`);
      call.stream.end(frame("question"));
      assert.equal(String(await call.messages.next()), "part");
      assert.equal(await call.closed, constants.NGHTTP2_INTERNAL_ERROR);
    });

    test(`cancel, ${how}: a call that the client gives up is given up at the service`, async (t) => {
      const session = connect(t, secure);
      const talk = start(session, `${things}/Talk`);
      talk.stream.write(frame("hello"));
      await talk.messages.next();
      const talkBroken = once(service, "broken off");
      talk.cancel();
      await talkBroken;

      // Before any answer.
      const asleep = once(service, "asleep");
      const asleepCall = start(session, `${things}/Sleeps`);
      await asleep;

      const sleepBroken = once(service, "broken off");
      asleepCall.cancel();
      await sleepBroken;

      // With the connection.
      const last = start(session, `${things}/Talk`);
      last.stream.write(frame("hello"));
      await last.messages.next();
      const lastBroken = once(service, "broken off");
      session.destroy();
      await lastBroken;
    });
  }

  test("silence: a client may be silent between its messages once it is answered", async (t) => {
    const call = start(connect(t, false, hurried), "/clear.Things/Talk");
    call.stream.write(frame("one"));
    assert.equal(String(await call.messages.next()), "re: one");
    // Nothing is to happen in this time, so there is nothing to wait for but the clock.
    await sleep(1.5 * bodyTimeoutMs);
    call.stream.end(frame("two"));
    assert.deepEqual(await call.messages.rest(), ["re: two"]);
    // Without an answer, a message that stops within is not waited for.
    const stalled = start(connect(t, false, hurried), "/clear.Things/Unary");
    stalled.stream.write(frame("question").subarray(0, 8));
    assert.equal((await stalled.headers)[":status"], 408);
  });

  test("deadline: a service that does not answer is given up, and the client told", async (t) => {
    const broken = once(service, "broken off");
    const call = start(connect(t, false), "/impatient.Things/Sleeps");
    call.stream.end(frame("question"));
    // gRPC libraries make UNAVAILABLE of this status.
    assert.equal((await call.headers)[":status"], 504);
    await broken;
  });

  test("HTTP/1.1: a client of it reaches an HTTP/2 service, trailers included", async (t) => {
    const client = await rawConnect(t, gateway.port);
    const body = frame("question");
    await client.send(
      "POST /clear.Things/Unary HTTP/1.1\r\nHost: x\r\nContent-Type: application/grpc\r\nTE: trailers\r\n" +
        `Connection: TE\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    await client.send(body);
    const response = await client.readResponse();
    assert.equal(response.status, 200);
    assert.match(response.body.toString("latin1", 5), /^\{/);
    assert.deepEqual(response.trailers, ["grpc-status: 0"]);
  });
});
