import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/fast-check.ts";
import { MATCHED, MatchResult } from "./match-result.ts";
import { NormalizedPath, normalizePath } from "./normalize-path.ts";
import { parsePathPattern } from "./path-pattern.ts";
import type { PathTemplate } from "./path-template.ts";
import { compilePathTemplate, compileRedirect, compileRewrite } from "./rewrite.ts";
import type { RewriteRule } from "./rewrite.ts";
import { compileRoutes } from "./route-table.ts";

function fill(template: PathTemplate, pattern: string, path: string): string | undefined {
  const { matcher } = compileRoutes([{ value: 0, match: { path: pattern } }]);
  const result = new MatchResult<number>();
  const request = {
    method: "GET",
    host: "",
    path,
    clientAddress: "",
    header: () => undefined,
    query: () => undefined,
    cookie: () => undefined,
  };
  if (matcher.match(request, result) !== MATCHED) return undefined;
  return template.render(result);
}

function rewritten(template: string, pattern: string, path: string): string | undefined {
  return fill(compilePathTemplate(template, parsePathPattern(pattern)), pattern, path);
}

function queryOf(rule: RewriteRule["query"], query: string): string {
  const rewrite = compileRewrite({ query: rule }, parsePathPattern("/"));
  return rewrite.query === null ? query : rewrite.query.apply(query);
}

test("rewrites: parameters and the rest carry over as they were sent", () => {
  assert.equal(
    rewritten("/orders/*", "/api/v1/orders/*", "/api/v1/orders/1/items"),
    "/orders/1/items",
  );
  assert.equal(rewritten("/orders/*", "/api/v1/orders/*", "/api/v1/orders/"), "/orders/");
  assert.equal(rewritten("/*", "/api/*", "/api/a%20b/c/"), "/a%20b/c/");
  assert.equal(rewritten("/v2/:id/x", "/u/:id", "/u/7%3F"), "/v2/7%3F/x");
  assert.equal(rewritten("/:b/:a", "/:a/:b", "/1/2"), "/2/1");
  assert.equal(rewritten("/:a/:a", "/:a", "/1"), "/1/1");
  assert.equal(rewritten("/:ext/:name.bak", "/:name.:ext", "/a.txt"), "/txt/a.bak");
  assert.equal(rewritten("/x/*rest", "/*rest", "/a/b"), "/x/a/b");
  assert.equal(rewritten("/x/*", "/*rest", "/a/b"), "/x/a/b");
  assert.equal(rewritten("/fixed", "/:a", "/1"), "/fixed");
  assert.equal(rewritten("/a\\:b/café", "/:a", "/1"), "/a:b/caf%C3%A9");
});

test("rewrites: a name that the path does not have is refused, with those that it has", () => {
  const pattern = parsePathPattern("/users/:id/*");
  assert.throws(() => compilePathTemplate("/v2/:user", pattern), {
    message: /`:user` is not in the path `\/users\/:id\/\*`/,
    hint: "it has :id, *",
    position: 4,
  });
  assert.throws(() => compilePathTemplate("/*rest", pattern), { hint: "it has :id, *" });
  assert.throws(() => compilePathTemplate("/*", parsePathPattern("/a/:b")), { hint: "it has :b" });
  assert.throws(() => compilePathTemplate("/:a", parsePathPattern("/a")), {
    hint: /no parameters/,
  });
});

test("rewrites: templates that would not make a normal path are refused", () => {
  const pattern = parsePathPattern("/:a/*");
  const refused = ["a", "/a//b", "/../x", "/a/./b", "/a?b=c", "/a#b", "/{a}", "/a b", "/%2", "/:"];
  for (const template of [...refused, "/*/x", "/x*", "/..;/x", "/..:a", "/:a..", "/:a/x%2F..:a"]) {
    assert.throws(() => compilePathTemplate(template, pattern), { name: "RoutingError" }, template);
  }
});

const templates = ["/*", "/x/:a/*", "/:a.:b/*", "/.:a", "/:a:b/y", "/..x:b/z", "/;:a", "/:a;:b/y"];
const segment = fc
  .array(fc.constantFrom("a", ".", "..", ";", "-", "%2F", "%5C", "%3B", "%20", "x"), {
    minLength: 1,
    maxLength: 5,
  })
  .map((parts) => parts.join(""));

