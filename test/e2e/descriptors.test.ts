/** A gateway that has no file descriptor left: it serves on, tells why, and recovers. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { Agent, get } from "node:http";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { startGateway } from "../support/gateway.ts";
import { metricValue } from "../support/metric-value.ts";
import { rawConnect } from "../support/raw-client.ts";
import { requires } from "../support/requires.ts";
import { runCommand } from "../support/run-command.ts";
import { startHttpService } from "../support/http-service.ts";

const skip = requires("prlimit");

test(
  "descriptors: when clients have taken all, the gateway serves on and recovers",
  { skip },
  async (t) => {
    const service = await startHttpService(t);
    const gateway = await startGateway(t, {
      services: { echo: service.url },
      routes: [
        { match: "/*", service: "echo" },
        { match: "/hello", respond: { body: "hello" } },
      ],
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    /** A scraper keeps its connection. */
    const scrape = async (): Promise<number | undefined> => {
      const [response] = (await once(
        get(`${gateway.adminUrl}/metrics`, { agent }),
        "response",
      )) as [IncomingMessage];
      response.resume();
      await once(response, "end");
      return response.statusCode;
    };
    assert.equal(await scrape(), 200);
    const client = await rawConnect(t, gateway.port);
    const ask = async (path: string) => {
      await client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      return (await client.readResponse()).status;
    };
    assert.equal(await ask("/hello"), 200);

    const pid = gateway.child.pid!;
    const used = readdirSync(`/proc/${pid}/fd`).length;
    const limit = await runCommand("prlimit", [
      "--pid",
      String(pid),
      `--nofile=${used + 10}:${used + 1000}`,
    ]);
    assert.equal(limit.code, 0, limit.stderr);
    const crowd = Array.from({ length: 40 }, () => connect(gateway.port, "127.0.0.1"));
    for (const socket of crowd) socket.on("error", () => {});
    t.after(() => crowd.forEach((socket) => void socket.destroy()));
    // Those beyond the limit are closed as soon as they are accepted.
    const closed = crowd.map((socket) => once(socket.resume(), "close"));
    await Promise.race(closed);

    assert.equal(await scrape(), 200);
    assert.equal(await ask("/hello"), 200);
    assert.equal(await ask("/a"), 502);
    await gateway.poll(5000, "telling why", async () => {
      const lines = gateway.output.split("\n");
      const told = lines.some((line) => line.includes("EMFILE") && line.includes("cannot connect"));
      return told || undefined;
    });

    for (const socket of crowd) socket.destroy();
    await Promise.all(closed);
    await gateway.poll(5000, "served again", async () =>
      (await fetch(`${gateway.url}/a`)).status === 200 ? true : undefined,
    );
    assert.equal(await ask("/a"), 200);
    assert.equal(await metricValue(gateway, "gateward_worker_restarts_total"), 0);
  },
);
