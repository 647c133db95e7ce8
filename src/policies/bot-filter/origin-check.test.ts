import assert from "node:assert/strict";
import { test } from "node:test";
import { TestClock } from "../../testing/test-clock.ts";
import { testEnvironment } from "../../testing/test-environment.ts";
import { Fault } from "../../base/faults.ts";
import { runHooks } from "../../../test/support/policy-run.ts";
import botFilter from "./bot-filter.ts";
import { OriginCheck, type NameLookup } from "./origin-check.ts";

const DAY_MS = 86_400_000;
const domains = ["googlebot.com", "google.com"];
const genuine = "192.0.2.10";

function fails(code: string): never {
  throw Object.assign(new Error(code), { code });
}

/** Knows names of addresses and addresses of names; counts what it is asked. */
class FakeNames implements NameLookup {
  readonly names: Record<string, string[]> = {};
  readonly addresses: Record<string, string[]> = {};
  asked = 0;
  isDown = false;

  async reverse(address: string): Promise<string[]> {
    this.asked++;
    if (this.isDown) fails("ETIMEOUT");
    return await Promise.resolve(this.names[address] ?? fails("ENOTFOUND"));
  }

  async resolve4(name: string): Promise<string[]> {
    return await Promise.resolve(this.addresses[name] ?? fails("ENODATA"));
  }

  async resolve6(name: string): Promise<string[]> {
    return await this.resolve4(name);
  }
}

function setUp() {
  const names = new FakeNames();
  const clock = new TestClock();
  const check = new OriginCheck(names, clock, DAY_MS);
  /** What is found once nothing is looked up any more. */
  const found = async (address: string) => {
    check.find(address, domains);
    await check.settled();
    return check.find(address, domains);
  };
  return { names, clock, check, found };
}

test("origin check: nobody waits: an address is unknown until its name has been looked up", async () => {
  const { names, check } = setUp();
  names.names[genuine] = ["crawl-1.googlebot.com"];
  names.addresses["crawl-1.googlebot.com"] = [genuine];
  assert.equal(check.find(genuine, domains), "unknown");
  assert.equal(check.find(genuine, domains), "unknown");
  await check.settled();
  assert.equal(check.find(genuine, domains), "genuine");
  assert.equal(names.asked, 1);
});

test("origin check: a name has to be below the operator's domain and lead back to the address", async () => {
  const { names, found } = setUp();
  const lies: Record<string, [name: string, back: string[]]> = {
    "192.0.2.1": ["googlebot.com.evil.example", ["192.0.2.1"]],
    "192.0.2.2": ["evilgooglebot.com", ["192.0.2.2"]],
    "192.0.2.3": ["crawl-1.googlebot.com", [genuine]],
    "192.0.2.4": ["googlebot.com", ["192.0.2.4"]],
  };
  for (const [address, [name, back]] of Object.entries(lies)) {
    names.names[address] = [name];
    names.addresses[name] = back;
  }
  for (const address of Object.keys(lies)) assert.equal(await found(address), "forged", address);
  assert.equal(await found("192.0.2.5"), "forged", "an address without a name");
});

test("origin check: one of several names is enough, in any case, and IPv6 in any spelling", async () => {
  const { names, found } = setUp();
  const address = "2001:db8:0:0::10";
  names.names[address] = ["other.example", "Crawl-6.GoogleBot.com."];
  names.addresses["Crawl-6.GoogleBot.com."] = ["2001:db8::10"];
  assert.equal(await found(address), "genuine");
});

test("origin check: while no DNS server answers nobody is forged, and it is asked again in a minute", async () => {
  const { names, clock, found, check } = setUp();
  names.isDown = true;
  assert.equal(await found(genuine), "unknown");
  assert.equal(await found(genuine), "unknown");
  assert.equal(names.asked, 1);
  names.isDown = false;
  names.names[genuine] = ["crawl-1.googlebot.com"];
  names.addresses["crawl-1.googlebot.com"] = [genuine];
  clock.advance(60_000);
  assert.equal(await found(genuine), "genuine");
  clock.advance(DAY_MS - 1);
  check.find(genuine, domains);
  assert.equal(names.asked, 2);
});

test("origin check: what has been found holds while it is looked up again", async () => {
  const { names, clock, check } = setUp();
  check.find("192.0.2.9", domains);
  await check.settled();
  clock.advance(DAY_MS);
  assert.equal(check.find("192.0.2.9", domains), "forged");
  assert.equal(names.asked, 2);
  await check.settled();
});

test("origin check: a flood of addresses makes a bounded number of questions", async () => {
  const { names, check } = setUp();
  for (let low = 0; low < 250; low++) check.find(`192.0.2.${low}`, domains);
  assert.equal(names.asked, 64);
  await check.settled();
  check.find("192.0.2.200", domains);
  assert.equal(names.asked, 65);
  await check.settled();
});

test("bot-filter: a robot that is not who it says is refused, once that is known", async () => {
  const { check } = setUp();
  const environment = testEnvironment(botFilter);
  const options = botFilter.schema.parse({ verify: {} });
  const hooks = botFilter.compile(options, { ...environment, keep: () => check as never });
  const google = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
  const ask = async (userAgent: string) => {
    const headers = { "user-agent": userAgent };
    return (await runHooks(hooks, { headers, clientAddress: "192.0.2.66" })).verdict;
  };
  assert.equal(await ask(google), undefined);
  await check.settled();
  const verdict = await ask(google);
  assert.ok(verdict instanceof Fault);
  assert.equal(verdict.code, "forged");
  assert.equal(await ask("curl/8.8.0"), undefined);
});