test("rewrites: no path makes a parameter escape from its place", () => {
  const normalized = new NormalizedPath();
  const again = new NormalizedPath();
  let filledCount = 0;
  fc.assert(
    fc.property(
      segment,
      segment,
      segment,
      fc.constantFrom(...templates),
      (a, b, rest, template) => {
        const pattern = "/:a-:b/*";
        if (!normalizePath(`/${a}-${b}/${rest}/${a}`, normalized)) return;
        const path = rewritten(template, pattern, normalized.path);
        if (path === undefined) return;
        filledCount++;
        assert.doesNotMatch(path, /(?:\/|%2F|%5C)\.\.(?:$|\/|;|%2F|%5C|%3B)/);
        // A single dot beside something encoded leads nowhere; it is all that is let pass.
        if (/%(?:2F|5C)\.(?:$|\/|;|%2F|%5C|%3B)|\.%(?:2F|5C|3B)/.test(path)) return;
        assert.equal(normalizePath(path, again), true, path);
        assert.equal(again.path, path);
      },
    ),
    { numRuns: 2000 },
  );
  assert.ok(filledCount > 200, `${filledCount}`);
});

test("query rewrites: parameters are set and removed, others stay as they were sent", () => {
  assert.equal(queryOf({ set: { a: "1" } }, ""), "a=1");
  assert.equal(queryOf({ set: { a: "x y&" } }, "b=%41&a=2&c"), "b=%41&c&a=x%20y%26");
  assert.equal(queryOf({ remove: ["a"] }, "a=1&b=2&a=3"), "b=2");
  assert.equal(queryOf({ remove: ["a"] }, "b=2&a=3"), "b=2");
  assert.equal(queryOf({ remove: ["a"] }, "a=1"), "");
  assert.equal(queryOf({ remove: ["a"] }, "%61=1&+=2"), "+=2");
  assert.equal(queryOf({ remove: ["a"] }, "b=1&&c"), "b=1&&c");
  assert.equal(queryOf({ remove: ["a"] }, "b&"), "b&");
  assert.equal(queryOf({ remove: ["a"] }, "a=1&b&"), "b&");
  assert.equal(queryOf({ remove: ["*"], set: { v: "2" } }, "b=1&c=2"), "v=2");
  assert.equal(queryOf({}, "b=1"), "b=1");
});

test("rewrites: what is not named is left as it is", () => {
  const rewrite = compileRewrite({ host: "api.internal" }, parsePathPattern("/"));
  assert.deepEqual(rewrite, { path: null, query: null, host: "api.internal" });
  assert.equal(compileRewrite({ path: "/x" }, parsePathPattern("/")).host, null);
});

function redirected(to: string, pattern: string, path: string): string | undefined {
  return fill(compileRedirect(to, parsePathPattern(pattern)), pattern, path);
}

test("redirects: lead to paths and URLs, with parameters", () => {
  assert.equal(redirected("/new/*", "/old/*", "/old/a/b"), "/new/a/b");
  assert.equal(
    redirected("https://x.org:8443/:id?a=:id#top", "/:id", "/7"),
    "https://x.org:8443/7?a=7#top",
  );
  assert.equal(redirected("/new/*?moved", "/old/*", "/old/a"), "/new/a?moved");
  assert.equal(redirected("//x.org/*", "/*", "/a"), "//x.org/a");
});

test("redirects: the client cannot choose the host", () => {
  const pattern = parsePathPattern("/:a/*");
  for (const to of [
    "https://:a/x",
    "https://:a.example.org/",
    "//x:a/",
    "https://x.org*",
    "http://*",
  ]) {
    assert.throws(() => compileRedirect(to, pattern), { name: "RoutingError" }, to);
  }
  for (const to of ["", "x", ":a", "*", "mailto:x", "/a*", "/*/b"]) {
    assert.throws(() => compileRedirect(to, pattern), { name: "RoutingError" }, to);
  }
  assert.equal(redirected("/*", "/*", "/\\evil"), "/\\evil");
  assert.throws(() => compileRedirect("/:b", pattern), { hint: "it has :a, *" });
});
