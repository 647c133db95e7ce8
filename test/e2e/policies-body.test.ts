/** Bodies mapped by a real gateway of two workers. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { before, describe, test } from "node:test";
import { ask, protocols, type Question } from "../support/ask.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway, type Gateway } from "../support/gateway.ts";

const shared = fileCleanup();
const json = { "content-type": "application/json" };

/** Answers with the body that it was sent, or with `x-answer`, and with what it was told of it. */
async function startEcho(): Promise<string> {
  const server = createServer((request, response) => {
    const { headers } = request;
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      response.setHeader("content-type", headers["x-answer-type"] ?? "application/json");
      response.setHeader("x-seen-length", headers["content-length"] ?? "none");
      response.setHeader("x-seen-type", headers["content-type"] ?? "none");
      response.end(headers["x-answer"] ?? Buffer.concat(chunks));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  shared.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("body", () => {
  let gateway: Gateway;

  before(async () => {
    const url = await startEcho();
    const route = (name: string, ...policies: object[]) => ({
      match: `/${name}`,
      service: "echo",
      policies,
    });
    gateway = await startGateway(shared, {
      workers: 2,
      services: { echo: url },
      routes: [
        route("request", { body: { request: { steps: [{ drop: "secret" }], bytesMax: "100kb" } } }),
        route("response", { body: { response: [{ filter: { names: "password" } }] } }),
        route("xml", {
          body: {
            request: { to: "xml", xml: { root: "q" } },
            response: { from: "xml", to: "json" },
          },
        }),
        route("program", {
          body: {
            request: [{ jsonata: '{ "sum": $sum(list), "name": $request.query.name }' }],
            response: [{ jsonata: "$match(text, /^(a+)+$/)" }],
          },
        }),
      ],
    });
  });

  for (const protocol of protocols) {
    const asked = (question: Question) =>
      ask(gateway.port, protocol, { method: "POST", headers: json, ...question });
    const codeOf = (body: string) => (JSON.parse(body) as { code?: string }).code;

    test(`body: a request is mapped over ${protocol}, also one that comes in pieces`, async () => {
      const whole = await asked({
        path: "/request",
        body: '{"a":12345678901234567890,"secret":1}',
      });
      assert.equal(whole.body, '{"a":12345678901234567890}');
      assert.equal(whole.headers["x-seen-length"], "26");
      const pieces = await asked({ path: "/request", body: ['{"a":1,"sec', 'ret":', "2}"] });
      assert.equal(pieces.body, '{"a":1}');
      const long = { list: Array.from({ length: 8000 }, (_, index) => index), secret: 1 };
      const large = await asked({ path: "/request", body: JSON.stringify(long) });
      assert.deepEqual(JSON.parse(large.body), { list: long.list });
    });

    test(`body: a request that is malformed or too large never reaches a service over ${protocol}`, async () => {
      const twice = await asked({ path: "/request", body: '{"a":1,"a":2}' });
      assert.deepEqual([twice.status, codeOf(twice.body)], [400, "doubled-name"]);
      const deep = await asked({ path: "/request", body: "[".repeat(50_000) });
      assert.deepEqual([deep.status, codeOf(deep.body)], [400, "too-deep"]);
      const large = await asked({ path: "/request", body: JSON.stringify("x".repeat(110_000)) });
      assert.equal(large.status, 413);
      assert.equal((await asked({ path: "/request", body: "{}" })).status, 200);
    });

    test(`body: a response is filtered over ${protocol}, and one that cannot be is not passed`, async () => {
      const good = await asked({ path: "/response", body: '[[{"id":1,"PassWord":"x"}]]' });
      assert.equal(good.body, '[[{"id":1}]]');
      assert.equal(good.headers["content-length"], "12");
      const bad = await asked({ path: "/response", body: '{"password":"hunter2"' });
      assert.equal(bad.status, 502);
      assert.ok(!bad.body.includes("hunter2"));
    });

    test(`body: XML and JSON become each other over ${protocol}`, async () => {
      const headers = { ...json, "x-answer-type": "text/xml" };
      const answer = await asked({ path: "/xml", headers, body: '{"a":["1","<2>"],"@id":7}' });
      assert.deepEqual(JSON.parse(answer.body), { q: { "@id": "7", a: ["1", "<2>"] } });
      assert.equal(answer.headers["x-seen-type"], "application/xml; charset=utf-8");
      assert.equal(answer.headers["content-type"], "application/json");
      const bomb = '<!DOCTYPE a [<!ENTITY b "ha">]><a>&b;</a>';
      const refused = await asked({
        path: "/xml",
        headers: { ...headers, "x-answer": bomb },
        body: "{}",
      });
      assert.deepEqual([refused.status, codeOf(refused.body)], [502, "doctype"]);
    });

    test(`body: programs run over ${protocol}, and one that does not end holds up nobody`, async () => {
      const headers = { ...json, "x-answer": `{"text":"${"a".repeat(40)}b"}` };
      const late = asked({ path: "/program", headers, body: "{}" });
      const other = await asked({ path: "/request", body: "{}" });
      assert.equal(other.status, 200);
      const { status, body } = await late;
      assert.deepEqual([status, codeOf(body)], [502, "program-timeout"]);
      const fine = { ...json, "x-answer": '{"text":"aaa"}' };
      const answer = await asked({
        path: "/program?name=x",
        headers: fine,
        body: '{"list":[1,2]}',
      });
      assert.equal(answer.status, 200);
    });
  }
});
