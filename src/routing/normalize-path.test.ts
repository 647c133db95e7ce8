import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/fast-check.ts";
import { NormalizedPath, normalizePath, normalizeTarget } from "./normalize-path.ts";
import {
  PATH_ABOVE_ROOT,
  PATH_BROKEN_ESCAPE,
  PATH_CONTROL_CHARACTER,
  PATH_FORBIDDEN_CHARACTER,
  PATH_HIDDEN_DOT_SEGMENT,
  PATH_NOT_ABSOLUTE,
  pathFaultText,
} from "./path-fault.ts";

const result = new NormalizedPath();

/** The normal path, or the fault. */
function normalized(raw: string): string | number {
  return normalizePath(raw, result) ? result.path : result.fault;
}

function assertAll(cases: Readonly<Record<string, string | number>>): void {
  for (const [raw, expected] of Object.entries(cases)) {
    assert.equal(normalized(raw), expected, JSON.stringify(raw));
  }
}

test("path normalisation: a normal path stays where it is, as the same text", () => {
  const head = "GET /api/v1/users/123;v=2/a.b~c_d-e!$&'()*+,=:@?x=/../y HTTP/1.1";
  const path = "/api/v1/users/123;v=2/a.b~c_d-e!$&'()*+,=:@";
  const end = head.indexOf(" HTTP");
  assert.equal(normalizeTarget(head, 4, end, result), true);
  assert.equal(result.text, head);
  assert.equal(result.start, 4);
  assert.equal(result.path, path);
  assert.equal(head.slice(result.queryStart, end), "x=/../y");
  assert.equal(result.encodedSlash, false);
});

test("path normalisation: encoded unreserved characters are decoded, other escapes get capitals", () => {
  assertAll({
    "/%7Euser/%41%2D%5F": "/~user/A-_",
    "/caf%c3%a9": "/caf%C3%A9",
    "/a%3bb%3fc%23d%25e": "/a%3Bb%3Fc%23d%25e",
    "/%252e%252e/x": "/%252e%252e/x",
    "/a%20b": "/a%20b",
  });
});

test("path normalisation: bytes that a URI cannot hold raw are percent-encoded", () => {
  assertAll({
    "/a|b^c": "/a%7Cb%5Ec",
    '/"<>`{}[]': "/%22%3C%3E%60%7B%7D%5B%5D",
    "/\xc3\xa9": "/%C3%A9",
  });
});

test("path normalisation: slashes are merged and dot segments removed, encoded ones too", () => {
  assertAll({
    "//": "/",
    "/a//b///c": "/a/b/c",
    "/a/./b": "/a/b",
    "/a/../b": "/b",
    "/a//../b": "/b",
    "/a/b/..": "/a/",
    "/a/.": "/a/",
    "/a/%2e%2E/b": "/b",
    "/a/.%2e/": "/",
    "/.": "/",
    "/.well-known/x": "/.well-known/x",
    "/a/...": "/a/...",
    "/a/..b/.c": "/a/..b/.c",
  });
});

test("path normalisation: a path that leads above the root is refused, not cut off", () => {
  for (const raw of ["/..", "/../a", "/a/../../b", "/%2e%2e/etc/passwd", "//.."]) {
    assert.equal(normalized(raw), PATH_ABOVE_ROOT, raw);
  }
});

test("path normalisation: control characters, blanks and broken escapes are refused", () => {
  const controls = ["/%00", "/a\0b", "/%0a", "/%0D%0A", "/a\x1fb", "/%7f", "/a\x7f", "/a b", "/\t"];
  for (const raw of controls) assert.equal(normalized(raw), PATH_CONTROL_CHARACTER, raw);
  for (const raw of ["/%", "/%4", "/%zz", "/%2", "/a%2x/b", "/%%41"]) {
    assert.equal(normalized(raw), PATH_BROKEN_ESCAPE, raw);
  }
});

test("path normalisation: fragments, wide characters and relative paths are refused", () => {
  for (const raw of ["/a#b", "/#/../admin", "/a?b", "/\u012f", "/a\u0100"]) {
    assert.equal(normalized(raw), PATH_FORBIDDEN_CHARACTER, raw);
  }
  for (const raw of ["", "a/b", "*", "http://x/"]) {
    assert.equal(normalized(raw), PATH_NOT_ABSOLUTE, raw);
  }
});

