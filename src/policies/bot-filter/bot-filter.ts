/**
 * bot-filter: tells robots from people by their user agents, and refuses those that are not wanted.
 */
import { isIP } from "node:net";
import { z } from "zod";
import { ClaimedHeaders } from "../../policy/claimed-headers.ts";
import type { PolicyEnvironment } from "../../policy/environment.ts";
import type { Exchange } from "../../policy/exchange.ts";
import { definePolicy } from "../../policy/policy.ts";
import { duration } from "../../policy/values/duration.ts";
import { expected } from "../../policy/values/expected.ts";
import { headerToSet } from "../../policy/values/header.ts";
import { parsedText } from "../../policy/values/parsed-text.ts";
import { pattern } from "../../policy/values/pattern.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { section } from "../../policy/values/section.ts";
import { choice, listOf, text } from "../../policy/values/text.ts";
import {
  type BotVerdict,
  botDenied,
  denied,
  forged,
  noUserAgent,
  person,
  refused,
  unnamed,
  wanted,
} from "./bot-verdict.ts";
import { ROBOT_KINDS } from "./known-robots.ts";
import { OriginCheck, createLookup } from "./origin-check.ts";
import { UserAgents } from "./user-agents.ts";

const agentRule = text("part of a user agent").or(
  section({ regex: pattern().describe("Has to match the whole user agent.") }),
);
const dnsServer = () =>
  parsedText(parseServer, { what: "a DNS server", hint: "write it like 10.0.0.53 or [::1]:5353" });

const verification = section({
  servers: listOf(dnsServer(), "a DNS server")
    .prefault([])
    .describe("DNS servers to ask. Default: the system's."),
  ttl: duration().prefault("1d").describe("For how long an address is known to be genuine."),
});

export default definePolicy({
  name: "bot-filter",
  summary: "Tells robots from people by their user agents, and refuses those that are not wanted.",
  schema: section({
    kinds: listOf(choice(ROBOT_KINDS), "a kind of robots")
      .prefault(["ai", "seo", "scanner"])
      .describe("Kinds of robots that are not wanted."),
    deny: listOf(agentRule, "a user agent")
      .prefault([])
      .describe(
        "User agents that are not wanted: a part, in any case, or `{ regex: ... }` for the whole.",
      ),
    allow: listOf(agentRule, "a user agent")
      .prefault([])
      .describe("User agents that are wanted whatever else says, written as in `deny`."),
    missing: choice(["deny", "allow"])
      .prefault("deny")
      .describe("What becomes of requests without a user agent."),
    verify: z
      .union([z.literal(false), verification], { error: expected("a map or false") })
      .prefault(false)
      .describe(
        "Find out by DNS whether requests in the name of a known crawler come from it; `{}` to do so. " +
          "Requests do not wait: the first ones of an address pass.",
      ),
    action: choice(["deny", "tag", "count"])
      .prefault("deny")
      .describe(
        "Answer 403; tell the service in `header`, also of robots that are wanted; only count.",
      ),
    header: headerToSet().prefault("x-robot").describe("Header in which the service is told."),
  }).prefault({}),
  results: ["person", "robot", "unwanted", "missing", "forged"],
  faults: [botDenied],

  check({ kinds, deny, missing, verify, action }) {
    const judges = kinds.length > 0 || deny.length > 0 || missing === "deny" || verify !== false;
    if (judges || action !== "deny") return [];
    return [{ message: "every user agent is wanted", hint: "give kinds or deny" }];
  },

  compile(options, environment) {
    const { kinds, missing, verify, action, header } = options;
    const agents = new UserAgents(options.allow, options.deny);
    const unwanted: ReadonlySet<string> = new Set(kinds);
    const origins = verify === false ? null : originCheck(verify, environment);
    const claimed = new ClaimedHeaders([header]);
    const counters = {
      person: environment.counter("person"),
      robot: environment.counter("robot"),
      unwanted: environment.counter("unwanted"),
      missing: environment.counter("missing"),
      forged: environment.counter("forged"),
    };

    const judge = (exchange: Exchange): BotVerdict => {
      const userAgent = exchange.header("user-agent") ?? "";
      if (userAgent.trim() === "") return missing === "deny" ? noUserAgent : unnamed;
      const { kind, robot, listed } = agents.judge(userAgent);
      if (listed === "allow") return kind === null ? person : wanted[kind];
      if (listed === "deny") return denied;
      if (kind === null) return person;
      if (unwanted.has(kind)) return refused[kind];
      if (origins !== null && robot !== null && robot.domains.length > 0) {
        const finding = origins.find(exchange.clientAddress, robot.domains);
        if (finding === "forged") return forged;
      }
      return wanted[kind];
    };

    return {
      onRequest(exchange) {
        const { result, word, fault } = judge(exchange);
        counters[result].add(1);
        if (action === "deny") return fault ?? undefined;
        if (action === "tag") {
          claimed.strip(exchange.request.fields);
          if (word !== "") exchange.request.fields.set(header, word);
        }
        return undefined;
      },
    };
  },
});

/** Addresses stay known across reloads, and to all uses that ask the same servers. */
function originCheck(
  { servers, ttl }: z.output<typeof verification>,
  environment: PolicyEnvironment,
): OriginCheck {
  const key = JSON.stringify(["origins", servers, ttl]);
  return environment.keep(key, () => {
    return new OriginCheck(createLookup(servers), environment.clock, ttl);
  });
}

function parseServer(written: string): string {
  const [, bracketed, plain = written, port] =
    /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(written) ?? [];
  const isFine = isIP(bracketed ?? plain) !== 0 && Number(port ?? 53) <= 65_535;
  if (isFine) return written;
  throw new Refusal(`${JSON.stringify(written)} is not an address of a DNS server`);
}
