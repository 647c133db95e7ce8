/**
 * deprecation: tells clients that a route will go, and makes it go.
 */
import { defineFaultType } from "../../base/faults.ts";
import { definePolicy, type OptionMistake } from "../../policy/policy.ts";
import { problem } from "../../policy/problem.ts";
import { BrownoutCalendar } from "./brownout-calendar.ts";
import { CallerLog } from "./caller-log.ts";
import { deprecationOptions, type DeprecationOptions } from "./deprecation-options.ts";

const retired = defineFaultType("retired", {
  status: 410,
  title: "No longer served",
  whose: "client",
  retrySafe: "never",
  cause: "The date up to which the policy `deprecation` lets this be served is over.",
  remedy: "Use what the detail and the link `successor-version` name, or ask whoever runs the API.",
});

const brownout = defineFaultType("brownout", {
  status: 503,
  title: "About to be no longer served",
  whose: "client",
  retrySafe: "always",
  cause:
    "This will soon be gone. The policy `deprecation` refuses it for a while, so that whoever still uses it notices.",
  remedy:
    "Change to what the detail and the link `successor-version` name, before the date in `Sunset`. `Retry-After` says when it is served again.",
});

export default definePolicy({
  name: "deprecation",
  summary: "Tells clients that a route is deprecated and when it ends, and ends it.",
  schema: deprecationOptions.prefault({}),
  results: ["served", "brownout", "retired"],
  faults: [retired, brownout],
  check,

  compile(options, environment) {
    const { clock, log, id } = environment;
    const { after, sunset = Infinity, successor, callerLog } = options;
    // What has been counted outlives a reload.
    const callers =
      callerLog === false
        ? null
        : environment.keep(`callers ${id} ${callerLog}`, () => new CallerLog(callerLog));
    const phaseAt = (now: number): string => {
      if (now < sunset) return "Deprecated, and still called";
      return after === 410
        ? "No longer served, and still called"
        : "Past its sunset, and still called";
    };
    const end = after === 410 ? sunset : Infinity;
    const calendar =
      options.brownouts === undefined ? null : new BrownoutCalendar(options.brownouts, sunset);
    const served = environment.counter("served");
    const refused = environment.counter("brownout");
    const ended = environment.counter("retired");
    const detail = successor === undefined ? {} : { detail: `Use ${successor} instead.` };
    const gone = problem(retired, detail);
    const lines = headersOf(options);
    const links = linksOf(options);
    return {
      onRequest() {
        const now = clock.now();
        if (now >= end) {
          ended.add(1);
          return gone;
        }
        const until = calendar === null ? 0 : calendar.refusedUntil(now);
        if (until !== 0) {
          refused.add(1);
          const seconds = Math.ceil((until - now) / 1000);
          return problem(brownout, { ...detail, headers: { "retry-after": String(seconds) } });
        }
        served.add(1);
        return undefined;
      },
      onResponse({ response: { fields } }) {
        for (let index = 0; index < lines.length; index++) {
          fields.set(lines[index]!.name, lines[index]!.value);
        }
        if (links !== "") fields.add("link", links);
      },
      ...(callers !== null && {
        // Who is calling may have been found out by a policy behind this one.
        onEnd(exchange) {
          callers.note(exchange);
          const now = clock.now();
          if (callers.isDue(now)) callers.tell(log, phaseAt(now), now);
        },
      }),
    };
  },
});

interface Line {
  readonly name: string;
  readonly value: string;
}

/** RFC 9745 section 2.1 has a structured date, RFC 8594 section 3 one of HTTP. */
function headersOf({ since, sunset }: DeprecationOptions): Line[] {
  const lines: Line[] = [];
  if (since !== undefined) {
    lines.push({ name: "deprecation", value: `@${Math.floor(since / 1000)}` });
  }
  if (sunset !== undefined) {
    lines.push({ name: "sunset", value: new Date(sunset).toUTCString() });
  }
  return lines;
}

/** RFC 8288; the relations are those of RFC 9745 section 3, RFC 8594 section 6, and RFC 5829 section 3.3. */
function linksOf({ info, sunsetInfo, successor }: DeprecationOptions): string {
  const links = [
    info === undefined ? [] : [`<${info}>; rel="deprecation"`],
    sunsetInfo === undefined ? [] : [`<${sunsetInfo}>; rel="sunset"`],
    successor === undefined ? [] : [`<${successor}>; rel="successor-version"`],
  ];
  return links.flat().join(", ");
}

function check({ since, sunset, after, brownouts }: DeprecationOptions): OptionMistake[] {
  if (since === undefined && sunset === undefined) {
    return [{ message: "there is no date", hint: "give since, sunset or both" }];
  }
  const mistakes: OptionMistake[] = [];
  if (since !== undefined && sunset !== undefined && sunset < since) {
    // RFC 9745 section 4.
    mistakes.push({ path: ["sunset"], message: "it ends before it is deprecated" });
  }
  if (after === 410 && sunset === undefined) {
    mistakes.push({ path: ["after"], message: "there is no date to end it", hint: "give sunset" });
  }
  if (brownouts === undefined) return mistakes;
  const { windows, from } = brownouts;
  if (windows.length === 0 && from === undefined) {
    const hint = "give windows, or from when a growing part is refused";
    mistakes.push({ path: ["brownouts"], message: "there are no times in it", hint });
  }
  for (const [index, window] of windows.entries()) {
    const path = ["brownouts", "windows", index];
    if (window.until <= window.from) mistakes.push({ path, message: "it ends before it begins" });
    else if (sunset !== undefined && window.until > sunset) {
      mistakes.push({
        path,
        message: "it ends after sunset",
        hint: "brown-outs come before the end",
      });
    }
  }
  if (from !== undefined && (sunset === undefined || from >= sunset)) {
    const message = "what grows from then on has no end";
    mistakes.push({ path: ["brownouts", "from"], message, hint: "give a sunset after it" });
  }
  return mistakes;
}
