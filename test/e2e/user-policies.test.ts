/** Policies of the user's, from files and packages, in a gateway with several workers. */
import assert from "node:assert/strict";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { metricValue } from "../support/metric-value.ts";

const ROUTES = [{ match: "/*", respond: { body: "answered" } }];

function policyText(word: string): string {
  return `
import { definePolicy, section } from "gateward";
import { word } from "./word.ts";
export default definePolicy({
  name: "stamp",
  summary: "Says a word.",
  schema: section({}).prefault({}),
  results: ["said"],
  compile(_, { counter }) {
    ${word}
    const said = counter("said");
    return {
      onResponse({ response }) {
        said.add(1);
        response.fields.set("x-word", word);
      },
    };
  },
});
`;
}

/** Beside the configuration; in one step, so that nobody reads half a file. */
function write(gateway: Gateway, name: string, text: string): void {
  const file = join(dirname(gateway.configFile), name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.next`, text);
  renameSync(`${file}.next`, file);
}

async function wordOf(gateway: Gateway): Promise<string | null> {
  const response = await fetch(gateway.url, { headers: { connection: "close" } });
  assert.equal(await response.text(), "answered");
  return response.headers.get("x-word");
}

/** Until both workers have it: each request comes over a new connection. */
async function untilAllSay(gateway: Gateway, word: string): Promise<void> {
  await gateway.poll(15_000, `saying ${word}`, async () => {
    for (let time = 0; time < 10; time += 1) if ((await wordOf(gateway)) !== word) return undefined;
    return true;
  });
}

async function untilLogged(gateway: Gateway, text: string): Promise<void> {
  await gateway.poll(
    15_000,
    `telling ${text}`,
    async () => gateway.output.includes(text) || undefined,
  );
}

test("own policies: a file serves in every worker, follows its changes, and breaks nothing", async (t) => {
  const gateway = await startGateway(t, { routes: ROUTES, workers: 2 });
  write(gateway, "own/word.ts", `export const word: string = "one";`);
  write(gateway, "own/stamp.ts", policyText(""));
  const config = { routes: ROUTES, workers: 2, policies: ["./own/stamp.ts"] };
  assert.equal(await gateway.reload(config), "applied");
  await untilAllSay(gateway, "one");
  const labels = { policy: "stamp", at: "gateway", result: "said" };
  assert.ok((await metricValue(gateway, "gateward_policy_results_total", labels)) >= 10);

  write(gateway, "own/word.ts", `export const word: string = "two";`);
  await untilAllSay(gateway, "two");

  write(gateway, "own/word.ts", `export const word string = "three";`);
  await untilLogged(gateway, "cannot be loaded");
  assert.match(gateway.output, /own\/word\.ts:1:14/);
  assert.equal(await wordOf(gateway), "two");

  write(gateway, "own/word.ts", `export const word: string = "four";`);
  await untilAllSay(gateway, "four");

  write(gateway, "own/stamp.ts", policyText('throw new Error("not today");'));
  await untilLogged(gateway, "the policy ./own/stamp.ts of gateway fails: not today");
  assert.equal(await wordOf(gateway), "four");

  write(gateway, "own/stamp.ts", policyText("").replace("word);", "word + word);"));
  await untilAllSay(gateway, "fourfour");
  assert.equal(await gateway.reload({ ...config, policies: [] }), "applied");
  assert.equal(await wordOf(gateway), null);
});

test("own policies: a package beside the configuration serves", async (t) => {
  const gateway = await startGateway(t, { routes: ROUTES });
  const folder = "node_modules/@acme/gateward-stamp";
  const manifest = { name: "@acme/gateward-stamp", type: "module", exports: "./stamp.js" };
  write(gateway, `${folder}/package.json`, JSON.stringify(manifest));
  write(gateway, `${folder}/word.js`, `export const word = "packed";`);
  write(gateway, `${folder}/stamp.js`, policyText("").replace("./word.ts", "./word.js"));
  const policies = [{ "@acme/gateward-stamp": {}, unless: { path: "/quiet" } }];
  assert.equal(await gateway.reload({ routes: ROUTES, policies }), "applied");
  assert.equal(await wordOf(gateway), "packed");
  const quiet = await fetch(`${gateway.url}/quiet`);
  await quiet.text();
  assert.equal(quiet.headers.get("x-word"), null);
});

test("own policies: a file that one names is read again when it changes", async (t) => {
  const gateway = await startGateway(t, { routes: ROUTES, workers: 2 });
  write(
    gateway,
    "speak.js",
    `import { definePolicy, section, text } from "gateward";
export default definePolicy({
  name: "speak",
  summary: "Says what a file says.",
  schema: section({ file: text("a file").describe("Where it stands.") }),
  files: ({ file }) => [file],
  compile: (options, { file }) => {
    const word = file(options.file).trim();
    return { onResponse({ response }) { response.fields.set("x-word", word); } };
  },
});
`,
  );
  const config = { routes: ROUTES, workers: 2, policies: [{ "./speak.js": { file: "word.txt" } }] };
  assert.equal(await gateway.reload(config), "refused");
  assert.match(gateway.output, /\.file: word\.txt: there is no such file/);
  write(gateway, "word.txt", "first");
  assert.equal(await gateway.reload(config), "applied");
  await untilAllSay(gateway, "first");
  write(gateway, "word.txt", "second");
  await untilAllSay(gateway, "second");
});
