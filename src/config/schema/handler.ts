import { z } from "zod";
import { expected } from "../../policy/values/expected.ts";
import { headerValue, parseHeaderToSet } from "../../policy/values/header.ts";
import { count } from "../../policy/values/number.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { section } from "../../policy/values/section.ts";
import type { SplitConfig } from "./split.ts";
import { text } from "../../policy/values/text.ts";

/** What answers a request that a route takes. */
export type HandlerConfig =
  | { kind: "service"; service: string }
  | SplitConfig
  | RedirectConfig
  | RespondConfig;

/** The services that requests may go to; none where the gateway answers by itself. */
export function servicesOf(handler: HandlerConfig): string[] {
  if (handler.kind === "service") return [handler.service];
  if (handler.kind !== "split") return [];
  return [...new Set(handler.branches.map(({ service }) => service))];
}

/** Sends the client elsewhere; `to` may carry the path's `:name` and `*` over. */
export interface RedirectConfig {
  kind: "redirect";
  to: string;
  status: number;
}

/** Answers from the configuration itself. */
export interface RespondConfig {
  kind: "respond";
  status: number;
  /** Lower-case names; `content-type` is there when there is a body. */
  headers: Record<string, string>;
  body: string;
}

const REDIRECTS = [301, 302, 303, 307, 308];

const location = text("where to redirect")
  .regex(/^[!-~]+$/, { error: "not a location; percent-encode blanks and other characters" })
  .meta({ sample: "https://example.com/new/*" });

const redirectStatus = count().refine((code) => REDIRECTS.includes(code), {
  error: `not a redirect; one of ${REDIRECTS.join(", ")}`,
});

const redirectObject = section({
  to: location.describe("URL or path; `:name` and `*` carry over from the matched path."),
  status: redirectStatus.prefault(302).describe("301, 302, 303, 307 or 308."),
});

/** `redirect` of a route. */
export const redirect = z
  .union([location.transform((to) => ({ to, status: 302 })), redirectObject], {
    error: expected("where to redirect", "write a URL or { to, status }"),
  })
  .transform((value): RedirectConfig => ({ kind: "redirect", ...value }));

const headers = z
  .record(z.string(), headerValue(), { error: expected("a map of header names to values") })
  .transform((written, context) => {
    const entries = Object.entries(written).map(([name, value]) => {
      try {
        return [parseHeaderToSet(name), value] as const;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const { message, hint } = error;
        context.issues.push({
          code: "custom",
          message,
          params: { hint },
          input: name,
          path: [name],
        });
        return [name, value] as const;
      }
    });
    return Object.fromEntries(entries);
  });

const body = z.union(
  [
    z.string().meta({ kind: "text" }),
    z
      .record(z.string(), z.json())
      .meta({ kind: "map sent as JSON" })
      .transform((value) => ({ json: JSON.stringify(value) })),
    z
      .array(z.json())
      .meta({ kind: "list sent as JSON" })
      .transform((value) => ({ json: JSON.stringify(value) })),
  ],
  { error: expected("text, or a map or list to send as JSON") },
);

/** `respond` of a route. */
export const respond = section({
  status: count({ min: 200, max: 599 }).prefault(200).describe("Status code, 200 to 599."),
  headers: headers.prefault({}).describe("Headers of the answer."),
  body: body.prefault("").describe("Body: text, or a map or list that is sent as JSON."),
}).transform((value, context): RespondConfig => {
  const json = typeof value.body !== "string";
  const content = typeof value.body === "string" ? value.body : value.body.json;
  if (content !== "" && (value.status === 204 || value.status === 205 || value.status === 304)) {
    const message = `a body with status ${value.status}`;
    const params = { hint: "drop the body or change the status" };
    context.issues.push({ code: "custom", message, params, input: content, path: ["body"] });
    return z.NEVER;
  }
  const type = json ? "application/json" : "text/plain; charset=utf-8";
  const typed = content === "" ? {} : { "content-type": type };
  return {
    kind: "respond",
    status: value.status,
    headers: { ...typed, ...value.headers },
    body: content,
  };
});
