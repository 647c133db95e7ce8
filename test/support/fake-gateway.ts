/**
 * fake-gateway: a gateway whose workers run the fake data plane, as a process of its own.
 * Usage: node fake-gateway.ts CONFIG_FILE WORKERS
 */
import { AdminServer } from "../../src/admin/admin-server.ts";
import { startGateway } from "../../src/runtime/start.ts";

const [configFile = "", workers = "1"] = process.argv.slice(2);
process.exitCode = await startGateway({
  configFile,
  workers: Number(workers),
  version: "0.0.0",
  openAdmin: (gateway) => new AdminServer(gateway),
  dataPlaneModule: new URL("./fake-data-plane.ts", import.meta.url).href,
});
