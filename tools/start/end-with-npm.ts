import { readFileSync } from "node:fs";

const pollMs = 500;

/**
 * When npm is told to end, it ends the shell between itself and this process, and neither tells us:
 * the gateway would go on without an owner. So this process watches both and ends like after Ctrl-C.
 * Does nothing when it was not started by npm.
 */
export function endWithNpm(): void {
  if (process.env["npm_lifecycle_event"] === undefined) return;
  const shell = process.ppid;
  const npm = parentOf(shell);
  const watch = setInterval(() => {
    if (process.ppid === shell && (npm === undefined || isAlive(npm))) return;
    clearInterval(watch);
    process.kill(process.pid, "SIGTERM");
  }, pollMs);
  watch.unref();
}

/** Linux only; elsewhere npm's sudden death goes unseen, but not that of the shell. */
function parentOf(pid: number): number | undefined {
  try {
    // pid (command, which may contain anything) state ppid ...
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(/.*\) \S+ (\d+)/s.exec(stat)?.[1]);
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
