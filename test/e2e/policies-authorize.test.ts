/** Who may do what at a real gateway of two workers: rules, expressions, addresses, signatures. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { ask, protocols, type Answer, type Protocol, type Question } from "../support/ask.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway, type Gateway } from "../support/gateway.ts";
import { startHttpService, type HttpService } from "../support/http-service.ts";
import { startRedis } from "../support/redis-server.ts";
import { requires } from "../support/requires.ts";
import { signRequest, type Signing } from "../support/sign-request.ts";
import { until } from "../support/until.ts";

const shared = fileCleanup();
const tokenSecret = "0123456789abcdef0123456789abcdef";
const signatureSecret = "a shared secret of some 40 characters...";

const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

function tokenOf(claims: object): string {
  const exp = Math.floor(Date.now() / 1000) + 60;
  const signed = `${base64({ alg: "HS256" })}.${base64({ sub: "anna", exp, ...claims })}`;
  return `${signed}.${createHmac("sha256", tokenSecret).update(signed).digest("base64url")}`;
}

const bearer = (claims: object) => ({ authorization: `Bearer ${tokenOf(claims)}` });

function codeOf({ body }: Answer): string {
  const { type, code = "" } = JSON.parse(body) as { type: string; code?: string };
  return `${type.split("/").at(-1)} ${code}`.trim();
}

describe("authorize, ip-filter, http-signature", () => {
  let service: HttpService;
  /** Trusts its peers, as one behind a balancer does. */
  let gateway: Gateway;
  /** Trusts nobody. */
  let edge: Gateway;

  const jwt = { jwt: { keys: [{ secret: tokenSecret }] } };
  const office = { allow: ["10.0.0.0/8", "2001:db8::/32"], deny: ["10.66.0.0/16"] };

  before(async () => {
    service = await startHttpService(shared);
    const services = { users: service.url };
    gateway = await startGateway(shared, {
      workers: 2,
      trustedProxies: ["127.0.0.1"],
      services,
      consumers: { shop: { signatures: { keyId: "shop-1", secret: signatureSecret } } },
      routes: [
        {
          match: "/orders/:id",
          service: "users",
          policies: [
            jwt,
            {
              authorize: {
                allow: [
                  { methods: ["GET"], scopes: "orders:read" },
                  { claims: { "realm_access.roles": "admin" } },
                  { expression: "identity.claims.owns.exists(id, id == request.params.id)" },
                ],
                deny: { claims: { suspended: true } },
              },
            },
          ],
        },
        {
          match: "/notes",
          service: "users",
          policies: [
            { "any-of": [jwt, "anonymous"] },
            { authorize: { allow: { expression: "identity != null || request.method == 'GET'" } } },
          ],
        },
        { match: "/office", service: "users", policies: [{ "ip-filter": office }] },
        {
          match: "/peer",
          service: "users",
          policies: [{ "ip-filter": { allow: ["127.0.0.1"], peer: true } }],
        },
        {
          match: "/sometimes",
          service: "users",
          policies: [
            {
              "ip-filter": { deny: ["0.0.0.0/0"] },
              when: { expression: "'x-strict' in request.headers" },
            },
          ],
        },
        { match: "/signed/*", service: "users", policies: ["http-signature"] },
      ],
    });
    edge = await startGateway(shared, {
      services,
      routes: [{ match: "/office", service: "users", policies: [{ "ip-filter": office }] }],
    });
  });

  for (const protocol of protocols) {
    const asked = (question: Question) => ask(gateway.port, protocol, question);

    test(`authorize: rules decide over ${protocol}`, async () => {
      const read = { headers: bearer({ scope: "orders:read" }), path: "/orders/7" };
      assert.equal((await asked(read)).status, 200);
      const write = await asked({ ...read, method: "PUT", body: "x" });
      assert.equal(write.status, 403);
      assert.equal(codeOf(write), "forbidden");
      const lacking = await asked({ path: "/orders/7", headers: bearer({ scope: "other" }) });
      assert.equal(codeOf(lacking), "forbidden insufficient-scope");
      assert.equal(
        lacking.headers["www-authenticate"],
        'Bearer error="insufficient_scope", scope="orders:read"',
      );
      const admin = { realm_access: { roles: ["admin"] } };
      const deletes = { method: "DELETE", path: "/orders/7" };
      assert.equal((await asked({ ...deletes, headers: bearer(admin) })).status, 200);
      const suspended = bearer({ ...admin, suspended: true });
      assert.equal((await asked({ ...deletes, headers: suspended })).status, 403);
      const owner = bearer({ owns: ["7"] });
      assert.equal((await asked({ ...deletes, headers: owner })).status, 200);
      assert.equal((await asked({ ...deletes, path: "/orders/8", headers: owner })).status, 403);
      assert.equal((await asked(deletes)).status, 401);
    });

    test(`authorize: who is unknown by choice may what an expression says over ${protocol}`, async () => {
      assert.equal((await asked({ path: "/notes" })).status, 200);
      const anonymous = await asked({ path: "/notes", method: "POST", body: "x" });
      assert.equal(anonymous.status, 403);
      assert.equal(codeOf(anonymous), "forbidden anonymous");
      const known = { path: "/notes", method: "POST", body: "x", headers: bearer({}) };
      assert.equal((await asked(known)).status, 200);
    });

    test(`ip-filter: a trusted proxy tells the address over ${protocol}, and its client cannot`, async () => {
      const statusFrom = async (forwarded: string): Promise<number> => {
        const headers = { "x-forwarded-for": forwarded };
        return (await asked({ path: "/office", headers })).status;
      };
      assert.equal(await statusFrom("10.1.2.3"), 200);
      assert.equal(await statusFrom("2001:db8::7"), 200);
      assert.equal(await statusFrom("10.66.2.3"), 403);
      assert.equal(await statusFrom("::ffff:10.66.2.3"), 403);
      assert.equal(await statusFrom("203.0.113.9"), 403);
      assert.equal(await statusFrom("10.1.2.3, 203.0.113.9"), 403, "what the client wrote before");
      assert.equal(await statusFrom("10.1.2.3, unknown"), 403);
      assert.equal((await asked({ path: "/office" })).status, 403);
      const forged = { "x-forwarded-for": "203.0.113.9" };
      assert.equal((await asked({ path: "/peer", headers: forged })).status, 200);
    });

    test(`ip-filter: without trusted proxies no header tells an address over ${protocol}`, async () => {
      for (const name of ["x-forwarded-for", "forwarded", "x-real-ip", "X-Forwarded-For"]) {
        const headers = { [name]: name === "forwarded" ? "for=10.1.2.3" : "10.1.2.3" };
        const answer = await ask(edge.port, protocol, { path: "/office", headers });
        assert.equal(answer.status, 403, name);
        assert.equal(codeOf(answer), "address-denied");
        assert.equal(answer.body.includes("10."), false, "nothing of the lists");
      }
    });

    test(`conditions: an expression decides whether a policy is met over ${protocol}`, async () => {
      assert.equal((await asked({ path: "/sometimes" })).status, 200);
      const strict = { path: "/sometimes", headers: { "x-strict": "1" } };
      assert.equal((await asked(strict)).status, 403);
    });

    test(`http-signature: one request passes over ${protocol}, its copies on both workers do not`, async () => {
      const question = signed(protocol, { path: "/signed/a/../7?full=1" });
      const answers = await Promise.all(Array.from({ length: 24 }, () => asked(question)));
      const outcomes = answers.map((answer) => (answer.status === 200 ? "passed" : codeOf(answer)));
      assert.equal(outcomes.filter((one) => one === "passed").length, 1);
      const replays = outcomes.filter((one) => one === "invalid-credentials signature-replayed");
      assert.equal(replays.length, 23);
      assert.equal(
        answers.find(({ status }) => status === 401)!.headers["www-authenticate"],
        "Signature",
      );
    });

    test(`http-signature: a request that was changed does not pass over ${protocol}`, async () => {
      const question = signed(protocol, { path: "/signed/7?amount=1" });
      const changed = [
        { ...question, path: "/signed/7?amount=100" },
        { ...question, path: "/signed/8?amount=1" },
        { ...question, method: "DELETE" },
        { ...question, headers: { ...question.headers, host: "other.example" } },
        { ...question, body: "added" },
      ];
      for (const one of changed) assert.equal((await asked(one)).status, 401, JSON.stringify(one));
      assert.equal((await asked(question)).status, 200);
      assert.equal((await asked({ path: "/signed/7" })).status, 401);
    });
  }

  test("ip-filter: a list in a file is watched, and a broken one changes nothing", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "gateward-lists-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "drop.txt");
    const write = (text: string): void => {
      writeFileSync(`${file}.next`, text);
      renameSync(`${file}.next`, file);
    };
    write("198.51.100.0/24 # nobody\n");
    const filtering = await startGateway(t, {
      routes: [
        { match: "/", respond: { body: "in" }, policies: [{ "ip-filter": { denyFiles: file } }] },
      ],
    });
    const status = async () => (await ask(filtering.port, "HTTP/1.1", {})).status;
    assert.equal(await status(), 200);
    write("127.0.0.0/8\n");
    await until(async () => (await status()) === 403);
    write("not a range\n");
    await until(() => filtering.output.includes("drop.txt:1"));
    assert.equal(await status(), 403);
  });

  const skip = requires("redis-server");
  test(
    "http-signature: several gateways let a request pass once between them",
    { skip },
    async (t) => {
      const redis = await startRedis(t);
      const policy = {
        "http-signature": { keys: { keyId: "shop-1", secret: signatureSecret }, replay: "redis" },
      };
      const routes = [{ match: "/signed", respond: { body: "in" }, policies: [policy] }];
      const config = { redis: redis.url, routes };
      const gateways = await Promise.all([startGateway(t, config), startGateway(t, config)]);
      const send = (headers: Record<string, string>) =>
        gateways.map(({ port }) => ask(port, "HTTP/1.1", { path: "/signed", headers }));
      const sign = (host: string) => {
        const created = Math.floor(Date.now() / 1000);
        const signing = {
          keyId: "shop-1",
          algorithm: "hmac-sha256",
          key: signatureSecret,
          created,
        };
        return { host, ...signRequest({ host, target: "/signed" }, signing) };
      };
      // Workers connect to Redis on their own time.
      let host = 0;
      await until(async () => {
        const statuses = await Promise.all(send(sign(`ready${host++}.example`)));
        return statuses.every(({ status }) => status !== 503);
      });
      const headers = sign("api.example");
      const answers = await Promise.all([...send(headers), ...send(headers), ...send(headers)]);
      const statuses = answers.map(({ status }) => status).sort((left, right) => left - right);
      assert.deepEqual(statuses, [200, 401, 401, 401, 401, 401]);
      await redis.kill();
      const [away] = await Promise.all(send(sign("away.example")));
      assert.equal(codeOf(away!), "replay-unchecked");
    },
  );

  let nonce = 0;

  function signed(protocol: Protocol, { path }: { path: string }): Question {
    const host = `127.0.0.1:${gateway.port}`;
    const signing: Signing = {
      keyId: "shop-1",
      algorithm: "hmac-sha256",
      key: signatureSecret,
      created: Math.floor(Date.now() / 1000),
      parameters: `;nonce="${protocol} ${nonce++}"`,
    };
    return { path, headers: signRequest({ host, target: path }, signing) };
  }
});
