import assert from "node:assert/strict";
import { test } from "node:test";
import { MATCHED, METHOD_NOT_ALLOWED, MatchResult, NOT_FOUND } from "./match-result.ts";
import type { RouteMatch } from "./route-rule.ts";
import { compileRoutes } from "./route-table.ts";
import type { RoutingRequest } from "./routing-request.ts";

interface Sent {
  method?: string;
  host?: string;
  clientAddress?: string;
  headers?: Record<string, string>;
  query?: Record<string, string>;
  cookies?: Record<string, string>;
}

function requestFor(path: string, sent: Sent = {}): RoutingRequest {
  return {
    method: sent.method ?? "GET",
    host: sent.host ?? "example.org",
    path,
    clientAddress: sent.clientAddress ?? "192.0.2.1",
    header: (name) => sent.headers?.[name],
    query: (name) => sent.query?.[name],
    cookie: (name) => sent.cookies?.[name],
  };
}

/** A matcher of routes whose values are their names. */
function matcherOf(routes: Readonly<Record<string, RouteMatch | string>>) {
  const rules = Object.entries(routes).map(([value, match]) => ({
    value,
    match: typeof match === "string" ? { path: match } : match,
  }));
  const { matcher, problems } = compileRoutes(rules);
  assert.deepEqual(problems, []);
  const result = new MatchResult<string>();
  return {
    result,
    /** The value that was found, or the Allow header, or nothing. */
    find(path: string, sent?: Sent): string | undefined {
      const outcome = matcher.match(requestFor(path, sent), result);
      assert.equal(outcome, result.outcome);
      if (outcome === MATCHED) return result.value;
      return outcome === METHOD_NOT_ALLOWED ? `405 ${result.allow}` : undefined;
    },
    matcher,
  };
}

test("matcher: exact paths are strict about case and the closing slash", () => {
  const { find } = matcherOf({ a: "/a", slash: "/a/", root: "/" });
  assert.equal(find("/a"), "a");
  assert.equal(find("/a/"), "slash");
  assert.equal(find("/"), "root");
  assert.equal(find("/A"), undefined);
  assert.equal(find("/a/b"), undefined);
  assert.equal(find("/ab"), undefined);
});

test("matcher: a parameter takes one segment that is not empty", () => {
  const { find, result } = matcherOf({ user: "/users/:id", posts: "/users/:id/posts/:post" });
  assert.equal(find("/users/12"), "user");
  assert.equal(result.paramCount, 1);
  assert.equal(result.param(0), "12");
  assert.equal(result.paramNamed("id"), "12");
  assert.equal(result.paramNamed("post"), undefined);
  assert.equal(find("/users/a%20b/posts/9"), "posts");
  assert.equal(result.paramNamed("id"), "a%20b");
  assert.equal(result.paramNamed("post"), "9");
  assert.equal(find("/users/"), undefined);
  assert.equal(find("/users"), undefined);
  assert.equal(find("/users/;x=1"), undefined);
  assert.equal(find("/users/7;x=1"), "user");
});

test("matcher: the rest takes everything below the slash, and nothing too", () => {
  const { find, result } = matcherOf({ files: "/files/*", named: "/n/:a/*rest" });
  assert.equal(find("/files/a/b.txt"), "files");
  assert.equal(result.paramNamed("*"), "a/b.txt");
  assert.equal(find("/files/"), "files");
  assert.equal(result.paramNamed("*"), "");
  assert.equal(find("/files"), undefined);
  assert.equal(find("/n/1/x/y/z/"), "named");
  assert.equal(result.paramNamed("rest"), "x/y/z/");
  assert.equal(result.paramNamed("*"), "x/y/z/");
  assert.equal(find(`/files/${"x/".repeat(5000)}`), "files");
  assert.equal(result.param(0).length, 10_000);
});

test("matcher: a constraint has to match the whole segment", () => {
  const { find } = matcherOf({ number: "/u/:id(\\d+)", name: "/u/:name([a-z-]+)", any: "/u/:x" });
  assert.equal(find("/u/12"), "number");
  assert.equal(find("/u/ab-c"), "name");
  assert.equal(find("/u/12a"), "any");
});

test("matcher: several parameters share a segment, split at the first separator", () => {
  const { find, result } = matcherOf({
    file: "/f/:name.:ext",
    version: "/v:major(\\d+).:minor(\\d+)/x",
    hex: "/h/:a(.+)2:b",
  });
  assert.equal(find("/f/a.tar.gz"), "file");
  assert.deepEqual([result.param(0), result.param(1)], ["a", "tar.gz"]);
  assert.equal(find("/v10.2/x"), "version");
  assert.deepEqual([result.param(0), result.param(1)], ["10", "2"]);
  assert.equal(find("/v10.x/x"), undefined);
  assert.equal(find("/f/.gz"), undefined);
  assert.equal(find("/f/gz."), undefined);
  // Not within the escape, which would leave half of it on each side.
  assert.equal(find("/h/x%2Fy2z"), "hex");
  assert.deepEqual([result.param(0), result.param(1)], ["x%2Fy", "z"]);
  assert.equal(find("/h/x%2F"), undefined);
});

