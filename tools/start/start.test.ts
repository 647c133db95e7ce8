/** `npm start`, seen from outside: a process, its output, its ports. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { freePort } from "./free-port.ts";

const script = fileURLToPath(new URL("../start.ts", import.meta.url));

interface StartSettings {
  readonly command?: [string, ...string[]];
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts it as the leader of a process group, as a shell does. */
function start(t: TestContext, { command, env }: StartSettings = {}) {
  const [program, ...args] = command ?? [process.execPath, script];
  const child = spawn(program, args, {
    detached: true,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(() => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  });
  let output = "";
  const waiting = new Set<() => void>();
  const collect = (text: Buffer) => {
    output += text.toString();
    for (const look of waiting) look();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const ended = once(child, "close");

  /** The first group of the pattern, once the output matches it. */
  const said = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(output);
        if (match !== null) resolve(match[1] ?? "");
      };
      waiting.add(look);
      look();
      const fail = () => reject(new Error(`ended before it said ${pattern}:\n${output}`));
      void ended.then(fail);
    });
  return { child, said, output: () => output, ended };
}

function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
  }).then((open) => {
    socket.destroy();
    return open as boolean;
  });
}

test("npm start: the three services answer through the gateway, and Ctrl-C ends everything", async (t) => {
  const started = start(t);
  const url = await started.said(/Gateward answers on (http:\S+),/);

  const user = await fetch(`${url}/api/v1/users/123`);
  assert.equal(user.status, 200);
  assert.match(user.headers.get("x-instance") ?? "", /^users-[12]$/);
  assert.deepEqual(await user.json(), { id: "123", name: "User 123", plan: "free" });

  const product = await fetch(`${url}/api/v1/products/456`);
  assert.equal(((await product.json()) as { title: string }).title, "Product 456");

  const body = JSON.stringify({ product: "456" });
  const order = await fetch(`${url}/api/v1/orders`, { method: "POST", body });
  assert.equal(order.status, 201);
  const { id } = (await order.json()) as { id: number };
  assert.equal((await fetch(`${url}/api/v1/orders/${id}`)).status, 200);

  // What a terminal does on Ctrl-C: the signal goes to the whole group.
  process.kill(-(started.child.pid as number), "SIGINT");
  // Closed by the services too, which hold the same output.
  const [code] = await started.ended;
  assert.equal(code, 0, started.output());
  assert.equal(await isOpen(Number(new URL(url).port)), false);
});

test("npm start: killed outright, it leaves no service behind", async (t) => {
  const started = start(t);
  await started.said(/Gateward answers on (http:\S+),/);
  started.child.kill("SIGKILL");
  await started.ended;
});

test("npm start: when npm is told to end, or killed outright, everything ends", async (t) => {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    const started = start(t, { command: ["npm", "start"] });
    await started.said(/Gateward answers on (http:\S+),/);
    started.child.kill(signal);
    await started.ended;
  }
});

test("npm start: with a file it runs that one, found from where the user is, without services", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "gateward-start-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const port = await freePort(0, "127.0.0.1");
  const file = join(folder, "own.json");
  const respond = { status: 200, body: "own" };
  const routes = [{ match: "GET /", respond }];
  writeFileSync(file, JSON.stringify({ listen: `127.0.0.1:${port}`, admin: false, routes }));

  const config = join(basename(folder), "own.json");
  const started = start(t, {
    command: [process.execPath, script, "--config", config],
    env: { INIT_CWD: dirname(folder) },
  });
  await started.said(/serving/);
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "own");
  assert.doesNotMatch(started.output(), /Gateward answers on/);
  started.child.kill("SIGTERM");
  const [code] = await started.ended;
  assert.equal(code, 0, started.output());
});
