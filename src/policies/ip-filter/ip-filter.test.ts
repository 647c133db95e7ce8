import assert from "node:assert/strict";
import { test } from "node:test";
import { runPolicy, type PolicyScene } from "../../../test/support/policy-run.ts";
import { Fault } from "../../base/faults.ts";
import type { PolicySurroundings } from "../../policy/policy.ts";
import { parseAddressFile } from "./address-lists.ts";
import ipFilter from "./ip-filter.ts";

type Options = Parameters<typeof ipFilter.schema.parse>[0];

const surroundings = { place: "gateway", earlier: [] } as unknown as PolicySurroundings;

async function passes(options: object, clientAddress: string, scene: PolicyScene = {}) {
  const { verdict } = await runPolicy(ipFilter, options, { ...scene, clientAddress });
  if (verdict === undefined) return true;
  assert.ok(verdict instanceof Fault);
  assert.equal(verdict.status, 403);
  assert.equal(verdict.name, "address-denied");
  return false;
}

function mistakesOf(options: Options): string[] {
  const found = ipFilter.check!(ipFilter.schema.parse(options), surroundings);
  return found.map(({ message, path = [], isWarning = false }) => {
    return `${isWarning ? "warning " : ""}${path.join(".")}: ${message}`;
  });
}

test("ip-filter: only what is allowed passes where anything is allowed", async () => {
  const options = { allow: ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"] };
  assert.equal(await passes(options, "10.1.2.3"), true);
  assert.equal(await passes(options, "2001:db8:1::1"), true);
  assert.equal(await passes(options, "192.0.2.7"), true);
  assert.equal(await passes(options, "192.0.2.8"), false);
  assert.equal(await passes(options, "2001:db9::1"), false);
});

test("ip-filter: everything but what is denied passes where nothing is allowed", async () => {
  const options = { deny: "10.0.0.0/8" };
  assert.equal(await passes(options, "10.1.2.3"), false);
  assert.equal(await passes(options, "192.0.2.8"), true);
});

test("ip-filter: the narrower range counts, in either direction", async () => {
  const options = { allow: ["10.0.0.0/8", "10.1.2.3"], deny: ["10.1.0.0/16"] };
  assert.equal(await passes(options, "10.2.0.1"), true);
  assert.equal(await passes(options, "10.1.0.1"), false);
  assert.equal(await passes(options, "10.1.2.3"), true);
  assert.equal(await passes({ ...options, otherwise: "allow" }, "192.0.2.1"), true);
  assert.equal(await passes({ deny: ["10.0.0.0/8"], otherwise: "deny" }, "192.0.2.1"), false);
});

test("ip-filter: IPv4 within IPv6 does not get round a range of IPv4", async () => {
  assert.equal(await passes({ deny: ["10.0.0.0/8"] }, "::ffff:10.1.2.3"), false);
  assert.equal(await passes({ deny: ["10.0.0.0/8"] }, "::ffff:a01:203"), false);
  assert.equal(await passes({ allow: ["10.0.0.0/8"] }, "::ffff:10.1.2.3"), true);
});

test("ip-filter: clients on a Unix socket are what is said of them, or as addresses in no list", async () => {
  assert.equal(await passes({ allow: ["0.0.0.0/0", "::/0"] }, ""), false);
  assert.equal(await passes({ allow: ["10.0.0.0/8"], unixSocket: "allow" }, ""), true);
  assert.equal(await passes({ deny: ["10.0.0.0/8"] }, ""), true);
  assert.equal(await passes({ deny: ["10.0.0.0/8"], unixSocket: "deny" }, ""), false);
});

test("ip-filter: what is no address is in no list", async () => {
  assert.equal(await passes({ allow: ["0.0.0.0/0"] }, "unknown"), false);
});

test("ip-filter: files add to both lists", async () => {
  const options = { allowFiles: ["partners.txt"], denyFiles: "drop.txt" };
  const files = {
    "partners.txt": "# partners\n10.0.0.0/8\n\n  192.0.2.7   # one\r\n",
    "drop.txt": "10.1.0.0/16 ; SBL1\n",
  };
  const environment = { files };
  assert.equal(await passes(options, "10.2.0.1", { environment }), true);
  assert.equal(await passes(options, "10.1.0.1", { environment }), false);
  assert.equal(await passes(options, "192.0.2.7", { environment }), true);
  assert.equal(await passes(options, "192.0.2.8", { environment }), false);
  assert.deepEqual(ipFilter.files!(ipFilter.schema.parse(options)), ["partners.txt", "drop.txt"]);
  const empty = { environment: { files: { "partners.txt": "", "drop.txt": "" } } };
  assert.equal(await passes(options, "10.2.0.1", empty), false, "an empty list allows nobody");
});

test("ip-filter: a file's line that is no range is named", () => {
  assert.throws(
    () => parseAddressFile("a.txt", "10.0.0.0/8\nexample.com\n"),
    /^Error: a.txt:2: "exam/,
  );
  assert.throws(() => parseAddressFile("a.txt", "10.0.0.1/8"), /a.txt:1: .*beyond.*10\.0\.0\.0\/8/);
});

test("ip-filter: a hundred thousand ranges are taken and told apart", async () => {
  const lines = Array.from({ length: 100_000 }, (_, index) => {
    return `${11 + (index >> 15)}.${(index >> 7) & 255}.${(index & 127) << 1}.0/24`;
  });
  const scene = { environment: { files: { "many.txt": lines.join("\n") } } };
  const options = { denyFiles: ["many.txt"] };
  assert.equal(await passes(options, "12.200.100.9", scene), false);
  assert.equal(await passes(options, "12.200.101.9", scene), true);
});

test("ip-filter: with peer, the connection's own address counts", async () => {
  const { verdict, exchange } = await runPolicy(
    ipFilter,
    { allow: ["192.0.2.0/24"], peer: true },
    { clientAddress: "192.0.2.1" },
  );
  assert.equal(verdict, undefined);
  assert.equal(exchange.connection.peerAddress, "192.0.2.1");
});

test("ip-filter: a dry run refuses nobody", async () => {
  assert.equal(await passes({ deny: ["0.0.0.0/0"], dryRun: true }, "10.1.2.3"), true);
});

test("ip-filter: lists that contradict or repeat themselves, or let nobody pass, are told", () => {
  assert.deepEqual(mistakesOf({}), [": there are no addresses"]);
  assert.deepEqual(mistakesOf({ allow: ["10.0.0.0/8"], deny: ["10.0.0.0/8", "10.1.0.0/16"] }), [
    "allow.0: 10.0.0.0/8 is allowed and denied",
    "warning deny.1: 10.1.0.0/16 changes nothing: it lies in 10.0.0.0/8",
    ": no address may pass",
  ]);
  assert.deepEqual(mistakesOf({ allow: ["10.0.0.0/8", "10.1.0.0/16"], deny: ["10.2.0.0/16"] }), [
    "warning allow.1: 10.1.0.0/16 changes nothing: it lies in 10.0.0.0/8",
  ]);
  assert.deepEqual(mistakesOf({ allow: "10.0.0.7", deny: "10.0.0.0/8", otherwise: "allow" }), []);
  assert.deepEqual(mistakesOf({ deny: ["0.0.0.0/0", "::/0"], otherwise: "deny" }), [
    ": no address may pass",
  ]);
  assert.deepEqual(mistakesOf({ allowFiles: ["a.txt"] }), []);
});
