import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import { runPolicy } from "../../../test/support/policy-run.ts";
import type { Headers, PolicyScene } from "../../../test/support/policy-run.ts";
import securityHeaders from "./security-headers.ts";

type Options = z.input<typeof securityHeaders.schema>;

const https = { scheme: "https" };

async function answered(options: Options, scene: PolicyScene = {}): Promise<string[]> {
  return (await runPolicy(securityHeaders, options, scene)).answered;
}

/** The answer to a service's that has set these itself. */
async function answeredOver(options: Options, responseHeaders: Headers): Promise<string[]> {
  return await answered(options, { responseHeaders });
}

test("security-headers: by its bare name it is for data", async () => {
  assert.deepEqual(await answered(undefined), [
    "x-content-type-options: nosniff",
    "content-security-policy: default-src 'none'; frame-ancestors 'none'",
    "x-frame-options: DENY",
    "referrer-policy: no-referrer",
    "cross-origin-resource-policy: same-origin",
  ]);
});

test("security-headers: pages may load what they need, and be framed by their own", async () => {
  assert.deepEqual(await answered({ preset: "web" }), [
    "x-content-type-options: nosniff",
    "content-security-policy: base-uri 'self'; object-src 'none'; frame-ancestors 'self'",
    "x-frame-options: SAMEORIGIN",
    "referrer-policy: strict-origin-when-cross-origin",
    "cross-origin-opener-policy: same-origin-allow-popups",
    "cross-origin-resource-policy: same-site",
  ]);
});

test("security-headers: what is given takes the place of the preset's, and false of all", async () => {
  const off = {
    csp: false,
    contentTypeOptions: false,
    frameOptions: false,
    referrerPolicy: false,
    resourcePolicy: false,
  } as const;
  assert.deepEqual(await answered(off), []);
  const own = {
    ...off,
    csp: "default-src 'self'",
    cspReportOnly: true,
    permissionsPolicy: "camera=()",
    openerPolicy: "same-origin",
    embedderPolicy: "require-corp",
  } as const;
  assert.deepEqual(await answered(own), [
    "content-security-policy-report-only: default-src 'self'",
    "permissions-policy: camera=()",
    "cross-origin-opener-policy: same-origin",
    "cross-origin-embedder-policy: require-corp",
  ]);
});

test("security-headers: browsers are told to stay with HTTPS over HTTPS only", async () => {
  const name = "strict-transport-security";
  const told = async (hsts: Options, scene: PolicyScene = https) =>
    (await answered(hsts, scene)).filter((line) => line.startsWith(name));
  assert.deepEqual(await told({}), [`${name}: max-age=31536000`]);
  assert.deepEqual(await told({}, {}), []);
  assert.deepEqual(await told({ hsts: false }), []);
  assert.deepEqual(await told({ hsts: { maxAge: "730d", subdomains: true, preload: true } }), [
    `${name}: max-age=63072000; includeSubDomains; preload`,
  ]);
  const own = { responseHeaders: { [name]: "max-age=5" } };
  assert.deepEqual(await told({}, own), []);
  assert.deepEqual(await told({}, { ...https, ...own }), [`${name}: max-age=5`]);
  assert.deepEqual(await told({ override: true }, { ...https, ...own }), [
    `${name}: max-age=31536000`,
  ]);
});

test("security-headers: what the service says itself stands, unless it is to be replaced", async () => {
  const own = { "Content-Security-Policy": "default-src *", "X-FRAME-OPTIONS": "SAMEORIGIN" };
  const kept = await answeredOver({}, own);
  assert.deepEqual(kept.slice(0, 3), [
    "content-security-policy: default-src *",
    "x-frame-options: SAMEORIGIN",
    "x-content-type-options: nosniff",
  ]);
  const replaced = await answeredOver({ override: true }, own);
  assert.ok(replaced.includes("x-frame-options: DENY"));
  assert.equal(replaced.filter((line) => line.startsWith("content-security")).length, 1);
});

test("security-headers: nobody is told what made the answer", async () => {
  const own = { Server: "Apache/2.4", "X-Powered-By": ["PHP/5", "ASP.NET"], "X-Kept": "1" };
  const lines = await answeredOver({ csp: false }, own);
  assert.equal(lines[0], "x-kept: 1");
  assert.equal(
    lines.some((line) => /apache|php|asp/i.test(line)),
    false,
  );
  const chosen = await answeredOver({ remove: "x-kept" }, own);
  assert.equal(chosen.filter((line) => /^(server|x-powered-by)/.test(line)).length, 3);
});

test("security-headers: a list that no browser takes a name onto is a mistake", () => {
  const check = (hsts: NonNullable<Options>["hsts"]) =>
    securityHeaders.check!(securityHeaders.schema.parse({ hsts }), {} as never).length;
  assert.equal(check({}), 0);
  assert.equal(check(false), 0);
  assert.equal(check({ preload: true, subdomains: true }), 0);
  assert.equal(check({ preload: true }), 1);
  assert.equal(check({ preload: true, subdomains: true, maxAge: "30d" }), 1);
});

test("security-headers: values that no browser knows are refused", () => {
  for (const options of [
    { preset: "strict" },
    { frameOptions: "ALLOW-FROM x" },
    { referrerPolicy: "none" },
    { csp: "a\r\nset-cookie: b" },
    { csp: true },
    { hsts: true },
  ]) {
    const { success } = securityHeaders.schema.safeParse(options);
    assert.equal(success, false, JSON.stringify(options));
  }
});
