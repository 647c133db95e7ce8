/**
 * mirror: sends copies of requests to another service, whose answers nobody gets.
 */
import type { Exchange } from "../../policy/exchange.ts";
import { definePolicy } from "../../policy/policy.ts";
import { duration } from "../../policy/values/duration.ts";
import { count } from "../../policy/values/number.ts";
import { percent } from "../../policy/values/percent.ts";
import { section } from "../../policy/values/section.ts";
import { size } from "../../policy/values/size.ts";
import { choice, listOf, text } from "../../policy/values/text.ts";
import { CopyingStage } from "./copying-stage.ts";
import { copyRequest, COPY_MARK, type RequestCopy } from "../../policy/request-copy.ts";

/** Methods that change nothing, RFC 9110 section 9.2.1. */
const SAFE = ["GET", "HEAD", "OPTIONS"];
/** An answer that is longer is cut off; it is thrown away in any case. */
const ANSWER_BYTES_MAX = 1024 * 1024;

export default definePolicy({
  name: "mirror",
  summary: "Sends copies of requests to another service, whose answers nobody gets.",
  schema: section({
    to: text("a service's name").describe("Service that gets the copies."),
    share: percent().prefault("100%").describe("Share of the requests that are copied."),
    methods: listOf(text("a method"), "a method")
      .prefault(SAFE)
      .describe("Methods that are copied. Name others only where the copy changes nothing real."),
    body: size({ maxBytes: 16 * 2 ** 20 })
      .prefault("64kb")
      .describe("Longest body that is copied along; longer requests are not copied. In memory."),
    credentials: choice(["strip", "keep"])
      .prefault("strip")
      .describe("Whether copies have `Authorization` and `Cookie`."),
    host: text("a host")
      .optional()
      .describe("Host of copies. Default: as the service's `host` says."),
    timeout: duration({ minMs: 100 }).prefault("5s").describe("Time for a copy, retries included."),
    maxConcurrent: count({ min: 1, max: 10_000 })
      .prefault(100)
      .describe("Most copies under way at once, for each worker; beyond it none are sent."),
  }),
  results: ["sent", "busy", "too-large", "2xx", "3xx", "4xx", "5xx", "failed"],

  check({ to, share }, { services }) {
    if (!services.includes(to)) {
      const hint = `there are ${services.join(", ")}`;
      return [{ path: ["to"], message: `no service named ${JSON.stringify(to)}`, hint }];
    }
    if (share > 0) return [];
    const message = "no request is copied";
    return [{ path: ["share"], message, hint: "drop the policy", isWarning: true }];
  },

  compile(options, environment) {
    const { to, share, methods, body: bodyBytesMax, credentials, host, maxConcurrent } = options;
    const { random } = environment;
    const copied: ReadonlySet<string> = new Set(methods);
    const keepsCredentials = credentials === "keep";
    const sent = environment.counter("sent");
    const busy = environment.counter("busy");
    const tooLarge = environment.counter("too-large");
    const failed = environment.counter("failed");
    const byClass = (["2xx", "3xx", "4xx", "5xx"] as const).map((one) => environment.counter(one));
    let underWay = 0;

    const isCopied = (exchange: Exchange): boolean => {
      if (!copied.has(exchange.method) || exchange.header(COPY_MARK) !== undefined) return false;
      // What becomes of a connection after an upgrade cannot be copied.
      if (exchange.request.upgradeIndex >= 0) return false;
      return random.fraction() < share;
    };

    const send = async (copy: RequestCopy, body: Buffer | null): Promise<void> => {
      try {
        const { status } = await environment.call(to, {
          ...copy,
          ...(host === undefined ? {} : { host }),
          ...(body === null || body.length === 0 ? {} : { body }),
          timeoutMs: options.timeout,
          bytesMax: ANSWER_BYTES_MAX,
        });
        byClass[Math.floor(status / 100) - 2]?.add(1);
      } catch {
        // A path or a header that cannot be sent is no better than a service that is away.
        failed.add(1);
      } finally {
        underWay--;
      }
    };

    /** After what the client's own request does within this event. */
    const sendLater = (copy: RequestCopy, body: Buffer | null): void => {
      sent.add(1);
      setImmediate(() => void send(copy, body));
    };

    return {
      onRequest(exchange) {
        if (!isCopied(exchange)) return;
        if (exchange.requestHasBody && exchange.request.contentLength > bodyBytesMax) {
          tooLarge.add(1);
          return;
        }
        if (underWay >= maxConcurrent) {
          busy.add(1);
          return;
        }
        underWay++;
        // Now: later policies change the request, and its end clears it.
        const copy = copyRequest(exchange, keepsCredentials);
        if (!exchange.requestHasBody) {
          sendLater(copy, null);
          return;
        }
        exchange.stageRequest(
          new CopyingStage(bodyBytesMax, {
            onWhole: (body) => sendLater(copy, body),
            onLonger() {
              underWay--;
              tooLarge.add(1);
            },
            onBrokenOff() {
              underWay--;
            },
          }),
        );
      },
    };
  },
});
