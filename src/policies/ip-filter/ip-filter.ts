/**
 * ip-filter: lets requests pass by the address that they come from.
 */
import { createHash } from "node:crypto";
import { AddressTable } from "../../base/address-table.ts";
import { Fault, defineFaultType } from "../../base/faults.ts";
import { definePolicy, type OptionMistake } from "../../policy/policy.ts";
import { cidr } from "../../policy/values/cidr.ts";
import { flag } from "../../policy/values/number.ts";
import { section } from "../../policy/values/section.ts";
import { choice, listOf, text } from "../../policy/values/text.ts";
import { ALLOW, DENY, idleRanges, listedRange, parseAddressFile } from "./address-lists.ts";

const addressDenied = defineFaultType("address-denied", {
  status: 403,
  title: "Address not allowed",
  whose: "client",
  retrySafe: "never",
  cause: "The request comes from an address that the route does not serve.",
  remedy:
    "Compare the client's address in the access log with the lists of `ip-filter`; behind a proxy, see `trustedProxies`.",
});

const ranges = (what: string) => listOf(cidr(), what).prefault([]);
const files = () => listOf(text("a path"), "a path").prefault([]);

export default definePolicy({
  name: "ip-filter",
  summary: "Lets requests pass, or refuses them, by the address they come from.",
  schema: section({
    allow: ranges("an address range").describe("Addresses and ranges that may pass."),
    deny: ranges("an address range").describe("Addresses and ranges that may not."),
    allowFiles: files().describe("Files with more that may pass: one address or range to a line."),
    denyFiles: files().describe("Files with more that may not."),
    otherwise: choice(["allow", "deny"])
      .optional()
      .describe(
        "What becomes of addresses in no list. Default: `deny` where anything is allowed, else `allow`.",
      ),
    unixSocket: choice(["allow", "deny"])
      .optional()
      .describe(
        "What becomes of clients on a Unix socket, which have no address. Default: as `otherwise`.",
      ),
    peer: flag()
      .prefault(false)
      .describe("Look at the address of the connection itself, whatever trusted proxies say."),
    dryRun: flag().prefault(false).describe("Only count what would be denied."),
  }).prefault({}),
  results: ["allowed", "denied", "would_deny"],
  faults: [addressDenied],
  files: ({ allowFiles, denyFiles }) => [...allowFiles, ...denyFiles],

  check(options) {
    const { allow, deny, allowFiles, denyFiles } = options;
    const mistakes: OptionMistake[] = [];
    const fileCount = allowFiles.length + denyFiles.length;
    if (allow.length + deny.length + fileCount === 0) {
      return [{ message: "there are no addresses", hint: "give allow or deny" }];
    }
    const listed = [
      ...allow.map((one) => listedRange(one, ALLOW)),
      ...deny.map((one) => listedRange(one, DENY)),
    ];
    for (const { idle, because, isContradiction } of idleRanges(listed)) {
      const name = idle.value === ALLOW ? "allow" : "deny";
      const index = (name === "allow" ? allow : deny).lastIndexOf(idle.text);
      mistakes.push({
        path: [name, index],
        message: isContradiction
          ? `${idle.text} is allowed and denied`
          : `${idle.text} changes nothing: it lies in ${because.text}`,
        hint: "leave one of them out",
        isWarning: !isContradiction,
      });
    }
    const passes = passesUnlisted(options) || new AddressTable(listed).has(ALLOW);
    if (allowFiles.length === 0 && !passes) {
      mistakes.push({ message: "no address may pass", hint: "allow some" });
    }
    return mistakes;
  },

  compile(options, environment) {
    const { allow, deny, allowFiles, denyFiles, unixSocket, peer, dryRun } = options;
    const fromFiles = (paths: readonly string[]): string[] =>
      paths.flatMap((path) => parseAddressFile(path, environment.file(path)));
    const makeTable = (): AddressTable => {
      const allowed = [...allow, ...fromFiles(allowFiles)];
      const denied = [...deny, ...fromFiles(denyFiles)];
      return new AddressTable([
        ...allowed.map((one) => listedRange(one, ALLOW)),
        ...denied.map((one) => listedRange(one, DENY)),
      ]);
    };
    // A hundred thousand ranges take 0.2 s, which a reload that leaves them alone should not cost.
    const content = [
      allow,
      deny,
      ...[allowFiles, denyFiles].map((paths) => paths.map(environment.file)),
    ];
    const digest = createHash("sha256").update(JSON.stringify(content)).digest("base64");
    const table = environment.keep<AddressTable & Partial<Disposable>>(digest, makeTable);
    const passesOtherwise = passesUnlisted(options);
    const passesWithout = unixSocket === undefined ? passesOtherwise : unixSocket === "allow";
    const fault = new Fault(addressDenied);
    const allowedCount = environment.counter("allowed");
    const deniedCount = environment.counter(dryRun ? "would_deny" : "denied");
    return {
      onRequest(exchange) {
        const address = peer ? exchange.connection.peerAddress : exchange.clientAddress;
        let passes = passesWithout;
        if (address !== "") {
          const value = table.find(address);
          passes = value === ALLOW || (value !== DENY && passesOtherwise);
        }
        if (passes) {
          allowedCount.add(1);
          return undefined;
        }
        deniedCount.add(1);
        return dryRun ? undefined : fault;
      },
    };
  },
});

/** Whether addresses in no list may pass. */
function passesUnlisted({
  otherwise,
  allow,
  allowFiles,
}: {
  otherwise?: "allow" | "deny" | undefined;
  allow: readonly string[];
  allowFiles: readonly string[];
}): boolean {
  if (otherwise !== undefined) return otherwise === "allow";
  return allow.length + allowFiles.length === 0;
}