test("matcher: no part of a segment is a dot segment, whatever a rewrite makes of it", () => {
  const { find } = matcherOf({ pair: "/:a-:b" });
  assert.equal(find("/x-y"), "pair");
  assert.equal(find("/..-y"), undefined);
  assert.equal(find("/x-.."), undefined);
  assert.equal(find("/x-..%2Fy"), undefined);
  assert.equal(find("/x-a%2F..%5Cy"), undefined);
  assert.equal(find("/x-..;y"), undefined);
  assert.equal(find("/x-;y"), undefined);
  assert.equal(find("/x-...y"), "pair");
});

test("matcher: literal wins over constraint, constraint over parameter, parameter over rest", () => {
  const { find } = matcherOf({
    rest: "/a/*",
    param: "/a/:x",
    number: "/a/:x(\\d+)",
    json: "/a/:x.json",
    literal: "/a/12",
  });
  assert.equal(find("/a/12"), "literal");
  assert.equal(find("/a/13"), "number");
  assert.equal(find("/a/13.json"), "json");
  assert.equal(find("/a/b"), "param");
  assert.equal(find("/a/b/c"), "rest");
});

test("matcher: what is more specific further left wins", () => {
  const { find } = matcherOf({ left: "/a/:x/*", right: "/:x/b/c" });
  assert.equal(find("/a/b/c"), "left");
  assert.equal(find("/z/b/c"), "right");
});

test("matcher: goes back from a dead end to less specific routes", () => {
  const { find, result } = matcherOf({
    deep: "/a/b/c/d",
    param: "/a/:x/c/e",
    rest: "/:x/*",
  });
  assert.equal(find("/a/b/c/d"), "deep");
  assert.equal(find("/a/b/c/e"), "param");
  assert.equal(result.param(0), "b");
  assert.equal(find("/a/b/c/f"), "rest");
  assert.equal(result.param(1), "b/c/f");
});

test("matcher: overlapping constraints are decided by what comes after them", () => {
  const { find } = matcherOf({ first: "/:a(\\d+)/:b/c", second: "/:a([0-9]{3})/x/:c" });
  assert.equal(find("/123/x/c"), "second");
  assert.equal(find("/123/y/c"), "first");
  assert.equal(find("/12/x/c"), "first");
  const { find: findDeeper } = matcherOf({
    literal: "/:a(\\d+)/x/y",
    param: "/:a([0-9]{3})/:b",
    rest: "/:a(\\d+)/*",
  });
  assert.equal(findDeeper("/123/z"), "param");
  assert.equal(findDeeper("/123/x/y"), "literal");
  assert.equal(findDeeper("/12/z"), "rest");
});

test("matcher: a method that fails falls back to a less specific route that takes it", () => {
  const { find } = matcherOf({
    get: { path: "/users/:id", methods: ["GET"] },
    any: { path: "/users/*" },
  });
  assert.equal(find("/users/1"), "get");
  assert.equal(find("/users/1", { method: "POST" }), "any");
});

test("matcher: a route for named methods wins over one for all", () => {
  const { find } = matcherOf({ any: "/a", get: { path: "/a", methods: ["GET"] } });
  assert.equal(find("/a"), "get");
  assert.equal(find("/a", { method: "PURGE" }), "any");
});

test("matcher: HEAD is answered by GET routes, unless a route names it", () => {
  const { find } = matcherOf({
    get: { path: "/a", methods: ["GET"] },
    getB: { path: "/b", methods: ["GET"] },
    headB: { path: "/b", methods: ["HEAD"] },
  });
  assert.equal(find("/a", { method: "HEAD" }), "get");
  assert.equal(find("/b", { method: "HEAD" }), "headB");
  assert.equal(find("/b"), "getB");
});

test("matcher: 405 lists the methods of all routes that fit otherwise", () => {
  const { find } = matcherOf({
    one: { path: "/a/:x", methods: ["GET"] },
    two: { path: "/a/b", methods: ["PUT", "DELETE"] },
    other: { path: "/a/b", methods: ["PATCH"], headers: { x: "1" } },
    elsewhere: { path: "/a/b", methods: ["POST"], hosts: ["other.org"] },
  });
  assert.equal(find("/a/b", { method: "OPTIONS" }), "405 DELETE, GET, HEAD, PUT");
  assert.equal(
    find("/a/b", { method: "X", headers: { x: "1" } }),
    "405 DELETE, GET, HEAD, PATCH, PUT",
  );
  assert.equal(find("/a/c", { method: "PUT" }), "405 GET, HEAD");
  assert.equal(find("/a/b", { method: "get" }), "405 DELETE, GET, HEAD, PUT");
});

