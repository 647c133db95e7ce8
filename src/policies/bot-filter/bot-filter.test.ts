import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import { Fault } from "../../base/faults.ts";
import { runPolicy } from "../../../test/support/policy-run.ts";
import type { Headers } from "../../../test/support/policy-run.ts";
import botFilter from "./bot-filter.ts";

type Options = z.input<typeof botFilter.schema>;

const chrome =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
const safari =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";
const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0";
const google = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
const gpt =
  "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)";
const apple =
  "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17 Safari/605.1.15 (Applebot/0.1)";
const unheardOf = "ShinyNewCrawler/0.1 (+https://shiny.example/bot)";

/** Code of the refusal, "" where the request goes on. */
async function refusal(options: Options, userAgent: string | undefined): Promise<string> {
  const headers: Headers = userAgent === undefined ? {} : { "User-Agent": userAgent };
  const { verdict } = await runPolicy(botFilter, options, { headers });
  if (verdict === undefined) return "";
  assert.ok(verdict instanceof Fault);
  assert.equal(verdict.status, 403);
  assert.equal(verdict.name, "bot-denied");
  return verdict.code;
}

const byName: [who: string, userAgent: string | undefined, code: string][] = [
  ["Chrome", chrome, ""],
  ["Safari", safari, ""],
  ["Firefox", firefox, ""],
  ["a search engine", google, ""],
  ["Applebot", apple, ""],
  ["curl", "curl/8.8.0", ""],
  ["a library", "python-requests/2.32", ""],
  ["an unknown robot", unheardOf, ""],
  ["a crawler that trains models", gpt, "ai"],
  ["one in capitals", "CLAUDEBOT/1.0", "ai"],
  [
    "a search for links",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "seo",
  ],
  ["a scanner", "sqlmap/1.8 (https://sqlmap.org)", "scanner"],
  ["a scanner that hides far behind", `${"x".repeat(400)} nikto`, "scanner"],
  ["nobody", undefined, "missing"],
  ["an empty name", "", "missing"],
];

for (const [who, userAgent, code] of byName) {
  const end = code === "" ? "passes" : `is refused as ${code}`;
  test(`bot-filter: by its bare name, ${who} ${end}`, async () => {
    assert.equal(await refusal(undefined, userAgent), code);
  });
}

test("bot-filter: the kinds that are not wanted can be chosen", async () => {
  assert.equal(await refusal({ kinds: ["search"] }, google), "search");
  assert.equal(await refusal({ kinds: ["search"] }, gpt), "");
  assert.equal(await refusal({ kinds: ["tool"] }, "curl/8.8.0"), "tool");
  assert.equal(await refusal({ kinds: ["other"] }, unheardOf), "other");
  assert.equal(await refusal({ kinds: ["other"] }, chrome), "");
  assert.equal(await refusal({ kinds: ["browser"] }, `${chrome} HeadlessChrome/126.0`), "browser");
});

test("bot-filter: the longer name counts where one robot's is part of another's", async () => {
  const extended = "Mozilla/5.0 (compatible; Applebot-Extended/0.1)";
  assert.equal(await refusal({ kinds: ["ai"] }, extended), "ai");
  assert.equal(await refusal({ kinds: ["ai"] }, apple), "");
});

test("bot-filter: own lists count more than kinds, and what is allowed more than what is denied", async () => {
  const lists: Options = {
    kinds: ["ai"],
    deny: ["firefox", { regex: "Shiny.*" }],
    allow: ["GPTBOT", { regex: "ShinyNewCrawler/9.*" }],
  };
  assert.equal(await refusal(lists, gpt), "");
  assert.equal(await refusal(lists, firefox), "listed");
  assert.equal(await refusal(lists, unheardOf), "listed");
  assert.equal(await refusal(lists, "ShinyNewCrawler/9.1"), "");
  assert.equal(await refusal(lists, `not ${unheardOf}`), "");
  assert.equal(await refusal({ deny: "bot", allow: "googlebot" }, google), "");
});

test("bot-filter: who sends no user agent passes where that is said", async () => {
  assert.equal(await refusal({ missing: "allow" }, undefined), "");
});

test("bot-filter: the service is told, and never by the client", async () => {
  const told = async (userAgent: string | undefined, options: Options = {}) => {
    const forged = { "X-Robot": "search", x_robot: "search" };
    const headers: Headers =
      userAgent === undefined ? forged : { ...forged, "User-Agent": userAgent };
    const run = await runPolicy(botFilter, { action: "tag", ...options }, { headers });
    assert.equal(run.verdict, undefined);
    return run.sent.filter((line) => /^x.robot/.test(line));
  };
  assert.deepEqual(await told(gpt), ["x-robot: ai"]);
  assert.deepEqual(await told(google), ["x-robot: search"]);
  assert.deepEqual(await told(undefined), ["x-robot: missing"]);
  assert.deepEqual(await told(firefox, { deny: "firefox" }), ["x-robot: denied"]);
  assert.deepEqual(await told(chrome), []);
});

test("bot-filter: where it only counts, everybody passes", async () => {
  for (const userAgent of [gpt, undefined, chrome]) {
    assert.equal(await refusal({ action: "count" }, userAgent), "");
  }
});

test("bot-filter: one who refuses nobody is a mistake", () => {
  const check = (options: Options) =>
    botFilter.check!(botFilter.schema.parse(options), {} as never).length;
  assert.equal(check({}), 0);
  assert.equal(check({ kinds: [], missing: "allow" }), 1);
  assert.equal(check({ kinds: [], missing: "allow", deny: "x" }), 0);
  assert.equal(check({ kinds: [], missing: "allow", action: "tag" }), 0);
});

test("bot-filter: kinds, expressions and servers that there cannot be are refused", () => {
  const wrong: unknown[] = [
    { kinds: ["evil"] },
    { deny: { regex: "(a)\\1" } },
    { header: "connection" },
    { verify: { servers: "dns.example" } },
    { verify: { servers: "10.0.0.53:99999" } },
  ];
  for (const options of wrong) {
    assert.equal(botFilter.schema.safeParse(options).success, false, JSON.stringify(options));
  }
  for (const server of ["10.0.0.53", "10.0.0.53:5353", "::1", "[::1]:53"]) {
    assert.equal(botFilter.schema.safeParse({ verify: { servers: server } }).success, true, server);
  }
});
