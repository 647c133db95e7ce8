/** browser: a headless Chromium of the machine's, driven by playwright, that reaches nothing but loopback. */
import { chromium, type Browser } from "playwright-core";
import type { Cleanup } from "./cleanup.ts";
import { commandPath } from "./command-path.ts";

const NOBODY_ELSE = "MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost";

export async function startBrowser(t: Cleanup): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: commandPath("chromium")!,
    args: [
      `--host-resolver-rules=${NOBODY_ELSE}`,
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-dev-shm-usage",
      "--disable-sync",
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    ],
  });
  t.after(() => browser.close());
  return browser;
}
