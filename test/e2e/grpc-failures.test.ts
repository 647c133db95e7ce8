/** Failures that a service tells in gRPC, over real connections, as the access log has them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http2 from "node:http2";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { startGateway } from "../support/gateway.ts";
import { serveHttp2 } from "../support/http2-service.ts";
import { metricValue } from "../support/metric-value.ts";
import { until } from "../support/until.ts";

const GRPC = { ":status": 200, "content-type": "application/grpc" };

test("gRPC: statuses in heads and in trailers eject a target, and stand in the access log", async (t) => {
  const service = await serveHttp2(t, (stream, raw) => {
    stream.resume();
    if (raw.includes("/head")) {
      stream.respond({ ...GRPC, "grpc-status": "14" }, { endStream: true });
      return;
    }
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "13" }));
    stream.respond(GRPC, { waitForTrailers: true });
    stream.end("message");
  });
  const target = `http://127.0.0.1:${service.port}`;
  const gateway = await startGateway(t, {
    log: { access: { file: "access.log", fields: ["path", "status", "grpcStatus"] } },
    services: {
      s: { targets: [target], http2: true, retry: false, outliers: { consecutive5xx: 4 } },
    },
    routes: [{ match: "/*", service: "s" }],
  });
  const client = http2.connect(gateway.url);
  t.after(() => client.destroy());
  for (const path of ["/head", "/trailers", "/head", "/trailers"]) {
    const stream = client.request({ ":method": "POST", ":path": path, te: "trailers" });
    stream.end("message");
    stream.resume();
    await once(stream, "end");
  }
  const ejections = "gateward_target_ejections_total";
  await until(async () => (await metricValue(gateway, ejections, { service: "s" })) === 1);
  const log = join(dirname(gateway.configFile), "access.log");
  await until(() => readFileSync(log, "utf8").split("\n").length > 4);
  const lines = readFileSync(log, "utf8").trim().split("\n");
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { grpcStatus: string }).grpcStatus),
    ["unavailable", "internal", "unavailable", "internal"],
  );
});
