/** The command line as a process: what scripts and people see of it. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../bin/gateward", import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "gateward-cli-"));
after(() => rm(folder, { recursive: true }));

interface Outcome {
  exitCode: number;
  out: string;
  err: string;
}

async function gateward(args: readonly string[], cwd = folder, env = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { cwd, env: { ...process.env, ...env } };
    const child = execFile(process.execPath, [program, ...args], options, (_, out, err) => {
      resolve({ exitCode: child.exitCode ?? -1, out, err });
    });
  });
}

/** A new folder with these files. */
async function folderWith(files: Record<string, string>): Promise<string> {
  const made = await mkdtemp(join(folder, "case-"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(made, name), text);
  return made;
}

const RIGHT = "services: { a: http://127.0.0.1:1 }\nroutes: [{ match: GET /a/:id, service: a }]\n";
const WARNED = `${RIGHT}trustedProxies: [0.0.0.0/0]\n`;
const WRONG = "services: { a: http://127.0.0.1:1 }\nroutes:\n  - { match: /a, service: b }\n";

test("help: is printed for the program and for every command, with exit code 0", async () => {
  const all = await gateward(["--help"]);
  assert.equal(all.exitCode, 0);
  for (const name of ["start", "check", "routes", "init"]) {
    assert.match(all.out, new RegExp(`^  ${name} `, "m"));
    const one = await gateward([name, "--help"]);
    assert.equal(one.exitCode, 0);
    assert.match(one.out, new RegExp(`^Usage: gateward ${name} `));
    assert.match(one.out, /Exit codes: 0 /);
  }
});

test("version: is that of the package", async () => {
  const manifest = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  const { exitCode, out } = await gateward(["--version"]);
  assert.equal(exitCode, 0);
  assert.equal(out.trim(), (JSON.parse(manifest) as { version: string }).version);
});

for (const args of [
  [],
  ["chek"],
  ["check", "--strickt"],
  ["check", "--format", "xml"],
  ["init", "a", "b"],
]) {
  test(`command line: gateward ${args.join(" ")} is a mistake, exit code 2`, async () => {
    const { exitCode, out, err } = await gateward(args);
    assert.equal(exitCode, 2);
    assert.equal(args.length === 0 ? "" : out, "");
    assert.notEqual(err + out, "");
  });
}

test("command line: a slip in a command's name is told", async () => {
  const { err } = await gateward(["chek"]);
  assert.match(err, /^gateward: unknown command 'chek'\n\(Did you mean check\?\)/);
});

test("check: says how much there is when nothing is wrong, exit code 0", async () => {
  const { exitCode, out, err } = await gateward(
    ["check"],
    await folderWith({ "gateward.yaml": RIGHT }),
  );
  assert.deepEqual(
    [exitCode, out, err],
    [0, "gateward.yaml: 1 route, 1 service, no mistakes\n", ""],
  );
});

test("check: prints each mistake with its place, exit code 2", async () => {
  const cwd = await folderWith({ "gateward.yaml": WRONG });
  const { exitCode, out } = await gateward(["check"], cwd);
  assert.equal(exitCode, 2);
  assert.deepEqual(out.split("\n"), [
    "gateward.yaml:1:13 warning: services.a: nothing uses this service; add a route, or drop it",
    'gateward.yaml:3:27 routes[0].service: no service named "b"; there is only a',
    "gateward.yaml: 1 mistake, 1 warning",
    "",
  ]);
});

test("check: warnings pass, unless it is strict", async () => {
  const cwd = await folderWith({ "gateward.yaml": WARNED });
  const lax = await gateward(["check"], cwd);
  assert.equal(lax.exitCode, 0);
  assert.match(lax.out, /warning: trustedProxies\[0\]: .*\ngateward.yaml: 1 warning\n$/);
  assert.equal((await gateward(["check", "--strict"], cwd)).exitCode, 2);
});

test("check: --format json is for programs", async () => {
  const cwd = await folderWith({ "other.yaml": WRONG });
  const { exitCode, out } = await gateward(["check", "-c", "other.yaml", "-f", "json"], cwd);
  assert.equal(exitCode, 2);
  const report = JSON.parse(out) as { file: string; ok: boolean; mistakes: object[] };
  assert.deepEqual([report.file, report.ok], ["other.yaml", false]);
  assert.deepEqual(report.mistakes[1], {
    level: "error",
    file: "other.yaml",
    line: 3,
    column: 27,
    path: "routes[0].service",
    message: 'no service named "b"',
    hint: "there is only a",
  });
});

test("check: --print puts the configuration alone on standard output", async () => {
  const cwd = await folderWith({
    "gateward.yaml": `listen: \${PORT}\n${RIGHT}trustedProxies: 0.0.0.0/0\n`,
  });
  const { exitCode, out, err } = await gateward(["check", "--print"], cwd, { PORT: "8765" });
  assert.equal(exitCode, 0);
  const config = JSON.parse(out) as { listen: { port: number }[]; timeouts: { headMs: number } };
  assert.equal(config.listen[0]?.port, 8765);
  assert.equal(config.timeouts.headMs, 10_000);
  assert.match(err, /1 warning/);
});

test("check: --print hides passwords and secrets, wherever they stand", async () => {
  const redis = "{ sentinels: [localhost], password: s3cret, sentinelPassword: s3cret }";
  const long = "s3cret".repeat(8);
  const cwd = await folderWith({
    "gateward.yaml": `redis: ${redis}\npolicies: [basic-auth, csrf: { token: { secret: [${long}] } }]\n${RIGHT}`,
  });
  const { exitCode, out } = await gateward(["check", "--print"], cwd);
  assert.equal(exitCode, 0);
  assert.doesNotMatch(out, /s3cret/);
  assert.equal(out.match(/\(hidden\)/g)?.length, 3);
});

test("check: a folder without a configuration is told what to do, exit code 2", async () => {
  const { exitCode, out, err } = await gateward(["check"], await folderWith({}));
  assert.deepEqual([exitCode, out], [2, ""]);
  assert.match(err, /looked for gateward\.yaml, gateward\.yml, gateward\.json or gateward\.ts in /);
  assert.match(err, /`gateward init` writes one/);
});

test("check: a file that is not there is a mistake like any other", async () => {
  const { exitCode, out } = await gateward(["check", "--config", "absent.yaml"]);
  assert.equal(exitCode, 2);
  assert.match(out, /^absent\.yaml:1:1 there is no such file\n/);
});

test("routes: are printed in the order they are tried", async () => {
  const cwd = await folderWith({
    "gateward.yaml": `
services: { users: http://127.0.0.1:1, orders: http://127.0.0.1:2 }
policies: [request-id]
routes:
  - { match: /api/*, service: users, rewrite: /x/* }
  - { match: GET /api/users/:id, service: users }
  - match: { path: /api/orders/*, hosts: api.example.com, headers: { x-channel: mobile } }
    service: orders
  - { match: /old/*, redirect: { to: "https://example.com/*", status: 301 } }
  - { match: /, respond: { status: 204 } }
`,
  });
  const { exitCode, out } = await gateward(["routes"], cwd);
  assert.equal(exitCode, 0);
  assert.equal(
    out,
    `METHODS  HOSTS            PATH            GOES TO                             POLICIES
*        api.example.com  /api/orders/*   orders                              request-id
  if header x-channel=mobile
GET      *                /api/users/:id  users                               request-id
*        *                /api/*          users /x/*                          request-id
*        *                /old/*          redirect 301 https://example.com/*  request-id
*        *                /               respond 204                         request-id
`,
  );
});

test("routes: of a wrong configuration are not printed, exit code 2", async () => {
  const cwd = await folderWith({ "gateward.yaml": WRONG });
  const { exitCode, out, err } = await gateward(["routes"], cwd);
  assert.deepEqual([exitCode, out], [2, ""]);
  assert.match(err, /no service named "b"/);
});

for (const name of ["gateward.yaml", "gateward.json", "gateward.ts", "deep/er/other.yml"]) {
  test(`init: ${name} passes a strict check`, async () => {
    const cwd = await folderWith({});
    const written = await gateward(["init", name], cwd);
    assert.equal(written.exitCode, 0);
    assert.match(written.out, /gateward check/);
    const checked = await gateward(["check", "--strict", "--config", name], cwd);
    assert.equal(checked.out, `${name}: 3 routes, 2 services, no mistakes\n`);
    assert.equal(checked.exitCode, 0);
  });
}

test("init: leaves a file alone that is there, unless forced", async () => {
  const cwd = await folderWith({ "gateward.yaml": "mine" });
  const refused = await gateward(["init"], cwd);
  assert.equal(refused.exitCode, 1);
  assert.match(refused.err, /gateward\.yaml is there already; --force overwrites it/);
  assert.equal(await readFile(join(cwd, "gateward.yaml"), "utf8"), "mine");
  assert.equal((await gateward(["init", "--force"], cwd)).exitCode, 0);
  assert.match(await readFile(join(cwd, "gateward.yaml"), "utf8"), /^listen: 8080$/m);
});

test("init: a kind of file it cannot write is a mistake, exit code 2", async () => {
  const { exitCode, err } = await gateward(["init", "gateward.toml"]);
  assert.equal(exitCode, 2);
  assert.match(err, /should end in \.yaml, \.json or \.ts/);
});

test("start: refuses a wrong configuration before it serves, exit code 2", async () => {
  const cwd = await folderWith({ "gateward.yaml": WRONG });
  const { exitCode, err } = await gateward(["start"], cwd);
  assert.equal(exitCode, 2);
  assert.match(err, /gateward\.yaml:3:27 routes\[0\]\.service: no service named "b"/);
});

for (const workers of ["0", "many", "1.5", "513"]) {
  test(`start: --workers ${workers} is a mistake, exit code 2`, async () => {
    const { exitCode, err } = await gateward(["start", "--workers", workers]);
    assert.equal(exitCode, 2);
    assert.match(err, new RegExp(`--workers takes a whole number from 1 to 512, not ${workers}`));
  });
}
