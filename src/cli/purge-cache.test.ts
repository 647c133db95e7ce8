/** `gateward cache purge`, in this process, on a gateway that is a process of its own. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { freePort } from "../../test/support/free-port.ts";
import { startGateway } from "../../test/support/gateway.ts";
import { startHttpService } from "../../test/support/http-service.ts";
import { type Outcome, runMain } from "../../test/support/run-main.ts";

function run(t: TestContext, ...args: string[]): Promise<Outcome> {
  return runMain(t, "cache", "purge", ...args);
}

test("cache purge: what is named is forgotten, found by the document or by --admin", async (t) => {
  const service = await startHttpService(t, {
    answer: (_, response) => {
      response.writeHead(200, { "cache-control": "max-age=60", "cache-tag": "a, b" }).end("x");
    },
  });
  const gateway = await startGateway(t, {
    services: { shop: service.url },
    routes: [{ match: "/*", service: "shop", policies: ["cache"] }],
  });
  const ask = async (path: string) => (await fetch(gateway.url + path)).text();
  const place = ["--config", gateway.configFile];
  const cases: [args: string[], out: string][] = [
    [["--url", `${gateway.url}/1`], `url ${gateway.url}/1: 1 response forgotten`],
    [["--tag", "a"], "tag a: 2 responses forgotten"],
    [["--tag", "none, b"], "tag none: 0 responses forgotten\ntag b: 2 responses forgotten"],
    [["--url", `${gateway.url}/*`], `url ${gateway.url}/*: 2 responses forgotten`],
    [["--all"], "everything: 2 responses forgotten"],
  ];
  for (const [args, out] of cases) {
    for (const path of ["/1", "/2"]) await ask(path);
    const before = service.seen.length;
    const outcome = await run(t, ...args, ...place);
    assert.deepEqual([outcome.exitCode, outcome.out], [0, out]);
    await ask("/1");
    assert.equal(service.seen.length, before + 1, args.join(" "));
  }
  for (const admin of [gateway.adminUrl, `127.0.0.1:${gateway.adminPort}`]) {
    const { exitCode, err } = await run(t, "--tag", "none", "--admin", admin);
    assert.equal(exitCode, 0);
    assert.match(err, /nothing in the gateway's memory matched/);
  }
  const hint = /a \* stands for itself, but for \/\* at the end/;
  for (const path of ["/x*", "/*/x", "/*?x", "/?x=/*"]) {
    assert.match((await run(t, "--url", gateway.url + path, ...place)).err, hint, path);
  }
  assert.doesNotMatch((await run(t, "--url", `${gateway.url}/none/*`, ...place)).err, hint);
  const deep = await run(t, "--url", `${gateway.url}/1/2/3/4/5/6/7/8/9/*`, ...place);
  assert.equal(deep.exitCode, 1);
  assert.match(deep.err, /too deep.* purge http:.*\/7\/8\/\*/);
  const status = await (await fetch(`${gateway.adminUrl}/cache`)).json();
  const { purges, hitRatio, memory } = status as Record<string, number> & { memory: object };
  assert.deepEqual([purges, typeof hitRatio], [13, "number"]);
  assert.deepEqual(Object.keys(memory), ["bytes", "bytesMax", "entries", "entriesMax"]);
});

test("cache purge: where no gateway answers, or another program does, it says so", async (t) => {
  const address = `http://127.0.0.1:${await freePort()}`;
  const away = await run(t, "--all", "--admin", address);
  assert.deepEqual(away, {
    exitCode: 1,
    out: "",
    err: `gateward: no gateway answers at ${address}: ECONNREFUSED`,
  });
  const other = createServer((_, response) => void response.end("hello")).listen(0, "127.0.0.1");
  t.after(() => other.close());
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const { exitCode, err } = await run(t, "--all", "--admin", `127.0.0.1:${port}`);
  assert.equal(exitCode, 1);
  assert.match(err, /is no admin API \(200\)/);
});

test("cache purge: mistakes in what is to be forgotten, or where, have exit code 2", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "gateward-purge-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const config = join(folder, "gateward.yaml");
  const cases: [args: string[], message: RegExp, document?: string][] = [
    [[], /name one of --url/],
    [["--all", "--tag", "a"], /too much at once/],
    [["--tag", ","], /names none/],
    [["--url", "/products/1"], /--url is none: "\/products\/1"/],
    [["--all"], /it listens nowhere/, "admin: false"],
    [["--all"], /is no address/, "admin: [1]"],
    [["--all"], /gateward\.yaml:1:/, "admin: {"],
    [["--all", "--admin", "ftp://a"], /--admin is no address/],
  ];
  for (const [args, message, document = "{}"] of cases) {
    writeFileSync(config, document);
    const { exitCode, out, err } = await run(t, ...args, "--config", config);
    assert.deepEqual([exitCode, out], [2, ""], args.join(" "));
    assert.match(err, message);
  }
});
