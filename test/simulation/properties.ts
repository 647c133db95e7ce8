/** properties: what has to hold of every simulated run, whatever fails when. Each throws an AssertionError that names the seed. */
import assert from "node:assert/strict";
import { checksSay } from "./checks-say.ts";
import { goodSince } from "./failure-schedule.ts";
import type { SimulatedCall } from "./simulated-service.ts";
import { STEP_MS } from "./simulation.ts";
import type { SimulatedRequest, SimulationRecord, SimulationSettings } from "./simulation.ts";

const IDEMPOTENT = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]);
/** From the outcome of a check to the last request that may go to the target all the same: a step, and one of the wheel. */
const TELLING_MS = 3 * STEP_MS;

/** What the properties have to know of the configuration. */
export interface Expectations {
  /** Retries and hedges, as a share of the requests. */
  budget: number;
  /** Retries that are always allowed, for a service with little traffic. */
  budgetFloor: number;
  /** After the last failure: time by which all is as it was; also of a target after its own last one. */
  recoveryMs: number;
  /** Checks in a row that take a target out and bring it back; null where none are made. */
  checks: { unhealthy: number; healthy: number } | null;
  /** Share of the targets below which all are used. */
  panic: number;
  /** Kinds of the steps that stand in for the service. */
  fallback: readonly ("service" | "respond")[];
  /** What a fixed answer in its place has. */
  standInStatus: number;
}

export function checkProperties(
  record: SimulationRecord,
  settings: SimulationSettings,
  expectations: Expectations,
): void {
  const { seed } = settings;
  everyRequestEnds(record, seed);
  nothingUnsafeIsRepeated(record, seed);
  amplificationIsBounded(record, seed, expectations);
  theGoodAreNotStarved(record, settings);
  theUnwellAreLeftAlone(record, settings, expectations);
  fallbacksComeLast(record, seed, expectations);
  fallbacksAreNotForgotten(record, seed, expectations);
  allRecovers(record, settings, expectations);
}

/** Once: the test kit's client throws where a second answer begins. */
function everyRequestEnds({ requests }: SimulationRecord, seed: number): void {
  const open = requests.filter(({ endedAtMs }) => endedAtMs === 0);
  assert.equal(open.length, 0, `seed ${seed}: ${open.length} requests have no answer`);
}

/** What may change something is sent once at most, whatever service it is sent to. */
function nothingUnsafeIsRepeated({ requests }: SimulationRecord, seed: number): void {
  for (const { number, method, calls } of requests) {
    if (IDEMPOTENT.has(method) || calls.length < 2) continue;
    assert.fail(`seed ${seed}: ${method} number ${number} was sent ${calls.length} times`);
  }
}

/** The service gets what its budget allows; who stands in for it gets each request once. */
function amplificationIsBounded(
  { requests }: SimulationRecord,
  seed: number,
  { budget, budgetFloor }: Expectations,
): void {
  const again = requests.reduce((sum, { calls }) => sum + Math.max(0, toApi(calls) - 1), 0);
  const allowed = requests.length * budget + budgetFloor;
  assert.ok(again <= allowed, `seed ${seed}: ${again} repetitions, ${allowed} are allowed`);
  for (const { number, calls } of requests) {
    const stoodIn = calls.length - toApi(calls);
    assert.ok(stoodIn <= 1, `seed ${seed}: number ${number} went to the backup ${stoodIn} times`);
  }
}

/** A target that never fails gets its share at least: half of it, since chance has a hand in it. */
function theGoodAreNotStarved(
  { requests, sparesFirst }: SimulationRecord,
  { seed, targets }: SimulationSettings,
): void {
  if (!sparesFirst) return;
  const calls = requests.flatMap((request) => request.calls).filter(isApi);
  const own = calls.filter(({ target }) => target === 0).length;
  const fair = calls.length / targets;
  assert.ok(own >= fair / 2, `seed ${seed}: the good target got ${own}, its share is ${fair}`);
}

/**
 * What checks say is down gets nothing as long as there is another for the request that is well beyond doubt, and no
 * panic: so many are that all cannot be used.
 */
