import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { RawConnection } from "./raw-connection.ts";
import { startScriptedService } from "./scripted-service.ts";

for (const over of ["TCP", "a Unix socket"]) {
  test(`scripted service: over ${over}, clear also ends what was made and not accepted yet`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "gateward-scripted-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const path = over === "TCP" ? undefined : join(folder, "service.sock");
    const service = await startScriptedService(t, path === undefined ? {} : { path });
    const peers = Array.from({ length: 20 }, () => {
      const socket = path === undefined ? connect(service.server.port, "127.0.0.1") : connect(path);
      t.after(() => void socket.destroy());
      return new RawConnection(socket);
    });
    await service.clear();
    assert.equal(service.connections.length, 0);
    for (const peer of peers) assert.equal(await peer.readEnd(), "end");
  });
}
