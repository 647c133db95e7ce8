/**
 * Every entry of the corpus through a gateway in a process of its own, to a service that records what
 * it is sent: in one piece, and cut in two at several places, since a parser that keeps state between
 * reads has a second chance to be wrong.
 */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { fileCleanup } from "../support/cleanup.ts";
import type { Cleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { rawConnect } from "../support/raw-client.ts";
import type { RawConnection } from "../support/raw-connection.ts";
import { headerValue, headerValues } from "../support/raw-message.ts";
import type { RawMessage, RawResponse } from "../support/raw-message.ts";
import { startRecordingService } from "../support/recording-service.ts";
import type { RecordingService } from "../support/recording-service.ts";
import type { PassedRequest, RequestCase } from "./request-case.ts";
import { smugglingCorpus } from "./smuggling-corpus.ts";

/** Asked for after each attempt: what comes back tells that no byte was left over. */
const sentinel = "GET /sentinel HTTP/1.1\r\nHost: a.test\r\n\r\n";

const cleanup = fileCleanup();
/** Longer than any deadline of the gateway in these tests. */
const timeoutMs = 3000;

let gateway: Gateway;
let service: RecordingService;

before(async () => {
  service = await startRecordingService(cleanup);
  gateway = await startGateway(cleanup, {
    // A head that is never finished is refused after this.
    timeouts: { head: "500ms" },
    services: { recorder: { targets: [service.url], retry: { attempts: 0 } } },
    routes: [{ match: "/*", service: "recorder" }],
  });
});

for (const one of smugglingCorpus) {
  test(`smuggling: ${one.name}`, async (t) => {
    await attempt(t, one, undefined);
    for (const position of cuts(one.bytes)) await attempt(t, one, position);
  });
}

test("smuggling: names in the corpus tell its entries apart", () => {
  const names = smugglingCorpus.map((one) => one.name);
  assert.equal(new Set(names).size, names.length);
});

/** Within the first line end, at the head's end, in the middle, and just inside either end. */
function cuts(bytes: string): number[] {
  const places = [1, bytes.indexOf("\r") + 1, bytes.indexOf("\r\n\r\n") + 3, bytes.length >> 1];
  const inside = [...places, bytes.length - 1].filter((at) => at > 0 && at < bytes.length);
  return [...new Set(inside)];
}

async function attempt(t: Cleanup, one: RequestCase, cut: number | undefined): Promise<void> {
  const client = await rawConnect(t, gateway.port);
  try {
    // A refusal may come, and close the connection, before all is sent.
    await (cut === undefined ? client.send(one.bytes) : client.sendCut(one.bytes, cut));
    if (one.ends) client.end();
    const expected = await readAnswers(client, one);
    await settle(t);
    compare(service.take(), expected);
  } catch (error) {
    const how = cut === undefined ? "in one piece" : `cut before byte ${cut}`;
    throw new Error(`${how}: ${(error as Error).message}\n(${one.why})`, { cause: error });
  } finally {
    client.destroy();
    service.take();
  }
}

/** Reads what the client gets; returns what the service must have seen. */
async function readAnswers(
  client: RawConnection,
  { verdict, ends }: RequestCase,
): Promise<readonly PassedRequest[]> {
  const { passed, refused, closes, orRefused } = verdict;
  for (const [index, { method }] of passed.entries()) {
    const response = await readFinal(client, method);
    if (index === 0 && orRefused.includes(response.status)) {
      await readRefusalEnd(client, response);
      return [];
    }
    assert.equal(response.status, 200, `answer ${index + 1}`);
  }
  if (refused.length > 0) {
    const response = await readFinal(client, "GET").catch((error: unknown) => {
      if (!ends) throw error;
    });
    if (response) {
      assert.ok(
        refused.includes(response.status),
        `${response.status} is none of ${refused.join()}`,
      );
      if (closes) await readRefusalEnd(client, response);
      else await readSentinel(client).catch(() => client.readEnd(timeoutMs));
    }
  } else if (closes) {
    await client.readEnd(timeoutMs);
    assert.equal(client.unread.toString("latin1"), "");
  } else {
    await readSentinel(client);
  }
  return passed;
}

async function readSentinel(client: RawConnection): Promise<void> {
  await client.send(sentinel);
  assert.equal((await readFinal(client, "GET")).status, 200, "the request behind it");
}

async function readFinal(client: RawConnection, method: string): Promise<RawResponse> {
  for (;;) {
    const response = await client.readResponse({ responseTo: method }, timeoutMs);
    if (response.status >= 200) return response;
  }
}

async function readRefusalEnd(client: RawConnection, response: RawResponse): Promise<void> {
  assert.equal(headerValue(response, "content-type"), "application/problem+json");
  assert.equal(JSON.parse(response.body.toString("latin1")).status, response.status);
  await client.readEnd(timeoutMs);
  assert.equal(client.unread.toString("latin1"), "", "bytes behind a refusal");
}

/** Waits until the service has seen all it will see of what was sent so far. */
async function settle(t: Cleanup): Promise<void> {
  const client = await rawConnect(t, gateway.port);
  await client.send(sentinel);
  assert.equal((await readFinal(client, "GET")).status, 200, "the gateway after it");
  client.destroy();
  // A request passed on in part must be broken off, never completed by the next one.
  for (const connection of service.unfinished()) await connection.readEnd(timeoutMs);
}

function compare(all: readonly RawMessage[], expected: readonly PassedRequest[]): void {
  for (const request of all) checkFraming(request);
  const seen = all.filter(({ startLine }) => startLine !== "GET /sentinel HTTP/1.1");
  const lines = seen.map(({ startLine }) => startLine);
  const wanted = expected.map(({ method, target }) => `${method} ${target} HTTP/1.1`);
  assert.deepEqual(lines, wanted, "what the service saw");
  for (const [index, request] of seen.entries()) compareOne(request, expected[index]!);
}

/** Holds for every request that the gateway passes on, whatever the client sent. */
function checkFraming(request: RawMessage): void {
  const lengths = headerValues(request, "content-length");
  const codings = headerValues(request, "transfer-encoding");
  assert.ok(lengths.length + codings.length <= 1, "more than one framing");
  if (lengths.length > 0) assert.match(lengths[0]!, /^\d{1,15}$/);
  if (codings.length > 0) assert.equal(codings[0]!.toLowerCase(), "chunked");
  assert.ok(headerValues(request, "host").length <= 1, "more than one Host");
  const head = request.raw.toString("latin1", 0, request.raw.indexOf("\r\n\r\n"));
  for (const line of head.split("\r\n").slice(1)) {
    assert.match(line, /^[!#$%&'*+\-.^_`|~\w]+: ?[\t\x20-\x7e\x80-\xff]*$/);
  }
}

function compareOne(request: RawMessage, expected: PassedRequest): void {
  for (const [name, value] of Object.entries(expected.headers ?? {})) {
    assert.deepEqual(headerValues(request, name), [value], name);
  }
  for (const name of expected.absent ?? []) {
    assert.deepEqual(headerValues(request, name), [], name);
  }
  if (expected.body !== undefined) assert.equal(request.body.toString("latin1"), expected.body);
  if (expected.trailers !== undefined) assert.deepEqual(request.trailers, expected.trailers);
}