function theUnwellAreLeftAlone(
  { requests, checks, timelines }: SimulationRecord,
  { seed, targets }: SimulationSettings,
  { checks: thresholds, panic, recoveryMs }: Expectations,
): void {
  if (thresholds === null) return;
  const says = checksSay(checks, targets, thresholds);
  for (const { number, calls } of requests) {
    for (const [index, { target, atMs }] of calls.filter(isApi).entries()) {
      if (atMs - says.downSince(target, atMs) <= TELLING_MS) continue;
      const well = timelines.flatMap((timeline, each) => {
        const isWell = atMs - goodSince(timeline, atMs) > recoveryMs;
        return isWell && says.downSince(each, atMs) === Infinity ? [each] : [];
      });
      if (well.length < targets * panic) continue;
      const tried = new Set(calls.slice(0, index).map((call) => call.target));
      const left = well.filter((each) => !tried.has(each));
      const where = `seed ${seed}: number ${number} went to target ${target} at ${atMs}`;
      assert.equal(left.length, 0, `${where}, which is down; ${left.join()} were well`);
    }
  }
}

/** Where something stands in for the service, it has not answered well before. */
function fallbacksComeLast(
  { requests }: SimulationRecord,
  seed: number,
  { fallback, standInStatus }: Expectations,
): void {
  for (const request of requests) {
    const { number, calls, status } = request;
    const first = calls.findIndex((call) => !isApi(call));
    if (request.fallback === "" && first < 0) continue;
    const where = `seed ${seed}: number ${number}`;
    assert.ok(fallback.length > 0, `${where} was answered by ${request.fallback} unasked`);
    if (request.fallback === "respond") assert.equal(status, standInStatus, where);
    const atMs = first < 0 ? request.endedAtMs : calls[first]!.atMs;
    const after = first < 0 ? [] : calls.slice(first).filter(isApi);
    assert.equal(after.length, 0, `${where} went back to the service`);
    // A slow target's good answer may have come when nobody waited for it any more.
    const given = calls.find((call) => {
      const { mode, answeredAtMs } = call;
      if (!isApi(call) || mode === "slow" || call.status !== 200) return false;
      return answeredAtMs > 0 && answeredAtMs < atMs;
    });
    assert.equal(given, undefined, `${where} had a good answer before its fallback`);
  }
}

/** What can be answered by somebody else is. */
function fallbacksAreNotForgotten(
  { requests, sparesBackup }: SimulationRecord,
  seed: number,
  { fallback, standInStatus }: Expectations,
): void {
  const asksService = fallback.includes("service") && sparesBackup;
  for (const { number, method, status, fault, isBroken } of requests) {
    const where = `seed ${seed}: ${method} number ${number} got ${status} ${fault}`;
    if (fallback.includes("respond")) {
      // Of what a service answers 500 is its own affair.
      assert.ok(!isBroken && [200, 500, standInStatus].includes(status), where);
    } else if (asksService && IDEMPOTENT.has(method)) {
      assert.ok([200, 500].includes(status) || fault === "total-timeout", where);
    }
  }
}

/** When nothing fails any more, all is answered well, by the service itself, and by all its targets. */
function allRecovers(
  { requests }: SimulationRecord,
  { seed, targets, troubleMs, peaceMs }: SimulationSettings,
  { recoveryMs }: Expectations,
): void {
  const last = requests.filter(({ atMs }) => atMs > troubleMs + recoveryMs);
  assert.ok(last.length > targets * 10, `seed ${seed}: too few requests to judge by`);
  const bad = last.filter(
    ({ status, isBroken, fallback }) => status !== 200 || isBroken || fallback !== "",
  );
  assert.equal(bad.length, 0, `seed ${seed}: ${describe(bad)} after recovery`);
  const served = new Set(last.flatMap(({ calls }) => calls.map(({ target }) => target)));
  const { size } = served;
  assert.equal(size, targets, `seed ${seed}: ${size} of ${targets} serve again (${peaceMs} ms)`);
}

function isApi({ service }: SimulatedCall): boolean {
  return service === "api";
}

function toApi(calls: readonly SimulatedCall[]): number {
  return calls.filter(isApi).length;
}

function describe(requests: readonly SimulatedRequest[]): string {
  const [first] = requests;
  if (first === undefined) return "none";
  const { number, method, status, fault, fallback, atMs } = first;
  const got = `${status} ${fault}${fallback}`;
  return `${requests.length} bad answers, first ${method} number ${number} at ${atMs} with ${got}`;
}
