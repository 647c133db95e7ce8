/**
 * simulation: a gateway in this process, in front of targets that fail by a schedule, in time that a seed and nothing
 * else moves. What comes of it is a record that properties are checked on.
 */
import { setImmediate as turn } from "node:timers/promises";
import { Random } from "../../src/base/random.ts";
import { TestClock, testGateway } from "../../src/testing/index.ts";
import type { TestGateway } from "../../src/testing/index.ts";
import { failureSchedule, type Timeline } from "./failure-schedule.ts";
import { SimulatedService, type SimulatedCall, type SimulatedCheck } from "./simulated-service.ts";

export const STEP_MS = 100;
/** How many targets the service has that may be asked where the first cannot answer. */
const BACKUP_TARGETS = 2;

export interface SimulationSettings {
  seed: number;
  targets: number;
  /** What the document says of the service beside its targets; `backup` is another that it may fall back to. */
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
  /** What has answered in place of the service, as the client is told; "" for nothing. */
  fallback: string;
  endedAtMs: number;
  isBroken: boolean;
  /** Every time that a target was sent it, in order. */
  calls: SimulatedCall[];
}

export interface SimulationRecord {
  requests: SimulatedRequest[];
  /** Of the targets of the service, in order. */
  checks: SimulatedCheck[];
  timelines: Timeline[];
  /** The first target has never failed. */
  sparesFirst: boolean;
  /** The targets of `backup` have never failed. */
  sparesBackup: boolean;
  gateway: TestGateway;
}

/** Safe, idempotent and unsafe ones, as many of each as the list has. */
const METHODS = ["GET", "GET", "GET", "GET", "PUT", "DELETE", "POST", "POST", "PATCH"];
/** PATCH has none: a body that has not been kept would be one more reason not to send it again. */
const WITH_BODY = new Set(["PUT", "POST"]);

/** Runs one schedule. The gateway of the record is for looking at; it has been closed. */
export async function simulate(settings: SimulationSettings): Promise<SimulationRecord> {
  const { seed, targets, troubleMs, peaceMs, requestsPerSecond } = settings;
  const random = new Random(seed);
  const clock = new TestClock(0);
  const sparesFirst = random.below(2) === 0;
  const timelines = failureSchedule(random, targets, troubleMs, sparesFirst);
  const sparesBackup = random.below(2) === 0;
  const backupTimelines = failureSchedule(
    random,
    BACKUP_TARGETS,
    sparesBackup ? 0 : troubleMs,
    false,
  );
  const api = new SimulatedService({ name: "api", network: 0, timelines, clock, random });
  const backup = new SimulatedService({
    name: "backup",
    network: 1,
    timelines: backupTimelines,
    clock,
    random,
  });
  const ownerOf = (url: string): SimulatedService => (api.urls.includes(url) ? api : backup);
  const requests: SimulatedRequest[] = [];
  const callsOf = (number: string) => requests[Number(number)]!.calls;

  await using gateway = await testGateway(
    {
      services: {
        api: { targets: [...api.urls], ...settings.service },
        backup: { targets: [...backup.urls], retry: false },
      },
      routes: [{ match: "/*", service: "api" }],
    },
    {
      clock,
      seed,
      services: {
        api: ({ targetUrl, headers }) => api.answer(targetUrl, callsOf(headers["x-number"]!)),
        backup: ({ targetUrl, headers }) => backup.answer(targetUrl, callsOf(headers["x-number"]!)),
      },
      isReachable: (url) => ownerOf(url).isReachable(url),
      checks: (url) => ownerOf(url).check(url),
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
      fallback: "",
      endedAtMs: 0,
      isBroken: false,
      calls: [],
    };
    requests.push(request);
    const { response } = gateway.start({
      method,
      path: `/${number}`,
      headers: { "x-number": String(number) },
      ...(WITH_BODY.has(method) ? { body: "a body" } : {}),
    });
    void response.then(({ status, isBroken, outcome, headers }) => {
      request.status = status;
      request.fault = outcome.fault;
      request.fallback = headers["gateward-fallback"] ?? "";
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
    await turn();
  }
  gateway.assertNoErrors();
  return { requests, checks: api.checks, timelines, sparesFirst, sparesBackup, gateway };
}
