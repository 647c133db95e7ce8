/** Bodies over TLS: large ones, slow ends, and a cut that must not pass for an end. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, request } from "node:https";
import type { AddressInfo } from "node:net";
import { before, describe, test } from "node:test";
import { testCertificates } from "../support/certificates.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { memoryBytes } from "../support/memory-bytes.ts";
import { Pour, drink } from "../support/pour.ts";
import { rawConnect } from "../support/raw-client.ts";
import { requires } from "../support/requires.ts";

const shared = fileCleanup();
const MB = 1024 * 1024;
/** More than the kernel's buffers hold on both sides; without backpressure the rest lay in the gateway's memory. */
const bodyBytes = 128 * MB;
/** Half of the body: what V8 leaves lying about on a busy machine, far less than a body kept whole. */
const grownBytesMax = bodyBytes / 2;

type Answer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

describe("bodies over TLS", { skip: requires("openssl") }, () => {
  let gateway: Gateway;
  let answer: Answer;
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });

  before(async () => {
    const { certFile: cert, keyFile: key } = testCertificates().localhostEcdsa;
    const server = createServer((incoming, response) => void answer(incoming, response));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    shared.after(() => {
      agent.destroy();
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    gateway = await startGateway(shared, {
      listen: { tls: { cert, key } },
      services: { service: `http://127.0.0.1:${port}` },
      routes: [{ match: "/*", service: "service" }],
    });
  });

  function open(method: string, headers: Record<string, number> = {}) {
    const { port } = gateway;
    return request({ host: "127.0.0.1", port, method, path: "/", headers, agent });
  }

  for (const framing of ["content-length", "transfer-encoding"]) {
    test(`both ways: 20 MB pass unchanged, by ${framing}`, async () => {
      const length = 20 * MB - 17;
      const headers = framing === "content-length" ? { [framing]: length } : {};
      let uploaded = "";
      let downloaded = "";
      answer = async (incoming, response) => {
        ({ hash: uploaded } = await drink(incoming));
        response.writeHead(200, headers);
        downloaded = await new Pour(response, length).done;
      };
      const client = open("POST", headers);
      const sent = await new Pour(client, length).done;
      const [response] = (await once(client, "response")) as [IncomingMessage];
      assert.ok(framing in response.headers);
      assert.deepEqual(await drink(response), { bytes: length, hash: downloaded });
      assert.equal(uploaded, sent);
    });
  }

  test("slow client: the service is held back, and the gateway's memory stays flat", async () => {
    const first = await memoryBytes(gateway);
    let pour: Pour | undefined;
    answer = (_, response) => void (pour = new Pour(response, bodyBytes));
    const client = open("GET");
    client.end();
    const [response] = (await once(client, "response")) as [IncomingMessage];
    await pour!.stuck;
    assert.ok((await memoryBytes(gateway)) - first < grownBytesMax);
    const { bytes, hash } = await drink(response);
    assert.deepEqual([bytes, hash], [bodyBytes, await pour!.done]);
    assert.ok((await memoryBytes(gateway)) - first < grownBytesMax);
  });

  test("slow service: the client is held back, and the gateway's memory stays flat", async () => {
    const first = await memoryBytes(gateway);
    const { promise: taking, resolve: take } = Promise.withResolvers<void>();
    let received: Awaited<ReturnType<typeof drink>> | undefined;
    answer = async (incoming, response) => {
      await taking;
      received = await drink(incoming);
      response.end("thanks");
    };
    const client = open("POST", { "content-length": bodyBytes });
    const pour = new Pour(client, bodyBytes);
    await pour.stuck;
    assert.ok((await memoryBytes(gateway)) - first < grownBytesMax);
    take();
    const [response] = (await once(client, "response")) as [IncomingMessage];
    await drink(response);
    assert.deepEqual(received, { bytes: bodyBytes, hash: await pour.done });
    assert.ok((await memoryBytes(gateway)) - first < grownBytesMax);
  });

  test("cut: a body that the service breaks off does not end as a whole one does", async (t) => {
    answer = (_, response) => {
      response.writeHead(200, { "content-length": 1000 });
      response.write("not all of it", () => response.destroy());
    };
    // To a client of HTTP/1.0 a body ends where the connection does; with 1.1 its length tells.
    for (const version of ["1.0", "1.1"]) {
      const client = await rawConnect(t, {
        port: gateway.port,
        tls: { rejectUnauthorized: false },
      });
      await client.send(`GET / HTTP/${version}\r\nHost: x\r\n\r\n`);
      assert.equal(await client.readEnd(), "reset", version);
    }
  });
});
