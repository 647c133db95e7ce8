import { z } from "zod";
import { expected } from "../../policy/values/expected.ts";
import { cidr } from "../../policy/values/cidr.ts";
import { conditions, type ValueTest } from "./condition.ts";
import { parsedText } from "../../policy/values/parsed-text.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { section } from "../../policy/values/section.ts";
import { listOf, text } from "../../policy/values/text.ts";

/**
 * Which requests a route takes; an empty list or map asks nothing. Names and patterns are as
 * written: the routing table compiles and refuses them.
 */
export interface MatchConfig {
  methods: string[];
  /** Pattern: `/a/:id`, `/a/:id(\d+)`, `/a/*`. */
  path: string;
  /** Exact names, or `*.name` for every name below; no ports. */
  hosts: string[];
  headers: Record<string, ValueTest>;
  query: Record<string, ValueTest>;
  cookies: Record<string, ValueTest>;
  /** Ranges in CIDR notation; the client's address must be in one. */
  clients: string[];
  /** Media types: `application/json`, `text/*`. */
  contentTypes: string[];
}

const HINT = "write it like GET /users/:id";

/** Keys of a match written as a map. */
export const matchShape = {
  methods: listOf(text("a method"), "a method")
    .prefault([])
    .describe("Methods; GET takes HEAD along. Default: every method."),
  path: text("a path")
    .meta({ sample: "/api/users/:id" })
    .describe(
      "Path: exact, `:name` for one segment, `:name(regex)` for a constrained one, `*` at the end " +
        "for the rest. `/a/*` takes `/a/` and all below, but not `/a`.",
    ),
  hosts: listOf(text("a host"), "a host")
    .prefault([])
    .describe("Hosts, exact or `*.name` for every name below. Default: every host."),
  headers: conditions("headers").prefault({}).describe("Request headers and what they must be."),
  query: conditions("parameters").prefault({}).describe("Query parameters and what they must be."),
  cookies: conditions("cookies").prefault({}).describe("Cookies and what they must be."),
  clients: listOf(cidr(), "an address range")
    .prefault([])
    .describe("Ranges, of which the client's address must be in one."),
  contentTypes: listOf(text("a media type"), "a media type")
    .prefault([])
    .describe("Media types of the request's body, any of them: `application/json`, `text/*`."),
};

const matchObject = section(matchShape);

/** `METHOD /path`, `GET,POST /path`, `/path`. */
export const shortMatch = parsedText(parseShortMatch, {
  what: "a match",
  hint: HINT,
  pattern: "^([^\\s/]+\\s+)?/\\S*$",
  sample: "GET /api/users/:id",
});

/** `match` of a route: `METHOD /path` (`GET,POST /path`, `/path`) or a map. */
export const match: z.ZodType<MatchConfig, string | z.input<typeof matchObject>> = z.union(
  [shortMatch, matchObject],
  { error: expected("what to match", "write it like GET /users/:id, or a map with path") },
);

function parseShortMatch(written: string): MatchConfig {
  const parts = /^(?:([^\s/]+)\s+)?(\/.*)$/.exec(written);
  if (parts === null) throw new Refusal(`${JSON.stringify(written)} is not a match`, HINT);
  const [, methods, path = ""] = parts;
  return {
    methods: methods?.split(",") ?? [],
    path,
    hosts: [],
    headers: {},
    query: {},
    cookies: {},
    clients: [],
    contentTypes: [],
  };
}
