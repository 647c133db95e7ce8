import { lstat, unlink } from "node:fs/promises";
import { connect } from "node:net";
import { dirname } from "node:path";

/**
 * Makes room for a Unix socket: a gateway that was killed leaves its file behind, and one that nobody
 * listens on may go. Whatever else is there stays.
 *
 * @throws Error that says what is in the way, or missing.
 */
export async function makeRoomForSocket(path: string): Promise<void> {
  const file = await lstat(path).catch(() => undefined);
  if (file === undefined) {
    // The system's own answer is that it is forbidden.
    const folder = await lstat(dirname(path)).catch(() => undefined);
    if (folder === undefined) throw new Error("there is no such folder");
    return;
  }
  if (!file.isSocket()) throw new Error("the file is there already and is not a socket");
  if (!(await isListenedOn(path))) await unlink(path);
}

async function isListenedOn(path: string): Promise<boolean> {
  return await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ECONNREFUSED"));
  });
}
