import { setTimeout as sleep } from "node:timers/promises";
import { waysToDie } from "./soak-channel.ts";
import type { SoakedGateway } from "./soaked-gateway.ts";

/**
 * Between two deaths. A worker that dies within 10 s of its start is replaced after a growing delay, so
 * each one lives for two of these.
 */
const PERIOD_MS = 5500;

export interface Death {
  worker: number;
  atMs: number;
}

/** Kills one worker after the other, each time in another way. */
export class DeathDriver {
  readonly deaths: Death[] = [];
  private readonly gateway: SoakedGateway;
  private readonly workerCount: number;

  constructor(gateway: SoakedGateway, workerCount: number) {
    this.gateway = gateway;
    this.workerCount = workerCount;
  }

  async run(durationMs: number): Promise<void> {
    const until = performance.now() + durationMs;
    // The last one is left time to be replaced.
    while (performance.now() + PERIOD_MS <= until) {
      await sleep(PERIOD_MS / 2);
      this.killNext();
      await sleep(PERIOD_MS / 2);
    }
    await sleep(Math.max(0, until - performance.now()));
  }

  private killNext(): void {
    const number = this.deaths.length;
    const worker = number % this.workerCount;
    this.deaths.push({ worker, atMs: performance.now() });
    this.gateway.kill(worker, waysToDie[number % waysToDie.length]!);
  }
}
