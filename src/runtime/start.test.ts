import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { get } from "node:http";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { FakeAnswer } from "../../test/support/fake-data-plane.ts";
import { freePort } from "../../test/support/free-port.ts";

const script = new URL("../../test/support/fake-gateway.ts", import.meta.url).pathname;

interface Run {
  child: ChildProcess;
  file: string;
  folder: string;
  port: number;
  adminPort: number;
  write(route: string, ...lines: string[]): Promise<void>;
  ask(path: string, port?: number): Promise<{ status: number; body: string }>;
  /** Name of the first route that is served. */
  served(): Promise<string | undefined>;
  stderr(): string;
  exit: Promise<[number | null, NodeJS.Signals | null]>;
}

interface RunSettings {
  /** Further lines of the document. */
  lines?: string[];
  /** Name of the first route. */
  route?: string;
  /** Does not wait until it is ready. */
  isUnready?: boolean;
  /** Source that runs before it, in its main thread. */
  prelude?: string;
}

/** Starts a process and waits until it is ready. */
async function run(context: TestContext, settings: RunSettings = {}): Promise<Run> {
  const { lines = [], route: firstRoute = "one", isUnready = false, prelude = "" } = settings;
  const folder = await mkdtemp(join(tmpdir(), "gateward-"));
  const file = join(folder, "gateward.yaml");
  const [port, adminPort] = [await freePort(), await freePort()];
  const write = async (route: string, ...more: string[]): Promise<void> => {
    const head = [`listen: 127.0.0.1:${port}`, `admin: ${adminPort}`, ...lines, ...more].join("\n");
    const routes = `routes: [{ name: ${route}, match: GET /x, respond: { status: 204 } }]`;
    await writeFile(`${file}.new`, `${head}\n${routes}\n`);
    await rename(`${file}.new`, file);
  };
  await write(firstRoute);
  const flags = ["--import", `data:text/javascript,${encodeURIComponent(prelude)}`];
  const child = spawn(process.execPath, [...flags, script, file, "2"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const exit = once(child, "exit") as Run["exit"];
  context.after(async () => {
    child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });
  const ask = (path: string, to = port): ReturnType<Run["ask"]> => askPort(to, path);
  const served = async (): Promise<string | undefined> =>
    (JSON.parse((await ask("/")).body) as FakeAnswer).routes[0];
  const running = {
    child,
    file,
    folder,
    port,
    adminPort,
    write,
    ask,
    served,
    stderr: () => stderr,
    exit,
  };
  if (!isUnready) await until(() => isReady(running));
  return running;
}

async function isReady({ ask, adminPort }: Pick<Run, "ask" | "adminPort">): Promise<boolean> {
  const answer = await ask("/readyz", adminPort).catch(() => undefined);
  return answer?.status === 200;
}

async function askPort(port: number, path: string): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  get({ port, path, agent: false }, (response) => {
    let body = "";
    response.setEncoding("utf8").on("data", (part: string) => (body += part));
    response
      .on("end", () => resolve({ status: response.statusCode ?? 0, body }))
      .on("error", reject);
  }).on("error", reject);
  return promise;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(10);
}

test("start: mistakes are printed in their form, and the exit code is 2", async (context) => {
  const { exit, stderr } = await run(context, {
    lines: ["timeouts: { idel: 1s }"],
    isUnready: true,
  });
  assert.deepEqual(await exit, [2, null]);
  assert.match(stderr(), /gateward\.yaml:3:\d+ timeouts\.idel: /);
});

test("start: a listener that cannot be had is told, and the exit code is 1", async (context) => {
  const first = await run(context);
  const lines = [`listen: 127.0.0.1:${await freePort()}`, `admin: ${first.adminPort}`];
  const file = join(first.folder, "second.yaml");
  await writeFile(file, `${lines.join("\n")}\n`);
  const second = spawn(process.execPath, [script, file, "1"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  second.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  assert.deepEqual(await once(second, "exit"), [1, null]);
  assert.match(stderr, /admin: 127\.0\.0\.1:\d+ is taken by another program/);
});

test("start: SIGTERM finishes what is in flight, is not ready meanwhile, and exits with 0", async (context) => {
  const { child, ask, adminPort, exit, port } = await run(context);
  const slow = ask("/slow/1000");
  await until(async () => /"inFlight": 1/.test((await ask("/", adminPort)).body));
  child.kill("SIGTERM");
  await until(async () => (await ask("/readyz", adminPort)).status === 503);
  assert.equal((await ask("/healthz", adminPort)).status, 200);
  await assert.rejects(askPort(port, "/"), /ECONNREFUSED/);
  assert.equal((await slow).body, "slow and whole");
  assert.deepEqual(await exit, [0, null]);
});

test("start: the deadline of the configuration ends the wait for what is in flight", async (context) => {
  const { child, ask, adminPort, exit } = await run(context, {
    lines: ["timeouts: { shutdown: 200ms }"],
  });
  const slow = assert.rejects(ask("/slow/60000"));
  await until(async () => /"inFlight": 1/.test((await ask("/", adminPort)).body));
  child.kill("SIGTERM");
  assert.deepEqual(await exit, [0, null]);
  await slow;
});

test("start: a second signal ends at once, with the code shells give it", async (context) => {
  const { child, ask, adminPort, exit } = await run(context);
  const slow = assert.rejects(ask("/slow/60000"));
  await until(async () => /"inFlight": 1/.test((await ask("/", adminPort)).body));
  child.kill("SIGINT");
  await until(async () => (await ask("/readyz", adminPort)).status === 503);
  child.kill("SIGINT");
  assert.deepEqual(await exit, [130, null]);
  await slow;
});

test("start: SIGTERM ends it with 0 also while it starts", async (context) => {
  const { child, ask, adminPort, exit } = await run(context, {
    route: "stuck in 0",
    isUnready: true,
  });
  const isStarting = async (): Promise<boolean> =>
    (await ask("/readyz", adminPort).catch(() => undefined))?.body === "starting\n";
  await until(isStarting);
  child.kill("SIGTERM");
  assert.deepEqual(await exit, [0, null]);
});

test("start: SIGTERM ends it with 0 also while a reload does not come to its end", async (context) => {
  const { child, write, stderr, exit } = await run(context, { lines: ["log: { level: debug }"] });
  await write("stuck in 0");
  await until(() => stderr().includes("reading the configuration again"));
  child.kill("SIGTERM");
  assert.deepEqual(await exit, [0, null]);
});

test("start: SIGHUP reads the configuration again", async (context) => {
  const { child, write, served } = await run(context);
  assert.equal(await served(), "one");
  await write("two");
  child.kill("SIGHUP");
  await until(async () => (await served()) === "two");
});

test("start: SIGUSR2 has the access log opened anew, after it was moved away", async (context) => {
  const { child, ask, folder, stderr } = await run(context, {
    lines: ["log: { access: access.log }"],
  });
  const log = join(folder, "access.log");
  await ask("/before");
  await until(async () => (await readFile(log, "utf8")).includes("/before"));
  await rename(log, `${log}.1`);
  child.kill("SIGUSR2");
  await until(() => stderr().includes("reopening logs"));
  await until(async () => {
    await ask("/after");
    return (await readFile(log, "utf8").catch(() => "")).includes("/after");
  });
  assert.match(await readFile(`${log}.1`, "utf8"), /"path":"\/before"/);
});

test("start: the last lines of the access log are written before the process ends", async (context) => {
  const { child, ask, folder, exit } = await run(context, {
    lines: ["log: { access: access.log }"],
  });
  for (let index = 0; index < 20; index += 1) await ask(`/line/${index}`);
  child.kill("SIGTERM");
  await exit;
  const lines = (await readFile(join(folder, "access.log"), "utf8")).trim().split("\n");
  assert.equal(lines.filter((line) => line.includes("/line/")).length, 20);
});

test("start: an access log on standard output that nobody reads holds up neither requests nor the end", async (context) => {
  const { child, ask, exit } = await run(context, { lines: ["log: { access: true }"] });
  for (let index = 0; index < 300; index += 1) {
    assert.equal((await ask(`/${"x".repeat(1000)}`)).status, 200);
  }
  child.kill("SIGTERM");
  assert.deepEqual(await exit, [0, null]);
});

test("start: a failure of the main thread finishes what is in flight and exits with 1", async (context) => {
  const prelude = "process.on('SIGWINCH', () => { throw new Error('a mistake of ours') })";
  const { child, ask, adminPort, exit, stderr } = await run(context, { prelude });
  const slow = ask("/slow/700");
  await until(async () => /"inFlight": 1/.test((await ask("/", adminPort)).body));
  child.kill("SIGWINCH");
  assert.equal((await slow).body, "slow and whole");
  assert.deepEqual(await exit, [1, null]);
  assert.match(stderr(), /"level":"fatal".*a mistake of ours.*uncaught in the main thread/);
});
