/** Tokens at a real gateway, over HTTP/1.1 and HTTP/2, with an identity provider that comes and goes. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { before, describe, test } from "node:test";
import { TestIssuer, testKey } from "../../src/testing/test-issuer.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { answerOf, connectHttp2 } from "../support/http2-listener.ts";
import { startHttpService } from "../support/http-service.ts";
import type { HttpService } from "../support/http-service.ts";

const shared = fileCleanup();
const secret = "0123456789abcdef0123456789abcdef";

/** An identity provider on a port that stays its own while it is down. */
class Provider {
  readonly issuer: TestIssuer;
  readonly url: string;
  readonly active = new Map<string, object>();
  asked = 0;
  private readonly server: Server;
  private readonly port: number;

  private constructor(server: Server, port: number) {
    this.server = server;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.issuer = new TestIssuer(this.url);
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      void this.answer(request, response);
    });
  }

  static async start(): Promise<Provider> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const provider = new Provider(server, (server.address() as AddressInfo).port);
    shared.after(() => provider.stop());
    return provider;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  async start(): Promise<void> {
    this.server.listen(this.port, "127.0.0.1");
    await once(this.server, "listening");
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.asked++;
    const say = (value: unknown): void => void response.end(JSON.stringify(value));
    if (request.url === "/keys") return say(await this.issuer.jwks());
    if (request.url === "/.well-known/openid-configuration") {
      return say({ issuer: this.url, jwks_uri: `${this.url}/keys` });
    }
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const claims = this.active.get(new URLSearchParams(body).get("token") ?? "");
    const isKnown = request.headers.authorization === `Basic ${btoa("gateway:hush")}`;
    response.statusCode = isKnown ? 200 : 401;
    return say(claims === undefined ? { active: false } : { active: true, ...claims });
  }
}

