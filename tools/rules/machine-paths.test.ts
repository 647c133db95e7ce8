import assert from "node:assert/strict";
import { test } from "node:test";
import { checkMachinePaths } from "./machine-paths.ts";
import { repositoryFiles } from "./repository-files.ts";
import { assertNone } from "./violation.ts";

// Not written out, so that this file does not report itself.
const [temporary, home, users] = ["tmp", "home", "Users"];

function reported(text: string): number {
  return checkMachinePaths([{ path: "src/x.ts", text }], ["/srv/gateward/", "/api"]).length;
}

test("machine paths: nothing names a folder of one machine", () => {
  assertNone(checkMachinePaths(repositoryFiles()));
});

test("machine paths: folders of users, of temporary files and of this checkout are reported", () => {
  assert.equal(reported(`open("/${temporary}/x.sock")`), 1);
  assert.equal(reported(`see /${home}/ada/x\n/${users}/ada/x`), 2);
  assert.equal(reported("cd /srv/gateward && npm test"), 1);
});

test("machine paths: addresses and paths of requests are fine", () => {
  assert.equal(reported(`GET /api/v1\nhttp://a.example/${home}/ada\n/etc/gateward.yaml`), 0);
});
