import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ServicePorts } from "../../examples/quickstart/ports.ts";

const script = fileURLToPath(new URL("../../examples/quickstart/services.ts", import.meta.url));

/**
 * Starts the demo services in a child process and waits until they listen. They end when the
 * returned function is called, and when this process ends, however it does.
 *
 * @throws {Error} when they end before they listen
 */
export async function startServices(ports: ServicePorts): Promise<() => void> {
  const child = fork(script, [JSON.stringify(ports)], { stdio: "inherit" });
  const [message] = (await Promise.race([once(child, "message"), once(child, "exit")])) as [
    unknown,
  ];
  if (message !== "ready")
    throw new Error(`the demo services ended with exit code ${String(message)}`);
  let stopped = false;
  child.once("exit", (code) => {
    if (!stopped) console.error(`gateward: the demo services ended with exit code ${code}`);
  });
  return () => {
    stopped = true;
    if (child.connected) child.disconnect();
  };
}
