/** Bodies mapped by a real gateway of two workers. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { before, describe, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { ask, protocols, type Question } from "../support/ask.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway, type Gateway } from "../support/gateway.ts";

const shared = fileCleanup();
const json = { "content-type": "application/json" };

/** Answers with the body that it was sent, or with `x-answer`, as `x-answer-*` say, and with what it was told of it. */
async function startEcho(): Promise<string> {
  const server = createServer((request, response) => {
    const { headers } = request;
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      response.setHeader("content-type", headers["x-answer-type"] ?? "application/json");
      response.setHeader("x-seen-length", headers["content-length"] ?? "none");
      response.setHeader("x-seen-type", headers["content-type"] ?? "none");
      response.setHeader("x-seen-codings", headers["accept-encoding"] ?? "none");
      response.statusCode = Number(headers["x-answer-status"] ?? 200);
      const body =
        headers["x-answer"] === undefined ? Buffer.concat(chunks) : String(headers["x-answer"]);
      if (headers["x-answer-coding"] !== "gzip") {
        response.end(body);
        return;
      }
      response.setHeader("content-encoding", "gzip");
      response.end(gzipSync(body));
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
        route("steps", {
          body: {
            request: [
              { pick: ["id", "user", "lines[].sku", "lines[].parts[].n"] },
              { rename: { "lines[].sku": "article" } },
              { set: { by: "{request.headers.x-user|nobody}" } },
            ],
            response: {
              bytesMax: "1kb",
              steps: [{ move: { "lines[].parts": "lines[].of" } }, { wrap: "data" }],
            },
          },
        }),
        route("from-xml", {
          body: {
            request: { from: "xml", to: "json", xml: { arrays: ["s:o.line"], types: true } },
            response: { from: "json", to: "xml", xml: { root: "answer" } },
          },
        }),
        route("form", {
          body: {
            request: { from: "form", to: "json", form: { brackets: true } },
            response: { from: "json", to: "form", form: { brackets: true } },
          },
        }),
        route("text", {
          body: {
            request: {
              to: "text",
              text: { template: "ID|{id}\n{#lines}L|{sku}\n{/}", contentType: "text/csv" },
            },
          },
        }),
        route("deep", {
          body: {
            request: [{ jsonata: "($f := function($x) { $f($x + 1) + 1 }; $f(1))" }],
          },
        }),
        route(
          "coded",
          { compress: { sizeMin: 1 } },
          { decompress: {} },
          {
            body: { request: [{ drop: "secret" }], response: [{ filter: { names: "password" } }] },
          },
          { decompress: { requests: false, responses: true } },
        ),
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

    test(`body: steps reach deep into lists, both ways, over ${protocol}`, async () => {
      const body = JSON.stringify({
        id: 1,
        admin: true,
        user: { name: "anna", constructor: { x: 1 } },
        lines: [
          { sku: "a", price: 3, parts: [{ n: 1, x: 2 }, { n: 3 }] },
          { sku: "b", parts: [] },
        ],
      });
      const headers = { ...json, "x-user": "bob" };
      const answer = await asked({ path: "/steps", headers, body });
      assert.deepEqual(JSON.parse(answer.body), {
        data: {
          id: 1,
          user: { name: "anna", constructor: { x: 1 } },
          lines: [
            { article: "a", of: [{ n: 1 }, { n: 3 }] },
            { article: "b", of: [] },
          ],
          by: "bob",
        },
      });
      const large = { ...json, "x-answer": JSON.stringify({ id: "x".repeat(1100) }) };
      const refused = await asked({ path: "/steps", headers: large, body: "{}" });
      assert.deepEqual([refused.status, codeOf(refused.body)], [502, "too-large"]);
    });

    test(`body: what is wrong with JSON is told with its place, over ${protocol}`, async () => {
      const wrong: [body: string | Buffer, code: string, place: string][] = [
        ['{"a":1,\n"b":}', "not-json", ": line 2, column 5."],
        ['{"a":1,"b":2,"a":3}', "doubled-name", ": line 1, column 14."],
        ['{"x":{"__proto__":{"admin":true}}}', "reserved-name", ": line 1, column 7."],
        [Buffer.from('\ufeff{"a":1}', "utf16le"), "not-utf8", ""],
        [Buffer.from('{"a":1}', "utf16le"), "not-json", ": line 1, column 2."],
      ];
      for (const [body, code, place] of wrong) {
        const refused = await asked({ path: "/request", body });
        assert.deepEqual([refused.status, codeOf(refused.body)], [400, code], String(body));
        const { detail = "" } = JSON.parse(refused.body) as { detail?: string };
        assert.ok(detail.endsWith(place), detail);
      }
      const charset = { "content-type": "application/json; charset=utf-16" };
      const foreign = await asked({ path: "/request", headers: charset, body: "{}" });
      assert.deepEqual([foreign.status, codeOf(foreign.body)], [415, "charset"]);
    });

    test(`body: numbers, marks of byte order and empty bodies, over ${protocol}`, async () => {
      const numbers = '{"a":12345678901234567890.123,"b":1e400,"c":-0.1,"secret":1}';
      const exact = await asked({ path: "/request", body: numbers });
      assert.equal(exact.body, '{"a":12345678901234567890.123,"b":1e400,"c":-0.1}');
      assert.equal(
        (await asked({ path: "/request", body: '\ufeff{"a":1,"secret":2}' })).body,
        '{"a":1}',
      );
      assert.equal((await asked({ path: "/request" })).status, 200);
      const nothing = await asked({
        path: "/response",
        headers: { ...json, "x-answer-status": "204" },
      });
      assert.deepEqual([nothing.status, nothing.body], [204, ""]);
      const empty = await asked({ path: "/response", headers: json });
      assert.deepEqual([empty.status, empty.body], [200, ""]);
      const head = await asked({
        method: "HEAD",
        path: "/response",
        headers: { "x-answer": "{}" },
      });
      assert.deepEqual([head.status, head.headers["content-length"]], [200, undefined]);
    });

    test(`body: XML of clients becomes JSON, and JSON of services XML, over ${protocol}`, async () => {
      const xml = { "content-type": "text/xml" };
      const body =
        '<s:o xmlns:s="urn:s" id="7"><line n="1">a &amp; b</line><s:note>x</s:note></s:o>';
      const headers = { ...xml, "x-answer": '{"ok":true,"list":["1","<"],"@v":2}' };
      const answer = await asked({ path: "/from-xml", headers, body });
      assert.equal(answer.headers["x-seen-type"], "application/json");
      assert.equal(
        answer.body,
        '<?xml version="1.0" encoding="UTF-8"?>\n<answer v="2"><ok>true</ok><list>1</list><list>&lt;</list></answer>',
      );
      const seen = await asked({
        path: "/from-xml",
        headers: { ...xml, "x-answer-type": "text/plain" },
        body,
      });
      assert.deepEqual(JSON.parse(seen.body), {
        "s:o": {
          "@xmlns:s": "urn:s",
          "@id": 7,
          line: [{ "@n": 1, "#text": "a & b" }],
          "s:note": "x",
        },
      });
      const latin1 = Buffer.from(
        '<?xml version="1.0" encoding="ISO-8859-1"?><a>\u00e9</a>',
        "latin1",
      );
      const plain = { ...xml, "x-answer-type": "text/plain" };
      assert.equal(
        (await asked({ path: "/from-xml", headers: plain, body: latin1 })).body,
        '{"a":"\u00e9"}',
      );
    });

    test(`body: XML that would grow, or is none, is refused over ${protocol}`, async () => {
      const headers = { "content-type": "application/xml" };
      const entities = Array.from(
        { length: 9 },
        (_, at) => `<!ENTITY e${at + 1} "${`&e${at};`.repeat(10)}">`,
      );
      const wrong: [body: string | Buffer, status: number, code: string][] = [
        [`<!DOCTYPE a [<!ENTITY e0 "ha">${entities.join("")}]><a>&e9;</a>`, 400, "doctype"],
        ['<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', 400, "doctype"],
        ["<a>&b;</a>", 400, "not-xml"],
        ["<a><b></a>", 400, "not-xml"],
        ["<a>".repeat(70), 400, "too-deep"],
        ["<__proto__/>", 400, "reserved-name"],
        [Buffer.from("\ufeff<a/>", "utf16le"), 415, "charset"],
      ];
      for (const [body, status, code] of wrong) {
        const refused = await asked({ path: "/from-xml", headers, body });
        assert.deepEqual([refused.status, codeOf(refused.body)], [status, code], String(body));
      }
    });

    test(`body: forms and JSON become each other, and JSON a text, over ${protocol}`, async () => {
      const form = { "content-type": "application/x-www-form-urlencoded" };
      const seen = { ...form, "x-answer-type": "text/plain" };
      const body = "item[id]=7&tag[]=a&tag[]=b+c&x=%C3%A9";
      const json7 = '{"item":{"id":"7"},"tag":["a","b c"],"x":"\u00e9"}';
      assert.equal((await asked({ path: "/form", headers: seen, body })).body, json7);
      const back = await asked({ path: "/form", headers: form, body });
      assert.equal(back.headers["content-type"], "application/x-www-form-urlencoded");
      assert.equal(decodeURIComponent(back.body), "item[id]=7&tag[]=a&tag[]=b+c&x=\u00e9");
      const bad = await asked({ path: "/form", headers: form, body: "a=%zz" });
      assert.equal(bad.status, 400);
      const text = await asked({
        path: "/text",
        headers: { ...json, "x-answer-type": "text/plain" },
        body: '{"id":7,"lines":[{"sku":"a,\\"b"},{"sku":"=1"}]}',
      });
      assert.equal(text.headers["x-seen-type"], "text/csv; charset=utf-8");
      assert.match(text.body, /^ID\|7\nL\|"a,""b"\nL\|/);
    });

    test(`body: a program that goes too deep is ended over ${protocol}`, async () => {
      const deep = await asked({ path: "/deep", body: "{}" });
      assert.deepEqual([deep.status, codeOf(deep.body)], [422, "program-too-deep"]);
    });

    test(`body: compressed bodies are decoded in front and behind, or refused, over ${protocol}`, async () => {
      const gzip = { ...json, "content-encoding": "gzip" };
      const zipped = gzipSync('{"a":1,"secret":2}');
      const refused = await asked({ path: "/request", headers: gzip, body: zipped });
      assert.deepEqual([refused.status, codeOf(refused.body)], [415, "encoded"]);
      assert.equal(refused.headers["accept-encoding"], "identity");
      const decoded = await asked({ path: "/coded", headers: gzip, body: zipped });
      assert.equal(decoded.body, '{"a":1}');
      const unasked = { ...json, "x-answer": '{"id":1,"password":"x"}', "x-answer-coding": "gzip" };
      const leak = await asked({ path: "/response", headers: unasked });
      assert.deepEqual([leak.status, codeOf(leak.body)], [502, "encoded"]);
      const behind = await asked({ path: "/coded", headers: unasked });
      assert.equal(behind.body, '{"id":1}');
      const taken = { ...unasked, "accept-encoding": "gzip" };
      const again = await asked({ path: "/coded", headers: taken });
      assert.equal(again.headers["content-encoding"], "gzip");
      assert.equal(again.headers["x-seen-codings"], "identity");
      assert.equal(gunzipSync(again.bytes).toString(), '{"id":1}');
    });
  }
});