test("matcher: 404 where anything else than the method fails", () => {
  const { find, result } = matcherOf({
    one: { path: "/a", methods: ["GET"], headers: { x: "1" } },
  });
  assert.equal(find("/a"), undefined);
  assert.equal(find("/a", { method: "POST" }), undefined);
  assert.equal(find("/b", { method: "POST" }), undefined);
  assert.equal(result.outcome, NOT_FOUND);
  assert.equal(result.rule, null);
});

test("matcher: a target without a path matches nothing", () => {
  const { find } = matcherOf({ all: "/*" });
  assert.equal(find("*", { method: "OPTIONS" }), undefined);
  assert.equal(find(""), undefined);
});

test("matcher: exact host wins over the longer wildcard, that over the shorter, that over none", () => {
  const { find } = matcherOf({
    any: "/*",
    org: { path: "/*", hosts: ["*.org"] },
    example: { path: "/*", hosts: ["*.example.org"] },
    api: { path: "/*", hosts: ["api.example.org"] },
  });
  assert.equal(find("/", { host: "api.example.org" }), "api");
  assert.equal(find("/", { host: "api.example.org." }), "api");
  assert.equal(find("/", { host: "x.example.org" }), "example");
  assert.equal(find("/", { host: "y.x.example.org" }), "example");
  assert.equal(find("/", { host: "example.org" }), "org");
  assert.equal(find("/", { host: "org" }), "any");
  assert.equal(find("/", { host: ".example.org" }), "org");
  assert.equal(find("/", { host: "" }), "any");
  assert.equal(find("/", { host: "x.".repeat(300) + "org" }), "any");
});

test("matcher: a path that the exact host does not have is looked for at less specific hosts", () => {
  const { find } = matcherOf({
    api: { path: "/a", hosts: ["api.example.org"], methods: ["GET"] },
    wildcard: { path: "/a", hosts: ["*.example.org"], methods: ["PUT"] },
    any: "/b",
  });
  assert.equal(find("/b", { host: "api.example.org" }), "any");
  assert.equal(find("/a", { host: "api.example.org", method: "PUT" }), "wildcard");
  assert.equal(find("/a", { host: "api.example.org", method: "X" }), "405 GET, HEAD, PUT");
});

test("matcher: IPv6 addresses and international names are hosts too", () => {
  const { find } = matcherOf({
    v6: { path: "/", hosts: ["::1"] },
    idn: { path: "/", hosts: ["Bücher.example"] },
  });
  assert.equal(find("/", { host: "[::1]" }), "v6");
  assert.equal(find("/", { host: "xn--bcher-kva.example" }), "idn");
});

test("matcher: headers, query, cookies, client and content type have to fit, all of them", () => {
  const { find } = matcherOf({
    plain: "/a",
    header: { path: "/a", headers: { "X-Channel": "mobile" } },
    query: { path: "/b", query: { beta: ["true", "1"] } },
    cookie: { path: "/c", cookies: { session: { present: true } } },
    client: { path: "/d", clients: ["10.0.0.0/8", "2001:db8::/32"] },
    json: { path: "/e", contentTypes: ["application/json", "*+json"] },
    both: { path: "/f", headers: { a: "1" }, cookies: { b: { prefix: "x" } } },
  });
  assert.equal(find("/a", { headers: { "x-channel": "mobile" } }), "header");
  assert.equal(find("/a", { headers: { "x-channel": "Mobile" } }), "plain");
  assert.equal(find("/b", { query: { beta: "1" } }), "query");
  assert.equal(find("/b", { query: { beta: "2" } }), undefined);
  assert.equal(find("/c", { cookies: { session: "" } }), "cookie");
  assert.equal(find("/c"), undefined);
  assert.equal(find("/d", { clientAddress: "10.1.2.3" }), "client");
  assert.equal(find("/d", { clientAddress: "::ffff:10.1.2.3" }), "client");
  assert.equal(find("/d", { clientAddress: "2001:db8::7" }), "client");
  assert.equal(find("/d", { clientAddress: "11.0.0.1" }), undefined);
  assert.equal(find("/d", { clientAddress: "" }), undefined);
  assert.equal(
    find("/e", { headers: { "content-type": "Application/JSON; charset=utf-8" } }),
    "json",
  );
  assert.equal(find("/e", { headers: { "content-type": "application/problem+json" } }), "json");
  assert.equal(find("/e", { headers: { "content-type": "text/plain" } }), undefined);
  assert.equal(find("/e"), undefined);
  assert.equal(find("/f", { headers: { a: "1" }, cookies: { b: "xy" } }), "both");
  assert.equal(find("/f", { headers: { a: "1" } }), undefined);
});

