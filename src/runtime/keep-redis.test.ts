import assert from "node:assert/strict";
import { test } from "node:test";
import { freePort } from "../../test/support/free-port.ts";
import { KeptValues } from "../base/kept-values.ts";
import { logTo } from "../base/log/log.ts";
import { MetricView } from "../base/metrics/metric-view.ts";
import { validate } from "../config/validate.ts";
import { keepRedis } from "./keep-redis.ts";

test("keep Redis: reloads keep the connection until the configuration or a file of it changes", async () => {
  const port = await freePort();
  const values = new KeptValues();
  const keep = async (options: object, materials: Record<string, string> = {}) => {
    const { config } = validate({ redis: options }, {});
    const kept = values.lease();
    const lines: string[] = [];
    const log = logTo((_, message) => lines.push(message));
    const redis = await keepRedis(config!.redis!, {
      materials,
      kept,
      log,
      metrics: MetricView.discarding(),
    });
    return { redis, kept, lines };
  };
  const options = { url: `rediss://127.0.0.1:${port}`, tls: { ca: "ca.pem" } };
  const first = await keep(options, { "ca.pem": "one" });
  assert.deepEqual(first.lines, ["Redis is away"], "it does not wait until Redis is there");
  const same = await keep(options, { "ca.pem": "one" });
  assert.equal(same.redis, first.redis);
  const renewed = await keep(options, { "ca.pem": "two" });
  assert.notEqual(renewed.redis, first.redis);
  const slower = await keep({ ...options, timeout: "1s" }, { "ca.pem": "two" });
  assert.notEqual(slower.redis, renewed.redis);
  assert.equal(values.size, 3);
  for (const { kept } of [first, same, renewed, slower]) kept.release();
  assert.equal(values.size, 0);
});
