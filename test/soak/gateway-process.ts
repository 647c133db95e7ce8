/**
 * gateway-process: what the soak test starts: a whole gateway, as `gateward start CONFIG` is, but with
 * workers that can be measured and killed by messages of the process that started it.
 */
import { AdminServer } from "../../src/admin/admin-server.ts";
import { startGateway } from "../../src/runtime/start.ts";
import { measureThread } from "../support/measure-thread.ts";
import { openSoakChannel, type SoakMessage } from "./soak-channel.ts";

const channel = openSoakChannel();
channel.onmessage = ({ data }) => void process.send?.(data);

process.on("message", (message: SoakMessage) => {
  channel.postMessage(message);
  if (message.type !== "measure") return;
  const own = { thread: "main", ...measureThread(), slotMax: 0, counted: 0 };
  process.send?.({ type: "measured", ...own } satisfies SoakMessage);
});
process.channel?.unref();

const exitCode = await startGateway({
  configFile: process.argv[2]!,
  version: "soak",
  openAdmin: (gateway) => new AdminServer(gateway),
  dataPlaneModule: new URL("killable-data-plane.ts", import.meta.url).href,
});
process.exit(exitCode);
