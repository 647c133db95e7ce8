/**
 * fault: delays, refuses and breaks off a share of the requests, to see what becomes of those who wait for them.
 */
import { z } from "zod";
import { defineFaultType, Fault } from "../../base/faults.ts";
import type { Exchange } from "../../policy/exchange.ts";
import { ExchangeMemory } from "../../policy/exchange-memory.ts";
import { definePolicy, type OptionMistake } from "../../policy/policy.ts";
import { date } from "../../policy/values/date.ts";
import { duration, durationOr } from "../../policy/values/duration.ts";
import { expected } from "../../policy/values/expected.ts";
import { headerName } from "../../policy/values/header.ts";
import { count } from "../../policy/values/number.ts";
import { percent } from "../../policy/values/percent.ts";
import { section } from "../../policy/values/section.ts";
import { choice } from "../../policy/values/text.ts";
import { WaitingRoom } from "../../policy/waiting-room.ts";

/** Tells on the response what was done. */
const MARK = "x-gateward-fault";
const DELAY_MS_MAX = 10 * 60_000;

const CAUSE = "The policy `fault` is configured to refuse a share of the requests, for a drill.";
const REMEDY = "Try again; drop the policy, or let `until` pass, to end the drill.";

const injectedAbort = (status: number) =>
  defineFaultType("injected-abort", {
    status,
    title: "Refused for a drill",
    whose: "gateway",
    retrySafe: "always",
    cause: CAUSE,
    remedy: REMEDY,
  });

const injectedReset = defineFaultType("injected-reset", {
  status: 503,
  title: "Broken off for a drill",
  whose: "gateway",
  retrySafe: "idempotent",
  breaksOff: true,
  cause: CAUSE,
  remedy: REMEDY,
});

/** What `reset` is where it stands for the service's failure: as if the service had broken off. */
const injectedFailure = defineFaultType("injected-failure", {
  status: 502,
  title: "The service has failed, for a drill",
  whose: "upstream",
  retrySafe: "idempotent",
  cause:
    "The policy `fault` is configured to have the service fail for a share of the requests, for a drill.",
  remedy: REMEDY,
});

const range = section({
  from: duration({ maxMs: DELAY_MS_MAX }).describe("Shortest delay."),
  to: duration({ maxMs: DELAY_MS_MAX }).describe("Longest delay; all between are as likely."),
});
const delay = z.union(
  [duration({ maxMs: DELAY_MS_MAX }).transform((ms) => ({ from: ms, to: ms })), range],
  { error: durationOr("a duration or { from, to }") },
);
const abort = z.union([choice(["reset"]), count({ min: 400, max: 599 })], {
  error: expected("a status from 400 to 599, or reset"),
});

export default definePolicy({
  name: "fault",
  summary: "Delays, refuses or breaks off a share of the requests, for drills.",
  schema: section({
    share: percent().prefault("100%").describe("Share of the requests that it happens to."),
    delay: delay
      .optional()
      .describe("How long they wait before they go on: a duration, or `{ from, to }`."),
    abort: abort
      .optional()
      .describe("What answers them, after the delay: a status, or `reset` to break them off."),
    as: choice(["gateway", "service"])
      .prefault("gateway")
      .describe(
        "Whose doing the abort is. `service`: the service has answered so, or has broken off, and its `fallback` takes over.",
      ),
    header: headerName()
      .optional()
      .describe("Only requests that one of `trustedProxies` sends with this header."),
    until: date().optional().describe("When the drill ends by itself."),
    maxDelayed: count({ min: 1, max: 100_000 })
      .prefault(100)
      .describe("Most requests that wait at once, for each worker; others go on without."),
  }).prefault({}),
  results: ["delayed", "aborted", "reset", "full"],
  faults: [injectedAbort(503), injectedReset, injectedFailure],

  check({ delay: waits, abort: aborts, as, share, until }) {
    const mistakes: OptionMistake[] = [];
    if (waits === undefined && aborts === undefined) {
      mistakes.push({ message: "nothing would happen to requests", hint: "give delay or abort" });
    }
    if (aborts === undefined && as === "service") {
      const message = "only an abort can be the service's";
      mistakes.push({ path: ["as"], message, hint: "give abort, or drop as" });
    }
    if (waits !== undefined && waits.from > waits.to) {
      mistakes.push({ path: ["delay"], message: "from is longer than to", hint: "swap them" });
    }
    if (share === 0) {
      const message = "it happens to no request";
      mistakes.push({ path: ["share"], message, hint: "drop the policy", isWarning: true });
    }
    if (until !== undefined && until <= Date.now()) {
      const message = "the drill is over";
      mistakes.push({ path: ["until"], message, hint: "drop the policy", isWarning: true });
    }
    return mistakes;
  },

  compile({ share, delay: waits, abort: aborts, as, header, until, maxDelayed }, environment) {
    const { clock, random } = environment;
    const delayed = environment.counter("delayed");
    const aborted = environment.counter(aborts === "reset" ? "reset" : "aborted");
    const full = environment.counter("full");
    const marks = new ExchangeMemory<string>();
    const room = new WaitingRoom();
    let waiting = 0;

    const isTheirs = as === "service";
    let end: Fault | undefined;
    if (aborts === "reset") end = new Fault(isTheirs ? injectedFailure : injectedReset);
    else if (aborts !== undefined) end = new Fault(injectedAbort(aborts));

    const mark = (exchange: Exchange, done: string): void => {
      const before = marks.get(exchange);
      marks.set(exchange, before === undefined ? done : `${before}, ${done}`);
    };
    const tell = (exchange: Exchange): void => {
      const told = marks.get(exchange);
      if (told !== undefined) exchange.response.fields.set(MARK, told);
    };
    const abortNow = (exchange: Exchange): Fault => {
      aborted.add(1);
      mark(exchange, `abort ${aborts}`);
      return end!;
    };
    const finish = (exchange: Exchange): Fault | undefined => {
      if (end === undefined) return undefined;
      if (!isTheirs) return abortNow(exchange);
      exchange.failService(abortNow, tell);
      return undefined;
    };

    const happensTo = (exchange: Exchange): boolean => {
      if (until !== undefined && clock.now() >= until) return false;
      if (header !== undefined && !exchange.peerIsTrusted) return false;
      if (header !== undefined && exchange.header(header) === undefined) return false;
      return random.fraction() < share;
    };

    /** Whoever leaves meanwhile is over, and gets no answer any more. */
    const wait = async (exchange: Exchange, delayMs: number): Promise<Fault | undefined> => {
      waiting++;
      try {
        await room.wait(exchange, "", delayMs);
      } finally {
        waiting--;
      }
      return finish(exchange);
    };

    return {
      onRequest(exchange) {
        if (!happensTo(exchange)) return undefined;
        if (waits === undefined) return finish(exchange);
        if (waiting >= maxDelayed) {
          full.add(1);
          return undefined;
        }
        const delayMs = Math.round(waits.from + random.fraction() * (waits.to - waits.from));
        delayed.add(1);
        mark(exchange, `delay ${delayMs}`);
        return wait(exchange, delayMs);
      },
      onResponse: tell,
      onEnd(exchange) {
        room.leave(exchange);
      },
    };
  },
});
