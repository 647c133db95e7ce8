/** `gateward keys` and `gateward consumers`, in this process, on a folder of their own. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { type Outcome, runMain } from "../../test/support/run-main.ts";
import { apiKeyForm } from "../base/api-key.ts";

/** What the commands print as JSON: of a key, of a consumer. */
interface Told {
  key: string;
  id: string;
  name: string;
  state: string;
  consumer: string;
  scopes: string[];
  groups: string[];
  plan: string;
  expires: string;
  revoked: string;
}

const DOCUMENT = `
consumers: { web: { scopes: [read] } }
plans: { free: {}, gold: {} }
services: { a: http://127.0.0.1:1 }
routes: [{ match: /a, service: a }]
`;

/** A command line on an empty store, with a document or without. */
function setUp(t: TestContext, document = DOCUMENT) {
  const folder = mkdtempSync(join(tmpdir(), "gateward-keys-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "gateward.yaml"), document);
  const run = (...args: string[]): Promise<Outcome> => {
    const place = args.includes("--data") ? [] : ["--config", join(folder, "gateward.yaml")];
    return runMain(t, ...args, ...place);
  };
  const told = async (args: string[]): Promise<unknown> =>
    JSON.parse((await run(...args, "--json")).out);
  const json = async (...args: string[]) => (await told(args)) as Told;
  const list = async (...args: string[]) => (await told(args)) as Told[];
  return { folder, run, json, list };
}

test("keys create: prints the key alone on standard output, and never again", async (t) => {
  const { run } = setUp(t);
  const { exitCode, out: key, err } = await run("keys", "create", "--consumer", "web");
  assert.equal(exitCode, 0);
  assert.equal(apiKeyForm(key), "intact");
  assert.match(err, /^Key \w{8} of web; it does not expire/);
  for (const args of [["list"], ["list", "--json"], ["show", key], ["show", key, "--json"]]) {
    const { exitCode: shown, out } = await run("keys", ...args);
    assert.equal(shown, 0);
    assert.match(out, /web/);
    assert.doesNotMatch(out, new RegExp(key.slice(3, 20)));
  }
});

test("keys create: a consumer that is nowhere is a mistake, unless it is to be made", async (t) => {
  const { run, list } = setUp(t);
  const unknown = await run("keys", "create", "--consumer", "wep");
  assert.equal(unknown.exitCode, 2);
  assert.equal(unknown.err, 'gateward: no consumer named "wep"; did you mean "web"?');
  const traits = ["--groups", "a, b", "--plan", "gold", "--metadata", '{"team":7}'];
  const made = await run("keys", "create", "--consumer", "partner", "--create-consumer", ...traits);
  assert.equal(made.exitCode, 0);
  const consumers = await list("consumers", "list");
  assert.deepEqual(
    consumers.find(({ name }) => name === "partner"),
    {
      name: "partner",
      source: "store",
      groups: ["a", "b"],
      roles: [],
      scopes: [],
      metadata: { team: 7 },
      plan: "gold",
    },
  );
});

test("keys: mistakes in the command line leave nothing behind", async (t) => {
  const { run, list } = setUp(t);
  const create = ["keys", "create", "--consumer", "new", "--create-consumer"];
  for (const [args, message] of [
    [["keys", "create"], /add --consumer NAME/],
    [[...create, "--plan", "golt"], /no plan named "golt"; did you mean "gold"\?/],
    [[...create, "--expires", "90"], /not a duration/],
    [[...create, "--expires", "2020-01-01"], /has passed/],
    [[...create, "--metadata", "[]"], /not a map in JSON/],
    [["keys", "create", "--consumer", "web", "--plan", "gold"], /add --create-consumer/],
    [["keys", "create", "--consumer", "a b", "--create-consumer"], /not a consumer's name/],
    [["keys", "revoke", "nobody"], /`gateward keys list` has the ids/],
    [["consumers", "update", "web", "--plan", "gold"], /one of the document; change it there/],
    [["consumers", "create", "web"], /one of the document/],
    [["consumers", "delete", "nobody"], /no consumer named "nobody" in the store/],
  ] as const) {
    const { exitCode, err } = await run(...args);
    assert.equal(exitCode, 2, args.join(" "));
    assert.match(err, message);
  }
  assert.deepEqual(await list("keys", "list"), []);
  assert.equal((await list("consumers", "list")).length, 1);
});

test("keys revoke: takes the id or the key itself, and tells a typing error", async (t) => {
  const { run, json } = setUp(t);
  const { key, id } = await json("keys", "create", "--consumer", "web");
  const mistyped = await run(
    "keys",
    "revoke",
    key.replace(/.$/, (last) => (last === "x" ? "y" : "x")),
  );
  assert.equal(mistyped.exitCode, 2);
  assert.match(mistyped.err, /checksum is wrong/);
  assert.equal((await json("keys", "show", id)).state, "active");
  assert.equal((await json("keys", "revoke", key)).state, "revoked");
  const again = await json("keys", "revoke", id);
  assert.equal(again.revoked, (await json("keys", "show", id)).revoked);
});

test("keys rotate: the new key is like the old one, which ends after its grace", async (t) => {
  const { run, json } = setUp(t);
  const args = ["--consumer", "web", "--name", "ci", "--scopes", "read", "--expires", "30d"];
  const old = await json("keys", "create", ...args);
  const made = await json("keys", "rotate", old.id, "--grace", "1h");
  assert.notEqual(made.key, old.key);
  assert.deepEqual([made.consumer, made.name, made.scopes], ["web", "ci", ["read"]]);
  const days = (Date.parse(made.expires) - Date.now()) / 86_400_000;
  assert.ok(days > 29.9 && days <= 30, `${days}`);
  const hours = (Date.parse((await json("keys", "show", old.id)).expires) - Date.now()) / 3_600_000;
  assert.ok(hours > 0.9 && hours <= 1, `${hours}`);
  await run("keys", "rotate", made.id, "--grace", "0");
  assert.equal((await json("keys", "show", made.id)).state, "expired");
  const late = await run("keys", "rotate", made.id);
  assert.equal(late.exitCode, 2);
  assert.match(late.err, /is expired/);
});

test("consumers: one is changed in what is named, and goes with its keys", async (t) => {
  const { run, list } = setUp(t);
  await run("consumers", "create", "partner", "--groups", "a", "--plan", "free");
  await run("keys", "create", "--consumer", "partner");
  await run("consumers", "update", "partner", "--plan", "gold");
  const [, partner] = await list("consumers", "list");
  assert.deepEqual([partner!.groups, partner!.plan], [["a"], "gold"]);
  const { out } = await run("consumers", "delete", "partner");
  assert.equal(out, "the consumer partner is deleted, with 1 key");
  assert.deepEqual(await list("keys", "list"), []);
});

test("keys: the document need not be whole, and variables of the gateway's need not be there", async (t) => {
  const partial =
    "data: elsewhere\nconsumers: { web: { keys: '${NOT_HERE}', groups: g } }\nroutes: 5";
  const { folder, run, list } = setUp(t, partial);
  assert.equal((await run("keys", "create", "--consumer", "web")).exitCode, 0);
  assert.ok(existsSync(join(folder, "elsewhere", "keys.db")));
  const [web] = await list("consumers", "list");
  assert.deepEqual([web!.name, web!.groups], ["web", ["g"]]);
});

test("keys: a folder that is named needs no document; one that cannot be read says what is wrong", async (t) => {
  const { folder, run } = setUp(t, "consumers: [");
  const broken = await run("keys", "list");
  assert.equal(broken.exitCode, 2);
  assert.match(broken.err, /gateward.yaml:1:\d+ .*--data FOLDER/);
  const data = ["--data", join(folder, "elsewhere")];
  const made = await run("keys", "create", "--consumer", "a", "--create-consumer", ...data);
  assert.equal(made.exitCode, 0);
  writeFileSync(join(folder, "file"), "");
  const failed = await run("keys", "list", "--data", join(folder, "file"));
  assert.equal(failed.exitCode, 1);
  assert.match(failed.err, /cannot be used/);
});
