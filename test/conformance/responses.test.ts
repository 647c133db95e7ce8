/**
 * Every entry of the response corpus through a gateway in a process of its own, in one piece and cut
 * in two. After each the service is well again, and the next request must get its own answer.
 */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { fileCleanup } from "../support/cleanup.ts";
import type { Cleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { rawConnect } from "../support/raw-client.ts";
import type { RawConnection } from "../support/raw-connection.ts";
import { headerValue } from "../support/raw-message.ts";
import type { RawResponse } from "../support/raw-message.ts";
import { plainResponse, startRawServer } from "../support/raw-server.ts";
import type { ResponseCase } from "./response-case.ts";
import { responseCorpus } from "./response-corpus.ts";

/** Longer than any deadline of the gateway in these tests. */
const timeoutMs = 3000;

/** A service of its own for each entry, so that none sees what another has left. */
class Misbehaving {
  readonly entry: ResponseCase;
  url = "";
  /** Where to cut the bytes; undefined is in one piece. */
  cut: number | undefined;
  /** True until the bytes have been sent once. */
  misbehaves = true;
  /** The connection they were sent on. */
  connection = Promise.withResolvers<RawConnection>();

  constructor(entry: ResponseCase) {
    this.entry = entry;
  }

  async start(t: Cleanup): Promise<void> {
    const server = await startRawServer(t, (connection) => this.serve(connection));
    this.url = server.url;
  }

  reset(cut: number | undefined): void {
    this.cut = cut;
    this.misbehaves = true;
    this.connection = Promise.withResolvers();
  }

  private async serve(connection: RawConnection): Promise<void> {
    for (;;) {
      await connection.readRequest(3_600_000);
      if (this.misbehaves) {
        this.misbehaves = false;
        await this.misbehave(connection);
        this.connection.resolve(connection);
        if (this.entry.then !== "stays") return;
      } else {
        await connection.send(plainResponse("second"));
      }
    }
  }

  private async misbehave(connection: RawConnection): Promise<void> {
    const { bytes, then } = this.entry;
    await (this.cut === undefined ? connection.send(bytes) : connection.sendCut(bytes, this.cut));
    if (then === "ends") connection.end();
    if (then === "resets") connection.reset();
  }
}

const cleanup = fileCleanup();
const services = responseCorpus.map((entry) => new Misbehaving(entry));
let gateway: Gateway;

before(async () => {
  for (const service of services) await service.start(cleanup);
  const named = services.map(({ url }, index) => [
    `s${index}`,
    { targets: [url], retry: { attempts: 0 } },
  ]);
  gateway = await startGateway(cleanup, {
    services: Object.fromEntries(named),
    routes: services.map((_, index) => ({ match: `/${index}`, service: `s${index}` })),
  });
});

for (const [index, service] of services.entries()) {
  const { bytes, name } = service.entry;
  test(`responses: ${name}`, async (t) => {
    for (const cut of [undefined, ...cuts(bytes)]) await attempt(t, index, service, cut);
  });
}

/** Just inside either end, within the line end of the head, and in the middle. */
function cuts(bytes: string): number[] {
  const places = [1, bytes.indexOf("\r\n\r\n") + 3, bytes.length >> 1, bytes.length - 1];
  return [...new Set(places.filter((at) => at > 0 && at < bytes.length))];
}

async function attempt(
  t: Cleanup,
  index: number,
  service: Misbehaving,
  cut: number | undefined,
): Promise<void> {
  const { entry } = service;
  service.reset(cut);
  const client = await rawConnect(t, gateway.port);
  try {
    await client.send(`${entry.method} /${index} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
    await checkAnswer(client, entry);
    const theirs = await service.connection.promise;
    if (entry.surplus) await theirs.readEnd(timeoutMs);
    await checkNext(t, client, index);
  } catch (error) {
    const how = cut === undefined ? "in one piece" : `cut before byte ${cut}`;
    throw new Error(`${how}: ${(error as Error).message}\n(${entry.why})`, { cause: error });
  } finally {
    client.destroy();
  }
}

async function checkAnswer(client: RawConnection, entry: ResponseCase): Promise<void> {
  const { verdict, orRefused, method } = entry;
  const informational: number[] = [];
  const read = async (): Promise<RawResponse> => {
    for (;;) {
      const response = await client.readResponse({ responseTo: method }, timeoutMs);
      if (response.status >= 200) return response;
      informational.push(response.status);
    }
  };
  if (verdict.kind === "broken") {
    const response = await read().catch((error: unknown) => {
      // Nothing but the end of the connection tells a client that it has not got all.
      if (client.ended === undefined) throw error;
    });
    if (response) checkRefusal(response);
    return;
  }
  const response = await read();
  if (verdict.kind === "refused" || (orRefused && response.status === 502)) {
    checkRefusal(response);
    return;
  }
  assert.equal(response.status, verdict.status);
  assert.equal(response.body.toString("latin1"), verdict.body);
  assert.deepEqual(informational, entry.informational);
}

function checkRefusal(response: RawResponse): void {
  assert.equal(response.status, 502);
  assert.equal(headerValue(response, "content-type"), "application/problem+json");
}

/** On the same connection, where it stands, and on another. */
async function checkNext(t: Cleanup, client: RawConnection, index: number): Promise<void> {
  const another = await rawConnect(t, gateway.port);
  for (const connection of [client, another]) {
    if (connection.ended !== undefined) continue;
    assert.equal(connection.unread.toString("latin1"), "", "bytes behind the response");
    await connection.send(`GET /${index} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
    const response = await connection.readResponse({}, timeoutMs);
    assert.equal(response.body.toString("latin1"), "second", "the next request's answer");
  }
  another.destroy();
}