test("path normalisation: encoded slashes and backslashes are flagged, in every spelling", () => {
  for (const raw of ["/a%2fb", "/a%2Fb", "/a%5cb", "/a\\b", "/a%2fb/../c"]) {
    assert.equal(normalizePath(raw, result), true, raw);
    assert.equal(result.encodedSlash, true, raw);
  }
  normalizePath("/a%252fb", result);
  assert.equal(result.encodedSlash, false);
});

test("path normalisation: dot segments that only some services see are refused", () => {
  const hidden = [
    "/a/..;/b",
    "/a/..;x=1/b",
    "/a/.;/b",
    "/a/..%3b/b",
    "/a/%2e%2e;/b",
    "/a/..;",
    "/;/admin",
    "/;x=1/admin",
    "/a/..%2fb",
    "/a/..%5cb",
    "/a/b%2f..",
    "/a%2f../b",
    "/a\\..\\b",
    "/a/x%2f.%2fb",
    "/a/..;/../b",
  ];
  for (const raw of hidden) assert.equal(normalized(raw), PATH_HIDDEN_DOT_SEGMENT, raw);
});

test("path normalisation: path parameters are left alone where they hide nothing", () => {
  assertAll({
    "/a;v=1/b;c": "/a;v=1/b;c",
    "/;jsessionid=1": "/;jsessionid=1",
    "/a..;b/c": "/a..;b/c",
    "/a;../b": "/a;../b",
  });
});

test("path normalisation: the query is found behind a path that is rebuilt too", () => {
  const target = "/a/../b?c=/../%";
  assert.equal(normalizeTarget(target, 0, target.length, result), true);
  assert.equal(result.path, "/b");
  assert.equal(target.slice(result.queryStart), "c=/../%");
  assert.equal(normalizeTarget("/a?", 0, 3, result), true);
  assert.equal(result.queryStart, 3);
});

test("path normalisation: every fault has its words", () => {
  for (let fault = PATH_NOT_ABSOLUTE; fault <= PATH_HIDDEN_DOT_SEGMENT; fault++) {
    assert.match(pathFaultText[fault]!, /path/);
  }
});

/** Paths made of what makes paths difficult. */
const piece = fc.constantFrom(
  "/",
  "/",
  "//",
  ".",
  "..",
  "%2e",
  "%2E",
  "%2f",
  "%5C",
  "\\",
  ";",
  "%3b",
  "a",
  "B",
  "%41",
  "%",
  "%7e",
  "%c3%a9",
  "\xe9",
  "|",
  "x.y",
  "%00",
  "%20",
  "~",
  "=",
  "%252e",
  "/../",
  "/./",
  "a/",
);
const hardPath = fc.array(piece, { maxLength: 12 }).map((pieces) => "/" + pieces.join(""));

test("path normalisation: what comes out is normal, and normalising it again changes nothing", () => {
  const again = new NormalizedPath();
  const anyPath = fc.oneof(
    hardPath,
    fc.string({ unit: "binary-ascii" }).map((text) => "/" + text),
  );
  fc.assert(
    fc.property(anyPath, (raw) => {
      if (!normalizePath(raw, result)) return;
      const path = result.path;
      assert.match(path, /^\/[A-Za-z0-9\-._~!$&'()*+,;=:@/%]*$/);
      assert.doesNotMatch(path, /\/\/|\/\.{1,2}(?:[/;]|$)/);
      assert.doesNotMatch(path, /%(?![0-9A-F]{2})/);
      for (const [, hex] of path.matchAll(/%(..)/g)) {
        const character = String.fromCharCode(Number.parseInt(hex!, 16));
        assert.doesNotMatch(character, /[A-Za-z0-9\-._~\0-\x1f\x7f]/);
      }
      assert.equal(normalizePath(path, again), true);
      assert.equal(again.path, path);
    }),
    { numRuns: 3000 },
  );
});

test("path normalisation: plain paths come out as the URL parser of browsers has them", () => {
  const plain = fc.constantFrom("a", "b.c", ".", "..", "%2e", ".%2E", "~x", "", "a;b");
  fc.assert(
    fc.property(fc.array(plain, { minLength: 1, maxLength: 8 }), (segments) => {
      // Merging slashes and decoding are ours alone; dot segments are resolved as everywhere.
      const raw = "/" + segments.filter((segment) => segment !== "").join("/");
      if (!normalizePath(raw, result)) return;
      assert.equal(result.path, new URL(raw, "http://host").pathname);
    }),
    { numRuns: 1000 },
  );
});
