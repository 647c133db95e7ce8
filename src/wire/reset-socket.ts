import net from "node:net";

/**
 * Closes a socket so that its peer sees a break (RST), not an end. Under TLS the TCP connection is reset,
 * without a close_notify; a Unix socket cannot be reset and is closed.
 */
export function resetSocket(socket: net.Socket): void {
  // The socket that a TLS socket was made of; node:net has the field as well, and it is null.
  const parent = (socket as unknown as { _parent?: unknown })._parent;
  const under = parent instanceof net.Socket ? parent : socket;
  try {
    if (!under.destroyed) under.resetAndDestroy();
  } catch {
    // Not a TCP connection.
  }
  socket.destroy();
}