describe("tokens", () => {
  let provider: Provider;
  let service: HttpService;
  let gateway: Gateway;

  before(async () => {
    provider = await Provider.start();
    service = await startHttpService(shared);
    const { url } = provider;
    gateway = await startGateway(
      shared,
      {
        services: { echo: service.url },
        routes: [
          route("/jwt", { jwt: { issuer: url, audience: "orders", fetch: { cooldown: "1s" } } }),
          route("/other", { jwt: { issuer: url, audience: "other", fetch: { cooldown: "1s" } } }),
          route("/strip", {
            jwt: {
              keys: [{ secret: "${TOKEN_SECRET}" }],
              in: ["authorization", { query: "t" }, { cookie: "t" }],
              strip: true,
            },
          }),
          route("/opaque", {
            "oauth2-introspection": {
              endpoint: `${url}/introspect`,
              client: { id: "gateway", secret: "${CLIENT_SECRET}" },
              cache: { ttl: "0s", inactive: "0s" },
            },
          }),
          route("/away", { jwt: { jwks: "http://127.0.0.1:1/keys" } }),
          { match: "/open", service: "echo" },
        ],
      },
      { env: { TOKEN_SECRET: secret, CLIENT_SECRET: "hush" } },
    );
  });

  function route(match: string, policy: object) {
    return { match, service: "echo", policies: [policy] };
  }

  async function ask(path: string, token?: string) {
    const headers: Record<string, string> =
      token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(gateway.url + path, { headers });
    const { status } = response;
    const body = (await response.json()) as {
      code?: string;
      type?: string;
      headers: [string, string][];
    };
    return { status, code: body.code, body, challenge: response.headers.get("www-authenticate") };
  }

  const sign = async (claims: Record<string, unknown> = {}) =>
    await provider.issuer.sign({ aud: "orders", ...claims });

  test("are asked for, judged, and passed on to the service", async () => {
    const none = await ask("/jwt");
    assert.deepEqual([none.status, none.challenge], [401, 'Bearer realm="api"']);
    const token = await sign();
    const good = await ask("/jwt", token);
    assert.equal(good.status, 200);
    assert.ok(
      good.body.headers.some(([name, value]) => name === "authorization" && value.includes(token)),
    );
    const bad = await ask("/jwt", await sign({ aud: "billing" }));
    assert.deepEqual([bad.status, bad.code], [401, "audience"]);
    assert.match(bad.challenge!, /error="invalid_token"/);
    assert.equal((await ask("/other", token)).code, "audience");
  });

  test("are the same over HTTP/2, many at once on one connection", async () => {
    const session = connectHttp2(shared as never, gateway.port);
    const tokens = [
      await sign(),
      await sign({ sub: "bob" }),
      await sign({ exp: 1 }),
      "a.b.c",
      undefined,
    ];
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const token = tokens[index % tokens.length];
        const stream = session.request({
          ":path": "/jwt",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        });
        stream.end();
        return (await answerOf(stream)).status;
      }),
    );
    const expected = [200, 200, 401, 401, 401];
    assert.deepEqual(
      answers,
      answers.map((_, index) => expected[index % expected.length]),
    );
  });

  test("stay in the gateway where the service is not to have them", async () => {
    const privateKey = Buffer.from(secret) as never;
    const key = { kid: "", alg: "HS256", privateKey, publicKey: privateKey };
    const token = await provider.issuer.sign({}, { key });
    for (const [query, headers] of [
      ["", { authorization: `Bearer ${token}` }],
      [`t=${token}&`, {}],
      ["", { cookie: `a=1; t=${token}` }],
    ] as const) {
      const response = await fetch(`${gateway.url}/strip?${query}a=1`, { headers });
      const text = await response.text();
      assert.equal(response.status, 200, text);
      assert.ok(text.includes("/strip?a=1") && !text.includes(token), text);
    }
  });

  test("that only the server can read are asked about, and can be called back", async () => {
    provider.active.set("opaque", { sub: "alice" });
    assert.equal((await ask("/opaque", "opaque")).status, 200);
    provider.active.delete("opaque");
    assert.equal((await ask("/opaque", "opaque")).code, "inactive");
    assert.equal((await ask("/opaque", await sign())).code, "inactive");
  });

  test("whose keys cannot be had are answered 503, and nobody else is", async () => {
    const away = await ask("/away", await sign());
    assert.equal(away.status, 503);
    assert.match(away.body.type!, /keys-unavailable$/);
    assert.equal((await ask("/open")).status, 200);
    assert.equal((await ask("/away")).status, 401);
  });

  test("hold through an outage and a rotation of the keys", async () => {
    const old = await sign();
    assert.equal((await ask("/jwt", old)).status, 200);
    provider.stop();
    provider.active.set("opaque", { sub: "alice" });
    assert.equal((await ask("/opaque", "opaque")).status, 503);
    const [first] = provider.issuer.keys;
    const second = testKey("k2");
    provider.issuer.keys = [second, first!];
    const next = await sign();
    // Soon after the last look for keys there is none, and the new key counts as unknown.
    await gateway.poll(10_000, "looking for the new key", async () => {
      return (await ask("/jwt", next)).status === 503 || undefined;
    });
    for (let count = 0; count < 10; count++) assert.equal((await ask("/jwt", old)).status, 200);
    await provider.start();
    await gateway.poll(10_000, "able to fetch the new key", async () => {
      return (await ask("/jwt", next)).status === 200 || undefined;
    });
    assert.equal((await ask("/jwt", old)).status, 200);
    assert.equal((await ask("/opaque", "opaque")).status, 200);
  });

  test("keep their keys through a reload", async () => {
    const token = await sign();
    assert.equal((await ask("/jwt", token)).status, 200);
    const asked = provider.asked;
    const result = await gateway.reload({
      routes: [
        route("/jwt", {
          jwt: {
            issuer: provider.url,
            audience: "orders",
            fetch: { cooldown: "1s" },
            realm: "new",
          },
        }),
      ],
    });
    assert.equal(result, "applied");
    assert.equal((await ask("/jwt", token)).status, 200);
    assert.equal((await ask("/jwt")).challenge, 'Bearer realm="new"');
    assert.equal(provider.asked, asked);
  });
});
