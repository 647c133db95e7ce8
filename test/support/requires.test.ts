import assert from "node:assert/strict";
import { test } from "node:test";
import { debianPackages } from "./debian-packages.ts";
import { requires } from "./requires.ts";

test("requires: lets a test run when every command is there", () => {
  assert.equal(requires("sh", "ls"), false);
});

test("requires: names the missing command in the reason for skipping", () => {
  assert.equal(requires("sh", "no-such-command"), "needs no-such-command");
});

test("requires: names the Debian package that brings a missing command", () => {
  const path = process.env["PATH"];
  process.env["PATH"] = "";
  try {
    // Found in no folder of the PATH, and not one of those that live in the folders of servers.
    assert.equal(requires("h2load"), "needs h2load (Debian package nghttp2-client)");
  } finally {
    process.env["PATH"] = path;
  }
});

test("Debian packages: each command is brought by one package only", () => {
  const commands = debianPackages.flatMap((one) => one.commands);
  assert.deepEqual(commands, [...new Set(commands)]);
});
