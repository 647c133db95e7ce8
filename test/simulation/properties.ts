/** properties: what has to hold of every simulated run, whatever fails when. Each throws an AssertionError that names the seed. */
import assert from "node:assert/strict";
import type { SimulatedRequest, SimulationRecord, SimulationSettings } from "./simulation.ts";

const IDEMPOTENT = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]);

/** What the properties have to know of the configuration. */
export interface Expectations {
  /** Retries and hedges, as a share of the requests. */
  budget: number;
  /** Retries that are always allowed, for a service with little traffic. */
  budgetFloor: number;
  /** After the last failure: time by which all is as it was. */
  recoveryMs: number;
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
  allRecovers(record, settings, expectations);
}

/** Once: the test kit's client throws where a second answer begins. */
function everyRequestEnds({ requests }: SimulationRecord, seed: number): void {
  const open = requests.filter(({ endedAtMs }) => endedAtMs === 0);
  assert.equal(open.length, 0, `seed ${seed}: ${open.length} requests have no answer`);
}

/** What may change something is sent once at most. */
function nothingUnsafeIsRepeated({ requests }: SimulationRecord, seed: number): void {
  for (const { number, method, calls } of requests) {
    if (IDEMPOTENT.has(method) || calls.length < 2) continue;
    assert.fail(`seed ${seed}: ${method} number ${number} was sent ${calls.length} times`);
  }
}

function amplificationIsBounded(
  { requests }: SimulationRecord,
  seed: number,
  { budget, budgetFloor }: Expectations,
): void {
  const again = requests.reduce((sum, { calls }) => sum + Math.max(0, calls.length - 1), 0);
  const allowed = requests.length * budget + budgetFloor;
  assert.ok(again <= allowed, `seed ${seed}: ${again} repetitions, ${allowed} are allowed`);
}

/** A target that never fails gets its share at least: half of it, since chance has a hand in it. */
function theGoodAreNotStarved(
  { requests, sparesFirst }: SimulationRecord,
  { seed, targets }: SimulationSettings,
): void {
  if (!sparesFirst) return;
  const calls = requests.flatMap((request) => request.calls);
  const own = calls.filter(({ target }) => target === 0).length;
  const fair = calls.length / targets;
  assert.ok(own >= fair / 2, `seed ${seed}: the good target got ${own}, its share is ${fair}`);
}

/** When nothing fails any more, all is answered well, and by all targets. */
function allRecovers(
  { requests }: SimulationRecord,
  { seed, targets, troubleMs, peaceMs }: SimulationSettings,
  { recoveryMs }: Expectations,
): void {
  const last = requests.filter(({ atMs }) => atMs > troubleMs + recoveryMs);
  assert.ok(last.length > targets * 10, `seed ${seed}: too few requests to judge by`);
  const bad = last.filter(({ status, isBroken }) => status !== 200 || isBroken);
  assert.equal(bad.length, 0, `seed ${seed}: ${describe(bad)} after recovery`);
  const served = new Set(last.flatMap(({ calls }) => calls.map(({ target }) => target)));
  const { size } = served;
  assert.equal(size, targets, `seed ${seed}: ${size} of ${targets} serve again (${peaceMs} ms)`);
}

function describe(requests: readonly SimulatedRequest[]): string {
  const [first] = requests;
  if (first === undefined) return "none";
  const { number, method, status, fault, atMs } = first;
  return `${requests.length} bad answers, first ${method} number ${number} at ${atMs} with ${status} ${fault}`;
}
