import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const pollMs = 50;
const answerTimeoutMs = 1_000;

/** Resolves with true when the address answers 200, with false when `signal` ends the waiting. */
export async function firstAnswer(url: string, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    if (await answers(url)) return true;
    await sleep(pollMs);
  }
  return false;
}

function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    // No agent: a kept connection would make the gateway wait for it when it is told to stop.
    const request = get(url, { agent: false, timeout: answerTimeoutMs }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy());
    request.on("close", () => resolve(false));
    request.on("error", () => resolve(false));
  });
}
