import assert from "node:assert/strict";
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { dropUnusableNode, isNewEnough, linkPinnedNode, pinnedNode } from "./pinned-node.mjs";
import { placePinnedNode } from "./place-pinned-node.ts";

function folder(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), "gateward-node-"));
  t.after(() => rmSync(root, { recursive: true }));
  return root;
}

test("pinned Node: is found in the platform's package, and only there", (t) => {
  const root = folder(t);
  assert.equal(pinnedNode(root), undefined);
  const node = placePinnedNode(root);
  assert.equal(pinnedNode(root), node);
});

test("pinned Node: becomes the node of scripts, also where npm has taken the link away", (t) => {
  const root = folder(t);
  placePinnedNode(root);
  linkPinnedNode(root);
  linkPinnedNode(root);
  const link = join(root, "node_modules", ".bin", "node");
  assert.equal(realpathSync(link), realpathSync(process.execPath));
});

test("pinned Node: one that cannot start does not hide the machine's", (t) => {
  const root = folder(t);
  const node = placePinnedNode(root);
  linkPinnedNode(root);
  dropUnusableNode(root);
  assert.equal(existsSync(node), true, "this one can start");

  rmSync(node);
  writeFileSync(node, "not a program", { mode: 0o755 });
  dropUnusableNode(root);
  assert.equal(existsSync(node), false);
  assert.equal(existsSync(join(root, "node_modules", ".bin", "node")), false);
});

test("pinned Node: 24 and newer can run the sources", () => {
  assert.deepEqual(["20.20.2", "23.11.0", "24.0.0", "26.10.0"].filter(isNewEnough), [
    "24.0.0",
    "26.10.0",
  ]);
});
