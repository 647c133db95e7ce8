import type { Random } from "../../src/base/random.ts";
import { HANG_UP, type ServiceAnswer, type TestClock } from "../../src/testing/index.ts";
import { modeAt, type Mode, type Timeline } from "./failure-schedule.ts";

const SLOW_MS = 3000;
/** A good answer takes up to that. */
const GOOD_MS_MAX = 300;
/** What a check may take. */
export const CHECK_TIMEOUT_MS = 1000;

/** A target was sent a request. */
export interface SimulatedCall {
  service: string;
  target: number;
  atMs: number;
  mode: Mode;
  /** 0 as long as there is no answer. */
  answeredAtMs: number;
  /** 0 where the target has given none. */
  status: number;
}

/** A check of a target, with what has become of it. */
export interface SimulatedCheck {
  target: number;
  /** When its outcome was known. */
  atMs: number;
  passed: boolean;
}

export interface SimulatedServiceSettings {
  name: string;
  /** The same for no two services: the third number of the addresses of its targets. */
  network: number;
  timelines: readonly Timeline[];
  clock: TestClock;
  random: Random;
}

/** A service whose targets do what their timelines say, to requests and checks alike. */
export class SimulatedService {
  readonly urls: readonly string[];
  readonly checks: SimulatedCheck[] = [];
  private readonly settings: SimulatedServiceSettings;

  constructor(settings: SimulatedServiceSettings) {
    const { network, timelines } = settings;
    this.settings = settings;
    this.urls = timelines.map((_, index) => `http://10.0.${network}.${index + 1}:80`);
  }

  modeOf(target: number): Mode {
    return modeAt(this.settings.timelines[target]!, this.settings.clock.now());
  }

  isReachable(url: string): boolean {
    return this.modeOf(this.urls.indexOf(url)) !== "refusing";
  }

  async answer(url: string, calls: SimulatedCall[]): Promise<ServiceAnswer> {
    const { clock, name } = this.settings;
    const target = this.urls.indexOf(url);
    const mode = this.modeOf(target);
    const call = { service: name, target, atMs: clock.now(), mode, answeredAtMs: 0, status: 0 };
    calls.push(call);
    const { status, afterMs } = this.outcomeOf(mode);
    await this.pause(afterMs);
    call.answeredAtMs = clock.now();
    if (status === 0) return HANG_UP;
    call.status = status;
    return { status, body: mode };
  }

  /** Whether a check passes: as a request would be answered. */
  async check(url: string): Promise<boolean> {
    const target = this.urls.indexOf(url);
    const mode = this.modeOf(target);
    const { status, afterMs } = this.outcomeOf(mode);
    const passed = mode !== "refusing" && status === 200 && afterMs < CHECK_TIMEOUT_MS;
    const atMs = this.settings.clock.now() + Math.min(afterMs, CHECK_TIMEOUT_MS);
    this.checks.push({ target, atMs, passed });
    await this.pause(afterMs);
    return passed;
  }

  private async pause(forMs: number): Promise<void> {
    if (forMs === 0) return;
    await new Promise<void>((goOn) => {
      if (forMs !== Infinity) this.settings.clock.after(forMs, goOn);
    });
  }

  /** @returns a status, 0 where the connection ends without, and how long that takes */
  private outcomeOf(mode: Mode): { status: number; afterMs: number } {
    const { random } = this.settings;
    switch (mode) {
      case "failing":
        return { status: 500, afterMs: 0 };
      case "unavailable":
        return { status: 503, afterMs: 0 };
      case "flaky":
        return { status: random.below(2) === 0 ? 500 : 200, afterMs: 0 };
      case "resetting":
        return { status: 0, afterMs: 0 };
      case "hanging":
        return { status: 0, afterMs: Infinity };
      case "slow":
        return { status: 200, afterMs: SLOW_MS };
      default:
        return { status: 200, afterMs: random.below(GOOD_MS_MAX) };
    }
  }
}
