/**
 * Hundreds of exchanges whose ends misbehave by chance: whatever happens, every client gets a whole
 * answer or sees that it has none, no answer reaches another client, and nothing is left behind.
 */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../../src/base/random.ts";
import { fileCleanup } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import type { Gateway } from "../support/gateway.ts";
import { metricValue } from "../support/metric-value.ts";
import { rawConnect } from "../support/raw-client.ts";
import type { RawConnection } from "../support/raw-connection.ts";
import { plainResponse, startRawServer } from "../support/raw-server.ts";
import type { RawServer } from "../support/raw-server.ts";
import { until } from "../support/until.ts";

const shared = fileCleanup();
const clientCount = 100;
const roundCount = 10;
const given = process.env["PROPERTY_SEED"] ?? "1";
const seed = given === "random" ? Date.now() & 0xffff : Number(given);

describe(`chaos, seed ${seed}`, () => {
  const random = new Random(seed);
  const chance = (percent: number): boolean => random.below(100) < percent;
  let gateway: Gateway;
  let service: RawServer;

  /** Answers with the path that was asked for, in one of many ways, or does something else. */
  const misbehave = async (connection: RawConnection): Promise<void> => {
    for (;;) {
      if (chance(10)) {
        // Does not wait for the body.
        const head = (await connection.readUntil("\r\n\r\n")).toString();
        await connection.send(answerTo(head.split(" ")[1]!));
        if (chance(50)) return connection.reset();
        await connection.readEnd();
        return;
      }
      const { startLine } = await connection.readRequest();
      const path = startLine.split(" ")[1]!;
      if (chance(30)) await sleep(random.below(20));
      switch (random.below(14)) {
        case 0:
          return connection.reset();
        case 1:
          return connection.end();
        case 2:
          await connection.send(answerTo(path).slice(0, random.below(60)));
          return chance(50) ? connection.reset() : connection.end();
        case 3:
          await connection.send("nonsense\r\n\r\n");
          break;
        case 4:
          // Says nothing more.
          await connection.readEnd();
          return;
        case 5:
          // Where several answers are awaited, a surplus one is taken for the next: nobody can tell.
          if (path.startsWith("/piped")) await connection.send(answerTo(path));
          else await connection.send(plainResponse(path) + plainResponse("/surplus"));
          break;
        case 6:
          await connection.send(answerTo(path));
          return connection.end();
        case 7:
          await connection.sendCut(answerTo(path), random.below(20), 20 + random.below(40));
          break;
        default:
          await connection.send(answerTo(path));
          break;
      }
    }
  };

  const answerTo = (path: string): string => {
    const body = path.padEnd(chance(20) ? 100_000 : path.length, ".");
    if (chance(50)) return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    return `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`;
  };

  /** The limit tells one revision from the next: pools whose settings differ are not shared. */
  const configWith = (connectionsMax: number) => {
    // The service always accepts: where that takes seconds, the machine is busy, and nothing is to be said of it.
    const timeout = { response: "200ms", idle: "200ms", connect: "60s" };
    const targets = [service.url];
    const connections = { max: connectionsMax, waiting: 5 };
    return {
      timeouts: { head: "300ms", body: "300ms", idle: "500ms", write: "500ms" },
      services: {
        plain: { targets, timeout },
        narrow: { targets, timeout, connections },
        piped: { targets, timeout, pipelining: 4 },
      },
      routes: [
        { match: "/plain/*", service: "plain" },
        { match: "/narrow/*", service: "narrow" },
        { match: "/piped/*", service: "piped" },
      ],
    };
  };

  before(async () => {
    service = await startRawServer(shared, misbehave);
    gateway = await startGateway(shared, configWith(3));
  });

  const requestFor = (path: string): string => {
    const head = `${path} HTTP/1.1\r\nHost: x\r\n`;
    switch (random.below(4)) {
      case 0: {
        const body = "x".repeat(random.below(chance(20) ? 200_000 : 2000));
        return `${chance(50) ? "PUT" : "POST"} ${head}Content-Length: ${body.length}\r\n\r\n${body}`;
      }
      case 1:
        return `POST ${head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`;
      default:
        return `GET ${head}\r\n`;
    }
  };

  /** One connection of a client. Counts the answers that came whole; checks that each is its own. */
  const visit = async (t: Parameters<typeof rawConnect>[0], name: string): Promise<number> => {
    const client = await rawConnect(t, gateway.port);
    const paths: string[] = [];
    let text = "";
    for (let count = 1 + random.below(4); count > 0; count--) {
      const first = ["plain", "narrow", "piped"][random.below(3)]!;
      paths.push(`/${first}/${name}-${paths.length}`);
      text += requestFor(paths.at(-1)!);
    }
    if (chance(20)) text = text.slice(0, random.below(text.length));
    await client.sendCut(text, random.below(text.length + 1));
    if (chance(15)) {
      await sleep(random.below(30));
      client.reset();
      return 0;
    }
    if (chance(30)) client.end();
    if (chance(10)) {
      client.pause();
      await sleep(random.below(50));
      client.resume();
    }
    let whole = 0;
    for (const path of paths) {
      const response = await client.readResponse().catch(() => undefined);
      if (response === undefined) break;
      whole++;
      const body = response.body.toString("latin1");
      if (response.status === 200) assert.match(body, new RegExp(`^${path}\\.*$`));
      else assert.match(body, /^\{"type":"https:/);
    }
    // An answer that did not come must be seen as missing: the connection has ended, or it will.
    if (whole < paths.length) await client.readEnd();
    client.destroy();
    return whole;
  };

  test("whatever both ends do, no answer is mixed up, and nothing is left behind", async (t) => {
    let whole = 0;
    const run = async (client: number): Promise<void> => {
      for (let round = 0; round < roundCount; round++) {
        const count = await visit(t, `${client}-${round}`);
        whole += count;
      }
    };
    let running = true;
    const reload = async (): Promise<void> => {
      for (let count = 0; running; count++) {
        assert.equal(await gateway.reload(configWith(4 + (count % 2))), "applied");
        await sleep(100);
      }
    };
    const reloading = reload();
    await Promise.all(Array.from({ length: clientCount }, async (_, client) => await run(client)));
    running = false;
    await reloading;
    assert.ok(whole > 500, `only ${whole} answers`);
    const left: readonly (readonly [string, Record<string, string>])[] = [
      ["gateward_in_flight_requests", {}],
      ["gateward_client_connections", {}],
      ["gateward_upstream_connections", { state: "active" }],
    ];
    for (const [name, labels] of left) {
      await until(async () => (await metricValue(gateway, name, labels)) === 0);
    }
    const own = { match: "/", respond: { body: "own" } };
    // Without the services nothing holds on to a connection, be it of the first revision or the last.
    assert.equal(await gateway.reload({ services: {}, routes: [own] }), "applied");
    for (const connection of service.connections) await connection.readEnd();
    assert.equal(await metricValue(gateway, "gateward_worker_restarts_total"), 0);
    assert.equal(gateway.output, "");
  });
});
