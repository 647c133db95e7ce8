/**
 * simulation: a gateway in this process, in front of targets that fail by a schedule, in time that a seed and nothing
 * else moves. What comes of it is a record that properties are checked on.
 */
import { setImmediate as turn } from "node:timers/promises";
import { Random } from "../../src/base/random.ts";
import { HANG_UP, TestClock, testGateway } from "../../src/testing/index.ts";
import type { ServiceAnswer, ServiceCall, TestGateway } from "../../src/testing/index.ts";
import { failureSchedule, modeAt, type Timeline } from "./failure-schedule.ts";
import { VirtualTimers } from "./virtual-timers.ts";

const STEP_MS = 100;
const SLOW_MS = 3000;
/** A good answer takes up to that. */
const GOOD_MS_MAX = 300;

export interface SimulationSettings {
  seed: number;
  targets: number;
  /** What the document says of the service beside its targets. */
  service: Record<string, unknown>;
  /** Failures end after that. */
  troubleMs: number;
  /** Peace that follows. */
  peaceMs: number;
  requestsPerSecond: number;
}

/** A request as its client and the targets saw it. */
export interface SimulatedRequest {
  number: number;
  method: string;
  atMs: number;
  /** Status of the answer; 0 while there is none. */
  status: number;
  /** What the gateway says of it; "" where a target has answered. */
  fault: string;
  endedAtMs: number;
  isBroken: boolean;
  /** Every time that a target was sent it, in order. */
  calls: { target: number; atMs: number; mode: string }[];
}

export interface SimulationRecord {
  requests: SimulatedRequest[];
  timelines: Timeline[];
  /** The first target has never failed. */
  sparesFirst: boolean;
  gateway: TestGateway;
}

/** Safe, idempotent and unsafe ones, as many of each as the list has. */
const METHODS = ["GET", "GET", "GET", "GET", "PUT", "DELETE", "POST", "POST", "PATCH"];

/** Runs one schedule. The gateway of the record is for looking at; it has been closed. */
export async function simulate(settings: SimulationSettings): Promise<SimulationRecord> {
  const { seed, targets, troubleMs, peaceMs, requestsPerSecond } = settings;
  const random = new Random(seed);
  const clock = new TestClock(0);
  const timers = new VirtualTimers();
  const sparesFirst = random.below(2) === 0;
  const timelines = failureSchedule(random, targets, troubleMs, sparesFirst);
  const requests: SimulatedRequest[] = [];
  const modeOf = (target: number): string => modeAt(timelines[target]!, clock.now());

  const answer = async (call: ServiceCall): Promise<ServiceAnswer> => {
    const target = indexOf(call.targetUrl);
    const mode = modeOf(target);
    const request = requests[Number(call.headers["x-number"])]!;
    request.calls.push({ target, atMs: clock.now(), mode });
    switch (mode) {
      case "failing":
        return { status: 500 };
      case "unavailable":
        return { status: 503 };
      case "flaky":
        return random.below(2) === 0 ? { status: 500 } : "flaky";
      case "resetting":
        return HANG_UP;
      case "hanging":
        await timers.until(Infinity);
        return undefined;
      case "slow":
        await timers.until(clock.now() + SLOW_MS);
        return "slow";
      default:
        await timers.until(clock.now() + random.below(GOOD_MS_MAX));
        return "good";
    }
  };

  await using gateway = await testGateway(
    {
      services: { api: { targets: urlsOf(targets), ...settings.service } },
      routes: [{ match: "/*", service: "api" }],
    },
    {
      clock,
      seed,
      services: { api: answer },
      isReachable: (url) => modeOf(indexOf(url)) !== "refusing",
    },
  );
  const ask = (): void => {
    const method = METHODS[random.below(METHODS.length)]!;
    const number = requests.length;
    const request: SimulatedRequest = {
      number,
      method,
      atMs: clock.now(),
      status: 0,
      fault: "",
      endedAtMs: 0,
      isBroken: false,
      calls: [],
    };
    requests.push(request);
    const { response } = gateway.start({
      method,
      path: `/${number}`,
      headers: { "x-number": String(number) },
      ...(method === "GET" || method === "DELETE" ? {} : { body: "a body" }),
    });
    void response.then(({ status, isBroken, outcome }) => {
      request.status = status;
      request.fault = outcome.fault;
      request.isBroken = isBroken;
      request.endedAtMs = clock.now();
    });
  };

  const meanPerStep = (requestsPerSecond * STEP_MS) / 1000;
  // The last deadlines and answers come after the last request.
  const settleMs = 60_000;
  for (let nowMs = 0; nowMs < troubleMs + peaceMs + settleMs; nowMs += STEP_MS) {
    if (nowMs < troubleMs + peaceMs) {
      const count = Math.floor(meanPerStep * 2 * random.fraction() + random.fraction());
      for (let index = 0; index < count; index++) ask();
    }
    clock.advance(STEP_MS);
    timers.follow(clock.now());
    await turn();
  }
  gateway.assertNoErrors();
  return { requests, timelines, sparesFirst, gateway };
}

function urlsOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `http://10.0.0.${index + 1}:80`);
}

function indexOf(url: string): number {
  return Number(/10\.0\.0\.(\d+)/.exec(url)![1]) - 1;
}
