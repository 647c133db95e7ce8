/** bin/gateward, with a stand-in for the gateway, under a Node that says it is an old one. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { placePinnedNode } from "./place-pinned-node.ts";

const bin = fileURLToPath(new URL("../../bin", import.meta.url));
const keepCompiledCode = fileURLToPath(
  new URL("../../src/cli/keep-compiled-code.ts", import.meta.url),
);

const standIn = `
export function main(argv: string[]): Promise<number> {
  console.log("arguments " + argv.join(" "));
  if (argv[0] === "fail") return Promise.resolve(3);
  let signals = 0;
  return new Promise((resolve) => {
    const stay = setInterval(() => {}, 1000);
    const stop = (signal: string) => {
      signals += 1;
      // As a gateway that finishes what is in flight.
      setTimeout(() => {
        console.log(signal + " " + signals);
        clearInterval(stay);
        resolve(0);
      }, 200);
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
    console.log("ready");
  });
}
`;

const oldNode = `
if (!process.env.GATEWARD_HANDED_OVER) {
  Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.1.0" } });
}
`;

/** A checkout with bin/, the stand-in and, unless told otherwise, a pinned Node. */
function checkout(t: TestContext, { pinned = true } = {}): string {
  const root = mkdtempSync(join(tmpdir(), "gateward-bin-"));
  t.after(() => rmSync(root, { recursive: true }));
  cpSync(bin, join(root, "bin"), { recursive: true });
  mkdirSync(join(root, "src", "cli"), { recursive: true });
  writeFileSync(join(root, "package.json"), `{ "type": "module" }`);
  writeFileSync(join(root, "src", "cli", "main.ts"), standIn);
  cpSync(keepCompiledCode, join(root, "src", "cli", "keep-compiled-code.ts"));
  writeFileSync(join(root, "old-node.cjs"), oldNode);
  if (pinned) placePinnedNode(root);
  return root;
}

function run(root: string, args: string[], { old = true, detached = false } = {}) {
  const script = join(root, "bin", "gateward");
  const before = old ? ["--require", join(root, "old-node.cjs")] : [];
  const child = spawn(process.execPath, [...before, script, ...args], { detached });
  let output = "";
  child.stdout.on("data", (text) => (output += text));
  child.stderr.on("data", (text) => (output += text));
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, output }));
  return { child, ended, said: (pattern: RegExp) => said(child, () => output, pattern) };
}

/** Waits until the output so far matches; fails where the child ends before it does. */
async function said(child: ChildProcess, output: () => string, pattern: RegExp): Promise<string> {
  for (;;) {
    const match = pattern.exec(output());
    if (match !== null) return match[1] ?? match[0];
    const more = await Promise.race([once(child.stdout!, "data"), once(child, "close")]);
    if (!Buffer.isBuffer(more[0])) assert.match(output(), pattern);
  }
}

test("executable: passes arguments on and the exit code back, on an old Node and a new one", async (t) => {
  const root = checkout(t);
  for (const old of [true, false]) {
    const { code, output } = await run(root, ["fail", "--now"], { old }).ended;
    assert.equal(output, "arguments fail --now\n");
    assert.equal(code, 3);
  }
});

test("executable: SIGTERM lets the gateway finish, and its exit code is kept", async (t) => {
  const { child, ended, said: saw } = run(checkout(t), ["start"]);
  await saw(/ready/);
  child.kill("SIGTERM");
  const { code, output } = await ended;
  assert.match(output, /SIGTERM 1\n/);
  assert.equal(code, 0);
});

test("executable: Ctrl-C, which goes to the whole process group, arrives once", async (t) => {
  const { child, ended, said: saw } = run(checkout(t), ["start"], { detached: true });
  await saw(/ready/);
  process.kill(-(child.pid as number), "SIGINT");
  const { code, output } = await ended;
  assert.match(output, /SIGINT 1\n/);
  assert.equal(code, 0);
});

test("executable: a gateway whose starter is killed outright stops as if told to", async (t) => {
  const { child, ended, said: saw } = run(checkout(t), ["start"]);
  await saw(/ready/);
  child.kill("SIGKILL");
  // The gateway holds the output open: it is closed when the gateway has ended.
  const { output } = await ended;
  assert.match(output, /SIGTERM 1\n/);
});

test("executable: without a Node that is new enough it says what to do", async (t) => {
  const { code, output } = await run(checkout(t, { pinned: false }), ["start"]).ended;
  assert.match(
    output,
    /needs Node 24 or newer, this is 20\.1\.0\. Run `npm ci` in .*gateward-bin-/,
  );
  assert.equal(code, 69);
});
