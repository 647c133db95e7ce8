import { z } from "zod";
import type { CookieAttributes } from "../../base/cookie-attributes.ts";
import { cookieName } from "../../policy/values/cookie.ts";
import { expected } from "../../policy/values/expected.ts";
import { headerName } from "../../policy/values/header.ts";
import { count } from "../../policy/values/number.ts";
import { section } from "../../policy/values/section.ts";
import { choice, text } from "../../policy/values/text.ts";
import { applies, type AppliesConfig } from "./applies.ts";
import { cookieShape, refusedCookie } from "./cookie-shape.ts";
import { rewrite, type RewriteConfig } from "./rewrite.ts";
import { routeTimeout, type RouteTimeout } from "./route-timeout.ts";

/** One of the ways that requests of a route may go. */
export interface SplitBranchConfig {
  /** Given, or the service's; unique in its split. */
  name: string;
  service: string;
  /** Share relative to the others, 0 for nothing; null: all that `when` takes. */
  weight: number | null;
  when?: AppliesConfig;
  /** In place of the route's. */
  rewrite?: RewriteConfig;
  /** In place of the route's, each by itself. */
  timeout: RouteTimeout;
}

/** By what clients are known, so that each goes the same way every time. */
export type StickySplitConfig =
  | { by: "consumer" | "address" }
  | { by: "header"; name: string }
  | ({ by: "cookie"; name: string } & CookieAttributes);

/** `split` of a route. */
export interface SplitConfig {
  kind: "split";
  branches: SplitBranchConfig[];
  sticky: StickySplitConfig | null;
  seed: string;
}

const branch = section({
  service: text("a service's name").describe("Service that answers."),
  weight: count({ max: 1_000_000 })
    .optional()
    .describe(
      "Share of the requests, relative to the other branches; 0 for none. Default: 1, or with `when` all " +
        "that it takes.",
    ),
  when: applies
    .optional()
    .describe(
      "Only requests that this takes: without `weight` all of them, with it a share. Decided once the " +
        "route's policies are through, so that expressions know who is calling.",
    ),
  name: text("a name").optional().describe("Name in metrics. Default: the service's."),
  rewrite: rewrite.optional().describe("In place of the route's `rewrite`."),
  timeout: routeTimeout.prefault({}).describe("In place of the route's `timeout`."),
}).transform(({ name, weight, when, rewrite: changed, service, timeout }): SplitBranchConfig => ({
  name: name ?? service,
  service,
  weight: weight ?? (when === undefined ? 1 : null),
  ...(when === undefined ? {} : { when }),
  ...(changed === undefined ? {} : { rewrite: changed }),
  timeout,
}));

const branches = z
  .array(branch, { error: expected("a list of branches", "begin each with a dash: - service: …") })
  .superRefine(refuseBranches);

const COOKIE = "gw-split";
const STICKY_HINT = "write cookie, consumer or address, or a map of header or cookie";
const cookieDefaults = z.object(cookieShape);

const stickyMap = section({
  header: headerName()
    .optional()
    .describe("Clients are known by the value of this request header, which they choose."),
  cookie: cookieName()
    .optional()
    .describe("Clients are known by a cookie of this name that the gateway gives them."),
  ...cookieShape,
}).transform((value, context): StickySplitConfig => {
  const { header, cookie, ttl: ttlMs, ...rest } = value;
  const refuse = (message: string, hint: string, path: string[] = []): never => {
    context.issues.push({ code: "custom", message, params: { hint }, input: value, path });
    return z.NEVER;
  };
  if (header !== undefined && cookie !== undefined) {
    return refuse("both a header and a cookie", "keep one of them");
  }
  if (header !== undefined) return { by: "header", name: header };
  if (cookie === undefined) return refuse("neither a header nor a cookie", "name one of them");
  const refused = refusedCookie(cookie, rest);
  if (refused !== undefined) return refuse(refused[1], refused[2], [refused[0]]);
  return { by: "cookie", name: cookie, ttlMs, ...rest };
});

const sticky = z.union(
  [
    choice(["cookie", "consumer", "address"]).transform((by): StickySplitConfig => {
      if (by !== "cookie") return { by };
      const { ttl: ttlMs, ...rest } = cookieDefaults.parse({});
      return { by, name: COOKIE, ttlMs, ...rest };
    }),
    stickyMap,
  ],
  { error: expected("how clients are known", STICKY_HINT) },
);

const splitObject = section({
  branches: branches.describe("The ways that requests may go."),
  sticky: sticky
    .optional()
    .describe(
      "Each client goes the same way every time: `cookie`, `consumer`, `address`, `{ header: NAME }` or " +
        "`{ cookie: NAME }`. Raising a weight leaves those where they are who are there already. Default: " +
        "every request for itself.",
    ),
  seed: text("a seed")
    .prefault("split")
    .describe("Splits of another seed send the same clients other ways, also with equal weights."),
});

/** `split` of a route: a list of branches, or a map that has them under `branches`. */
export const split = z
  .union(
    [
      branches.transform((list) => ({ branches: list, sticky: undefined, seed: "split" })),
      splitObject,
    ],
    { error: expected("a list of branches, or a map with branches") },
  )
  .transform((value): SplitConfig => ({
    kind: "split",
    branches: value.branches,
    sticky: value.sticky ?? null,
    seed: value.seed,
  }));

/** Every request has to have somewhere to go. */
function refuseBranches(list: SplitBranchConfig[], context: z.RefinementCtx): void {
  const refuse = (message: string, hint: string, ...path: (string | number)[]): void => {
    context.addIssue({ code: "custom", message, params: { hint }, path });
  };
  if (list.length < 2) {
    refuse("fewer than two branches split nothing", "add one, or write service instead");
    return;
  }
  const seen = new Set<string>();
  for (const [index, { name }] of list.entries()) {
    if (seen.has(name)) refuse(`two branches called "${name}"`, "give each its own name", index);
    seen.add(name);
  }
  const rest = list.filter(({ when }) => when === undefined);
  if (rest.length === 0) {
    refuse("requests that fit no condition have nowhere to go", "add a branch without when");
  } else if (rest.every(({ weight }) => weight === 0)) {
    refuse(
      "every branch without a condition has weight 0, so some requests have nowhere to go",
      "give one of them a weight",
    );
  }
}
