import { z } from "zod";
import { cidr } from "./cidr.ts";
import { conditions, type Condition } from "./condition.ts";
import { parsedText } from "./parsed-text.ts";
import { Refusal } from "./refusal.ts";
import { section } from "./section.ts";
import { listOf } from "./text.ts";

/** Which requests a route takes; an empty list asks nothing. */
export interface MatchConfig {
  methods: string[];
  /** Pattern: `/a/:id`, `/a/:id(\d+)`, `/a/*`. */
  path: string;
  /** Lower-case names, or `*.name` for every name below; no ports. */
  hosts: string[];
  headers: Condition[];
  query: Condition[];
  cookies: Condition[];
  /** Ranges in CIDR notation the client's address must be in one of. */
  clients: string[];
  /** Lower-case media types: `application/json`, `text/*`. */
  contentTypes: string[];
}

const METHOD = /^[A-Z][A-Z-]*$/;
const HOST = /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;
const MEDIA_TYPE = /^[a-z0-9!#$&^_.+-]+\/(\*|[a-z0-9!#$&^_.+-]+)$/;

const method = parsedText(parseMethod, {
  what: "a method",
  hint: "write it like GET",
  sample: "GET",
});
const pathPattern = parsedText(parsePathPattern, {
  what: "a path",
  hint: "write it like /api/users/:id or /files/*",
  sample: "/api/users/:id",
});
const host = parsedText(parseHostPattern, {
  what: "a host",
  hint: "write it like api.example.com or *.example.com",
  sample: "api.example.com",
});
const mediaType = parsedText(parseMediaType, {
  what: "a media type",
  hint: "write it like application/json or text/*",
  sample: "application/json",
});

const matchObject = section({
  methods: listOf(method, "a method")
    .prefault([])
    .describe("Methods; GET takes HEAD along. Default: every method."),
  path: pathPattern.describe(
    "Path: exact, with `:name` for one segment, `:name(regex)` for a constrained one, `*` at the " +
      "end for the rest.",
  ),
  hosts: listOf(host, "a host")
    .prefault([])
    .describe("Hosts, exact or `*.name` for every name below. Default: every host."),
  headers: conditions("headers", (name) => name.toLowerCase())
    .prefault({})
    .describe("Request headers and what they must be."),
  query: conditions("query parameters", (name) => name)
    .prefault({})
    .describe("Query parameters and what they must be."),
  cookies: conditions("cookies", (name) => name)
    .prefault({})
    .describe("Cookies and what they must be."),
  clients: listOf(cidr(), "an address range")
    .prefault([])
    .describe("Ranges, of which the client's address must be in one."),
  contentTypes: listOf(mediaType, "a media type")
    .prefault([])
    .describe(
      "Media types, of which the request's body must be one: `application/json`, `text/*`.",
    ),
});

const shortMatch = parsedText(
  (written): MatchConfig => {
    const parts = /^(?:(\S+)\s+)?(\/\S*)$/.exec(written);
    if (parts === null) {
      throw new Refusal(
        `${JSON.stringify(written)} is not a match`,
        "write it like GET /users/:id",
      );
    }
    const methods = parts[1] === undefined ? [] : parts[1].split(/[,|]/).map(parseMethod);
    const path = parsePathPattern(parts[2]!);
    return {
      methods,
      path,
      hosts: [],
      headers: [],
      query: [],
      cookies: [],
      clients: [],
      contentTypes: [],
    };
  },
  { what: "a match", hint: "write it like GET /users/:id", sample: "GET /api/users/:id" },
);

/** `match` of a route: `METHOD /path` (`GET,POST /path`, `/path`) or a map. */
export const match: z.ZodType<MatchConfig, string | z.input<typeof matchObject>> = z.union(
  [shortMatch, matchObject],
  { error: "expected what to match; write it like GET /users/:id, or a map with path" },
);

function parseMethod(written: string): string {
  if (METHOD.test(written)) return written;
  const upper = written.toUpperCase();
  const hint = METHOD.test(upper) ? `write ${upper}` : "write it like GET";
  throw new Refusal(`${JSON.stringify(written)} is not a method`, hint);
}

/** Only what every pattern must be; the routing table checks the rest of its grammar. */
function parsePathPattern(written: string): string {
  if (written.startsWith("/")) return written;
  throw new Refusal(`${JSON.stringify(written)} is not a path`, `write /${written}`);
}

function parseHostPattern(written: string): string {
  const lower = written.toLowerCase();
  if (HOST.test(lower)) return lower;
  if (/^\[[0-9a-f:.]+\]$/.test(lower)) return lower;
  const hint = /:\d+$/.test(lower)
    ? "leave out the port"
    : "write it like api.example.com or *.example.com";
  throw new Refusal(`${JSON.stringify(written)} is not a host`, hint);
}

function parseMediaType(written: string): string {
  const lower = written.toLowerCase();
  if (MEDIA_TYPE.test(lower)) return lower;
  const hint = "write it like application/json or text/*";
  throw new Refusal(`${JSON.stringify(written)} is not a media type`, hint);
}