test("matcher: more conditions win over fewer, exact values over weaker tests", () => {
  const { find } = matcherOf({
    none: "/a",
    present: { path: "/a", headers: { x: { present: true } } },
    prefix: { path: "/a", headers: { x: { prefix: "1" } } },
    anyOf: { path: "/a", headers: { x: ["12", "13"] } },
    exact: { path: "/a", headers: { x: "12" } },
    two: { path: "/a", headers: { x: { present: true }, y: { present: true } } },
  });
  assert.equal(find("/a"), "none");
  assert.equal(find("/a", { headers: { x: "2" } }), "present");
  assert.equal(find("/a", { headers: { x: "1" } }), "prefix");
  assert.equal(find("/a", { headers: { x: "13" } }), "anyOf");
  assert.equal(find("/a", { headers: { x: "12" } }), "exact");
  assert.equal(find("/a", { headers: { x: "12", y: "" } }), "two");
});

test("matcher: the narrower client range wins", () => {
  const { find } = matcherOf({
    wide: { path: "/a", clients: ["10.0.0.0/8"] },
    narrow: { path: "/a", clients: ["10.1.0.0/16"] },
  });
  assert.equal(find("/a", { clientAddress: "10.1.2.3" }), "narrow");
  assert.equal(find("/a", { clientAddress: "10.2.2.3" }), "wide");
});

test("matcher: many rules that differ in one value are found by that value", () => {
  const tenants: Record<string, RouteMatch> = {};
  for (let tenant = 0; tenant < 1000; tenant++) {
    tenants[`t${tenant}`] = { path: "/a", headers: { tenant: `t${tenant}` } };
  }
  const { find } = matcherOf({
    ...tenants,
    both: { path: "/a", headers: { tenant: "t7" }, methods: ["PUT"] },
    cookie: { path: "/a", cookies: { c: "1" }, headers: { tenant: { prefix: "t" } } },
    none: "/a",
  });
  let reads = 0;
  const headers = {
    get tenant() {
      reads++;
      return "t777";
    },
  };
  assert.equal(find("/a", { headers }), "t777");
  assert.ok(reads < 10, `${reads} reads`);
  assert.equal(find("/a", { headers: { tenant: "t7" }, method: "PUT" }), "both");
  assert.equal(find("/a", { headers: { tenant: "t7" } }), "t7");
  assert.equal(find("/a", { headers: { tenant: "t7x" }, cookies: { c: "1" } }), "cookie");
  assert.equal(find("/a", { headers: { tenant: "t7" }, cookies: { c: "1" } }), "cookie");
  assert.equal(find("/a"), "none");
});

test("matcher: a path that is a part of a longer text is matched in place", () => {
  const { matcher, result } = matcherOf({ user: "/users/:id", rest: "/r/*" });
  const text = "GET /users/12?x=/y HTTP/1.1";
  assert.equal(matcher.matchRange(requestFor(""), text, 4, 13, result), MATCHED);
  assert.equal(result.paramNamed("id"), "12");
  assert.equal(matcher.matchRange(requestFor(""), "xx/r/a/bcd", 2, 8, result), MATCHED);
  assert.equal(result.param(0), "a/b");
});

test("matcher: literals with equal hashes are told apart", () => {
  // "Aa" and "BB" collide in the hash that segments are looked up by.
  const { find } = matcherOf({ first: "/Aa", second: "/Aa/BB" });
  assert.equal(find("/Aa"), "first");
  assert.equal(find("/BB"), undefined);
  assert.equal(find("/Aa/BB"), "second");
  assert.equal(find("/Aa/Aa"), undefined);
});

test("matcher: a result that is cleared holds nothing of the route", () => {
  const { find, result } = matcherOf({ a: "/a/:x" });
  find("/a/b");
  result.clear();
  assert.deepEqual([result.rule, result.text, result.paramCount], [null, "", 0]);
});

test("matcher: an empty table matches nothing", () => {
  const { find } = matcherOf({});
  assert.equal(find("/"), undefined);
});

test("matcher: a condition that throws does not disturb later matches", () => {
  const { matcher, result, find } = matcherOf({
    put: { path: "/a", methods: ["PUT"], headers: { x: "1" } },
  });
  const request = requestFor("/a");
  request.header = () => {
    throw new Error("unreadable");
  };
  assert.throws(() => matcher.match(request, result), /unreadable/);
  assert.equal(find("/a", { method: "PUT", headers: { x: "1" } }), "put");
});
