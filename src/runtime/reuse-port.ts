import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/**
 * Whether several threads can listen on one port here, with the kernel spreading connections among them
 * (SO_REUSEPORT of Linux and FreeBSD; macOS and Windows have nothing that spreads).
 */
export async function probeReusePort(): Promise<boolean> {
  const first = createServer();
  const second = createServer();
  try {
    first.listen({ port: 0, host: "127.0.0.1", reusePort: true });
    await once(first, "listening");
    const { port } = first.address() as AddressInfo;
    second.listen({ port, host: "127.0.0.1", reusePort: true });
    await once(second, "listening");
    return true;
  } catch {
    return false;
  } finally {
    first.close();
    second.close();
  }
}
