import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { testCertificates } from "../../../test/support/certificates.ts";
import { requires } from "../../../test/support/requires.ts";
import { OutboundClient } from "./outbound-client.ts";
import { OutboundError } from "./outbound.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function listen(t: TestContext, server: Server & { closeAllConnections(): void }) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function serve(t: TestContext, answer: Answer): Promise<string> {
  return `http://127.0.0.1:${await listen(t, createServer(answer))}`;
}

function clientOf(t: TestContext): OutboundClient {
  const client = new OutboundClient();
  t.after(() => client[Symbol.dispose]());
  return client;
}

function failsWith(code: string, message: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof OutboundError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };
}

test("outbound: status, headers and body come back, and what was sent arrives", async (t) => {
  const url = await serve(t, (request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      response.writeHead(201, [
        ["X-List", "a"],
        ["x-list", "b"],
        ["set-cookie", "c=1"],
        ["set-cookie", "d=2"],
      ]);
      const { method, headers } = request;
      response.end(`${method} ${String(headers["x-sent"])} ${headers["content-length"]} ${body}`);
    });
  });
  const request = { url, method: "POST", headers: { "x-sent": "yes" }, body: "ä=1" };
  const response = await clientOf(t).fetch(request);
  assert.equal(response.status, 201);
  assert.equal(response.header("x-list"), "a, b");
  assert.equal(response.header("set-cookie"), "c=1, d=2");
  assert.equal(response.header("constructor"), undefined);
  assert.equal(response.body.toString(), "POST yes 4 ä=1");
});

test("outbound: connections are used again", async (t) => {
  const ports = new Set<number>();
  const url = await serve(t, (request, response) => {
    ports.add(request.socket.remotePort!);
    response.end("ok");
  });
  const client = clientOf(t);
  for (let count = 0; count < 3; count++) await client.fetch({ url });
  assert.equal(ports.size, 1);
});

test("outbound: a redirect is the answer, and is not followed", async (t) => {
  let asked = 0;
  const url = await serve(t, (_, response) => {
    asked++;
    response.writeHead(302, { location: "/elsewhere" }).end();
  });
  const response = await clientOf(t).fetch({ url });
  assert.equal(response.status, 302);
  assert.equal(response.header("location"), "/elsewhere");
  assert.equal(asked, 1);
});

test("outbound: an answer that is too long is given up, and its connection too", async (t) => {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const url = await serve(t, (_, response) => {
    response.on("close", resolve);
    const pour = (): void => {
      while (response.write(Buffer.alloc(1000)));
    };
    response.on("drain", pour);
    pour();
  });
  const bytesMax = 5000;
  const fetching = clientOf(t).fetch({ url: `${url}/keys?secret=1`, bytesMax });
  await assert.rejects(fetching, failsWith("TOO_LONG", /^GET http:\S+\/keys: .* 5000 bytes$/));
  await closed;
});

test("outbound: the deadline holds for a head that does not come, and for a body that drips", async (t) => {
  const silent = await serve(t, () => {});
  const dripping = await serve(t, (_, response) => {
    const timer = setInterval(() => response.write("."), 5);
    response.on("close", () => clearInterval(timer));
  });
  const client = clientOf(t);
  for (const url of [silent, dripping]) {
    const fetching = client.fetch({ url, timeoutMs: 60 });
    await assert.rejects(fetching, failsWith("TIMEOUT", /no whole answer within 60 ms/));
  }
});

test("outbound: a server that is away, a name that is none and a cut answer are told apart", async (t) => {
  const cut = await serve(t, (_, response) => {
    response.writeHead(200, { "content-length": "10" });
    response.write("part", () => response.destroy());
  });
  const gone = createServer();
  const port = await listen(t, gone);
  gone.close();
  await once(gone, "close");
  const client = clientOf(t);
  await assert.rejects(
    client.fetch({ url: `http://127.0.0.1:${port}/x` }),
    failsWith("ECONNREFUSED", /ECONNREFUSED/),
  );
  await assert.rejects(client.fetch({ url: cut }), failsWith("ECONNRESET", /aborted/));
  // Whether the look-up is answered depends on the machine.
  await assert.rejects(client.fetch({ url: "http://name.invalid/" }), /name\.invalid/);
});

test("outbound: only http and https, without a user in the URL", async (t) => {
  const client = clientOf(t);
  for (const url of ["file:///etc/passwd", "/path", "", "ftp://a/", "http://me:pass@a/"]) {
    const refused = (error: unknown): boolean => {
      assert.ok(error instanceof OutboundError && !error.message.includes("pass@"), url);
      return error.code === "NOT_A_URL";
    };
    await assert.rejects(client.fetch({ url }), refused, url);
  }
});

test("outbound: a header that cannot be sent is refused without telling its value", async (t) => {
  const headers = { authorization: "secret\r\nx: y" };
  const fetching = clientOf(t).fetch({ url: "http://127.0.0.1:1/", headers });
  await assert.rejects(fetching, (error: unknown) => {
    assert.ok(error instanceof OutboundError);
    return !error.message.includes("secret");
  });
});

test("outbound: a kept connection that the server closed costs a repeatable request nothing", async (t) => {
  let asked = 0;
  const url = await serve(t, (request, response) => {
    asked++;
    // The second request finds the connection closing under it.
    if (asked === 2) request.socket.destroy();
    else response.end("ok");
  });
  const client = clientOf(t);
  const ask = async (isRepeatable: boolean) =>
    await client.fetch({ url, method: "POST", body: "x", isRepeatable });
  await ask(true);
  assert.equal((await ask(true)).status, 200);
  assert.equal(asked, 3);
  asked = 1;
  await assert.rejects(ask(false), failsWith("ECONNRESET", /hang up|ECONNRESET/));
});

test("outbound: proxies in the environment are none of its business", async (t) => {
  const url = await serve(t, (_, response) => response.end("direct"));
  process.env["HTTP_PROXY"] = process.env["http_proxy"] = "http://127.0.0.1:1/";
  t.after(() => {
    delete process.env["HTTP_PROXY"];
    delete process.env["http_proxy"];
  });
  assert.equal((await clientOf(t).fetch({ url })).body.toString(), "direct");
});

test(
  "outbound: a server's certificate is checked, against the authorities given",
  { skip: requires("openssl") },
  async (t) => {
    const { ca, otherCa, localhostEcdsa } = testCertificates();
    const { cert, key } = localhostEcdsa;
    const server = createHttps({ cert, key }, (_, response) => response.end("safe"));
    const url = `https://localhost:${await listen(t, server)}`;
    const client = clientOf(t);
    assert.equal((await client.fetch({ url, ca: ca.cert })).body.toString(), "safe");
    await assert.rejects(client.fetch({ url }), OutboundError);
    await assert.rejects(client.fetch({ url, ca: otherCa.cert }), OutboundError);
  },
);
